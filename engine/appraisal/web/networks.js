"use strict";
// Networks: what they were asked for and served, who went without, and what happened.
const UTILITIES_ZH = { electricity: "电力", water: "供水", gas: "燃气", heat: "供热", sewer: "排水", telecom: "移动通信", lifts: "电梯" };
const utilityName = (name) => (language === "zh" && UTILITIES_ZH[name]) || name;

function writeNetworks() {
  const box = byId("networks"), { flows, services, events } = summary.networks;
  if (!flows.length && !services.length) { box.replaceChildren(make("p", {}, word("noNetworks"))); return; }
  const parts = [], left = summary.elements.left_out;
  if (left.length) parts.push(make("p", { class: "soft" }, word("networksLeftOut", left.map(utilityName).join(", "))));
  if (services.length) {
    const number = (row, title) => ({ title: `${label(row)}: ${word(title)}`, number: true });
    const columns = [{ title: word("utility") }, ...summary.scenarios.flatMap((_, row) => [number(row, "personHours"), number(row, "mostPersons"), number(row, "lossHours")])];
    const told = (of) => [of.person_h, of.most, of.loss_h];
    const rows = services.map((of) => [utilityName(of.name), ...of.arms.flatMap((arm) => told(arm).map((value) => figure(value)))]);
    const header = ["utility", ...summary.scenarios.flatMap((s) => ["person_hours_without", "most_persons_without", "resilience_loss_h"].map((name) => `${s.name}_${name}`))];
    parts.push(make("h3", {}, word("without")), make("p", { class: "soft" }, word("resilienceExplained")), table(columns, rows, word("without")), csvButton(word("without"), () => [header, services.map((of) => [of.name, ...of.arms.flatMap(told)])]));
  }
  // Curves need their library, which is unpacked after the page stands.
  if (ready) {
    const short = services.filter((of) => of.arms.some((arm) => arm.person_h > 0));
    const drawn = [...short.map((of) => curves(word("withoutOf", utilityName(of.name)), named("persons"), of.arms.map((arm) => arm.without))), ...flows.map((of) => curves(word("servedOf", utilityName(of.name)), `${of.unit}/h`, of.arms.map((arm) => arm.served)))];
    parts.push(make("div", { class: "curves" }, ...drawn));
  }
  if (events.length) {
    const columns = ["scenario", "when", "event", "kind", "happening"].map((key) => ({ title: word(key) })).concat([{ title: word("part"), long: true }]);
    const rows = events.map((of) => [label(of.scenario), new Date(of.local_ms).toLocaleString(language, { timeZone: "UTC", weekday: "short", hour: "2-digit", minute: "2-digit", hour12: false }), named(of.event), named(of.kind), named(of.happening), of.part]);
    const csv = () => [["scenario", "local_time", "event", "kind", "happening", "part"], events.map((of) => [summary.scenarios[of.scenario].name, new Date(of.local_ms).toISOString().slice(0, 19), of.event, of.kind, of.happening, of.part])];
    parts.push(make("details", {}, make("summary", {}, word("happenings", events.length)), table(columns, rows, word("happenings", events.length)), csvButton(word("event"), csv)));
  }
  box.replaceChildren(...parts);
}
