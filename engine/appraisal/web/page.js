"use strict";
// The page: its state, and what each part shows of it.
const several = summary.scenarios.length > 1;
const state = { scenario: several ? 1 : 0, view: several ? "diff" : "one", measure: "veh", hour: morning(), whole: false, solid: false, network: "", chosen: null, playing: null };
let maps = [], mapView = null, ready = false;

/** The hour that begins at eight o'clock, or the last one. */
function morning() {
  const first = new Date(summary.start_local_ms).getUTCHours();
  return Math.min((8 - first + 24) % 24, summary.hours - 1);
}
function begin() {
  write();
  requestAnimationFrame(() => setTimeout(() => start().catch((error) => { byId("map-note").textContent = String(error); throw error; })));
}
async function start() {
  if (document.readyState === "loading") await new Promise((done) => document.addEventListener("DOMContentLoaded", done));
  await unpack();
  await loadLibraries();
  ready = true;
  makeMaps();
  write();
}

function write() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = word(element.dataset.word);
  byId("language").textContent = word("other");
  byId("language").lang = language === "en" ? "zh" : "en";
  writeHead(); writeFigures(); writeControls(); writeNetworks(); writeCheckup(); writeWho(); writeWorth(); writeInputs(); writeProvenance();
  if (ready) { writeSectors(); drawMap(); writeDetails(); }
  else byId("map-note").textContent = word("loading");
}

function writeHead() {
  const title = summary.title || scenarioName(several ? state.scenario : 0);
  byId("title").textContent = document.title = title;
  byId("question").textContent = summary.question || summary.scenarios[state.scenario].description.trim();
  const seeds = summary.seeds.length;
  const from = new Date(summary.start_local_ms).toLocaleString(language, { timeZone: "UTC", dateStyle: "long", timeStyle: "short" });
  const parts = [summary.city, word("hours", figure(summary.duration_s / 3600), from, summary.time_zone || "UTC"), seeds > 1 ? word("seeds", seeds) : word("oneSeed")];
  if (summary.sample_factor < 1) parts.push(word("sample", figure(100 * summary.sample_factor)));
  byId("setting").textContent = parts.join("  ·  ");
}

function writeFigures() {
  const choice = byId("choice");
  choice.replaceChildren();
  if (several) {
    choice.append(make("span", {}, word("compareWith", scenarioName(0))));
    summary.scenarios.slice(1).forEach((_, at) => choice.append(make("button", { type: "button", "aria-pressed": String(state.scenario === at + 1), onclick: () => { state.scenario = at + 1; write(); choice.querySelectorAll("button")[at].focus(); } }, scenarioName(at + 1))));
  }
  const seeds = summary.seeds.length;
  byId("explain").textContent = !several ? word("explainAlone") : seeds > 1 ? word("explainMany", seeds) : word("explainOne");
  const effectOf = (kpi) => kpi.arms[state.scenario].effect;
  const found = (kpi) => { const e = effectOf(kpi); return e ? { higher: 0, lower: 0, few: 1, none: 2, same: 3 }[e.state] : 1; };
  const headline = summary.kpis.map((kpi, at) => ({ kpi, at })).filter(({ kpi }) => kpi.headline && !kpi.zone);
  // What a policy takes comes first, where it takes anything.
  const taken = (kpi) => (kpi.group === "policy" ? 0 : 1);
  headline.sort((a, b) => found(a.kpi) - found(b.kpi) || taken(a.kpi) - taken(b.kpi) || a.at - b.at);
  byId("cards").replaceChildren(...headline.slice(0, 8).map(({ kpi }) => card(kpi, effectOf(kpi))));
  const columns = [word("figure"), word("place"), word("unit")].map((title) => ({ title }));
  const numbers = [label(0), ...(several ? [label(state.scenario), word("difference"), word("interval")] : [])];
  columns.push(...numbers.map((title) => ({ title, number: true })), ...(several ? [{ title: word("state") }] : []));
  const rows = summary.kpis.map((kpi) => {
    const effect = effectOf(kpi);
    const compared = several ? [figure(kpi.arms[state.scenario].mean), effect ? figure(effect.diff, true) : "–", effect ? interval(effect) : "–", effect ? stateWords(effect) : "–"] : [];
    return [named(kpi.indicator), kpi.zone ? zoneName(kpi.zone) : summary.city, named(kpi.unit), figure(kpi.arms[0].mean), ...compared];
  });
  const csv = () => [["indicator", "zone", "unit", "base", "scenario", "difference", "low", "high", "state"], summary.kpis.map((kpi) => { const e = effectOf(kpi); return [kpi.indicator, kpi.zone, kpi.unit, kpi.arms[0].mean, kpi.arms[state.scenario].mean, e?.diff, e && e.half !== null ? e.diff - e.half : "", e && e.half !== null ? e.diff + e.half : "", e?.state]; })];
  byId("figures").replaceChildren(csvButton(word("allFigures"), csv), table(columns, rows, word("allFigures")));
}
const zoneName = (id) => summary.zones.find((zone) => zone.id === id)?.name || id.replace("external:", "→ ");

function card(kpi, effect) {
  const lines = [make("div", { class: "name" }, named(kpi.indicator)), make("div", { class: "big" }, figure(kpi.arms[state.scenario].mean), " ", make("small", {}, named(kpi.unit)))];
  if (effect) lines.push(make("div", { class: "effect" }, stateWords(effect), effect.state === "same" ? "" : ` ${figure(effect.diff, true)}`), make("div", { class: "range" }, effect.half === null || effect.state === "same" ? "" : `${word("interval")} ${interval(effect)}`), intervalPicture(effect));
  if (kpi.published !== null) lines.push(make("div", { class: "soft", style: "margin:0", title: kpi.source }, word("published", figure(kpi.published))));
  return make("article", { class: "card" }, ...lines);
}

function writeControls() {
  const kinds = several ? ["one", "side", "swipe", "diff"] : [];
  byId("views").hidden = !several;
  byId("views").querySelectorAll("label").forEach((label) => label.remove());
  byId("views").append(...kinds.map((kind) => make("label", {}, make("input", { type: "radio", name: "view", value: kind, checked: state.view === kind, onchange: () => { const parted = [state.view, kind].includes("side"); state.view = kind; drawMap(); if (parted) goHome(); } }), make("span", {}, word(kind)))));
  byId("measure").replaceChildren(...["veh", "delay"].map((kind) => make("option", { value: kind, selected: state.measure === kind }, word(kind))));
  byId("network-choice").hidden = !summary.elements.of.length;
  byId("network").replaceChildren(...["", ...summary.elements.of.map((of) => of.utility)].map((name) => make("option", { value: name, selected: state.network === name }, name ? utilityName(name) : word("noNetwork"))));
  byId("hour").max = summary.hours - 1;
  byId("hour").value = state.hour;
  byId("hour").setAttribute("aria-label", word("hourLabel"));
  byId("swipe").setAttribute("aria-label", word("swipeLabel"));
  byId("play").textContent = word(state.playing ? "pause" : "play");
  byId("time").title = word("keys");
  writeClock();
}
function writeClock() {
  const text = state.whole ? word("wholeName") : `${clock(state.hour)}–${clock(state.hour + 1, false)}`;
  byId("clock").textContent = text;
  byId("hour").setAttribute("aria-valuetext", text);
  byId("hour").disabled = state.whole;
}
function setHour(hour) {
  state.hour = (hour + summary.hours) % summary.hours;
  byId("hour").value = state.hour;
  writeClock();
  if (ready) drawMap();
}
function play() {
  if (state.playing) { clearInterval(state.playing); state.playing = null; }
  else { state.whole = byId("whole").checked = false; state.playing = setInterval(() => setHour(state.hour + 1), 900); }
  writeControls();
}

/** The whole city, in the part of the stage that one map has. */
function home() {
  const stage = byId("maps");
  return { ...homeView(stage.clientWidth / (state.view === "side" ? 2 : 1), stage.clientHeight), pitch: state.solid ? 50 : 0 };
}
function goHome() {
  mapView = home();
  for (const map of maps) map.look(mapView);
}
function makeMaps() {
  const stage = byId("maps");
  const webgl = hasWebGl() && globalThis.deck;
  mapView = home();
  const moved = (view) => { mapView = view; for (const map of maps) map.look(view); };
  const picked = (kind, row) => choose(kind, row);
  const Kind = webgl ? DeckMap : CanvasMap;
  maps = [byId("left"), ...(several ? [byId("right")] : [])].map((parent) => new Kind(parent, mapView, moved, picked));
  stage.dataset.state = webgl ? "webgl" : "canvas";
  byId("solid").closest("label").hidden = !webgl;
}
/** Upper ends of the classes below the last: round figures that part what there is. */
function breaks(measure, difference) {
  const key = `${measure}${difference ? `-${state.scenario}` : ""}${state.whole}`;
  return breaks.known[key] ??= (() => {
    const values = [];
    for (let link = 0; link < summary.links_with_traffic; link++) {
      for (let hour = 0; hour < (state.whole ? 1 : summary.hours); hour++) {
        const at = state.whole ? null : hour;
        if (difference) values.push(Math.abs(linkValue(measure, state.scenario, link, at) - linkValue(measure, 0, link, at)));
        else summary.scenarios.forEach((_, row) => values.push(linkValue(measure, row, link, at)));
      }
    }
    const some = values.filter((value) => value >= 1).sort((a, b) => a - b);
    const most = some[Math.floor(0.985 * (some.length - 1))] ?? 1;
    const nice = (value) => { const power = 10 ** Math.floor(Math.log10(value)); return power * ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10); };
    const top = Math.max(1, nice(most / 2));
    const shares = difference ? [0.1, 0.3, 1] : [0.1, 0.25, 0.5, 1];
    return shares.map((share) => share * top);
  })();
}
breaks.known = {};
const classOf = (value, ends) => { const at = ends.findIndex((end) => value < end); return at < 0 ? ends.length : at; };

function picture(scenario) {
  const { measure } = state, hour = state.whole ? null : state.hour, ends = breaks(measure, false), links = [];
  for (let link = 0; link < summary.links_with_traffic; link++) {
    const value = linkValue(measure, scenario, link, hour), at = classOf(value, ends);
    // Streets stand back behind a network.
    links.push(value > 0 && !state.network ? { colour: FLOW[at], width: 1.2 + 1.2 * at } : { colour: QUIET, width: 1 });
  }
  const network = networkPicture(scenario);
  return { links, network, solid: state.solid, chosen: state.chosen, stamp: [scenario, measure, hour, state.network].join() };
}
function differencePicture() {
  const { measure, scenario } = state, hour = state.whole ? null : state.hour, ends = breaks(measure, true), links = [];
  for (let link = 0; link < summary.links_with_traffic; link++) {
    const difference = linkValue(measure, scenario, link, hour) - linkValue(measure, 0, link, hour), at = classOf(Math.abs(difference), ends);
    if (!isSure(measure, scenario, link, hour) || difference === 0) links.push({ colour: FADED, width: 1.2 });
    else links.push({ colour: (difference > 0 ? MORE : LESS)[at], width: 2 + 1.2 * at });
  }
  return { links, solid: state.solid, chosen: state.chosen, stamp: ["difference", scenario, measure, hour].join() };
}
function drawMap() {
  // Networks are told for one scenario.
  const { scenario } = state, view = state.network && state.view === "diff" ? "one" : state.view, stage = byId("maps"), two = view === "side" || view === "swipe";
  stage.dataset.view = two ? view : "one";
  byId("swipe").hidden = view !== "swipe";
  byId("map-note").textContent = !summary.has.link_state ? word("noState") : stage.dataset.state === "canvas" ? word("canvas") : "";
  maps[0].show(view === "diff" ? differencePicture() : picture(two ? 0 : scenario));
  if (two) maps[1].show(picture(scenario));
  byId("left-name").textContent = view === "diff" ? `${label(scenario)} − ${label(0)}` : label(two ? 0 : scenario);
  byId("right-name").textContent = two ? label(scenario) : "";
  writeLegend(view === "diff");
}
function writeLegend(difference) {
  if (state.network) { byId("legend").replaceChildren(...networkLegend()); return; }
  const ends = breaks(state.measure, difference);
  const swatch = (colour, text) => make("div", {}, make("i", { style: `background:${colour}` }), text);
  const span = (at) => at === 0 ? `< ${figure(ends[0])}` : at === ends.length ? `≥ ${figure(ends[at - 1])}` : `${figure(ends[at - 1])}–${figure(ends[at])}`;
  const rows = [make("strong", {}, word(state.measure + (state.whole ? "All" : "")))];
  if (difference) {
    for (let at = ends.length; at >= 0; at--) rows.push(swatch(MORE[at], `${word("more")} ${span(at)}`));
    rows.push(swatch(FADED, word("noDifference")));
    for (let at = 0; at <= ends.length; at++) rows.push(swatch(LESS[at], `${word("fewer")} ${span(at)}`));
  } else FLOW.forEach((colour, at) => rows.push(swatch(colour, span(at))));
  if (summary.buildings_left_out) rows.push(make("div", {}, word("more_", figure(summary.buildings_left_out))));
  byId("legend").replaceChildren(...rows);
}

const COLOURS = ["#3d4752", "#c9690f", "#5e3c99", "#1b7f79", "#a8326f", "#6b7a13"];
/** Curves over the hours, one for each scenario, with their CSV. */
function curves(title, unit, values, width = 400) {
  const box = make("div", { class: "curve" }, make("h3", {}, `${title}, ${unit}`));
  const hours = Array.from({ length: summary.hours }, (_, hour) => hour);
  const drawn = make("div", { role: "img", "aria-label": `${title}, ${unit}: ${values.map((v, row) => word("of", label(row), `${figure(Math.min(...v))}–${figure(Math.max(...v))}`)).join("; ")}` });
  box.append(drawn);
  new uPlot({
    width, height: 190, scales: { x: { time: false }, y: { range: (_, low, high) => [Math.min(0, low), high > 0 ? high * 1.05 : 1] } },
    axes: [{ values: (_, ticks) => ticks.map((hour) => Number.isInteger(hour) ? clock(hour, false) : ""), grid: { stroke: "#eceeef" }, stroke: "#56616e", space: 60 }, { grid: { stroke: "#eceeef" }, stroke: "#56616e", size: 56, values: (_, ticks) => ticks.map((tick) => figure(tick)) }],
    series: [{ label: word("hour"), value: (_, hour) => hour === null ? "" : clock(hour, false) }, ...values.map((_, row) => ({ label: label(row), stroke: COLOURS[row % COLOURS.length], width: row ? 2 : 2.5, dash: row ? [] : [6, 3], points: { show: false }, value: (_, value) => figure(value) }))],
  }, [hours, ...values.map((v) => Array.from(v))], drawn);
  box.append(csvButton(title, () => [["hour_start", ...summary.scenarios.map((s) => s.name)], hours.map((hour) => [new Date(summary.start_local_ms + hour * 3600e3).toISOString().slice(0, 16), ...values.map((v) => v[hour])])]));
  return box;
}
function writeSectors() {
  const sectors = summary.sectors.map((sector) => curves(named(sector.name), "MW", sector.arms));
  byId("sectors").replaceChildren(...(sectors.length ? sectors : [make("p", {}, word("noSectors"))]));
}

function choose(kind, row) { state.chosen = kind ? { kind, row } : null; drawMap(); writeDetails(); }
function kinds(title, counts, name = named) {
  if (!counts?.some((scenario) => scenario?.length)) return null;
  const all = [...new Set(counts.flatMap((scenario) => (scenario ?? []).map(([kind]) => kind)))];
  const of = (scenario, kind) => (scenario ?? []).find(([k]) => k === kind)?.[1] ?? 0;
  const rows = all.map((kind) => [name(kind), ...counts.map((scenario) => figure(of(scenario, kind)))]);
  return make("div", {}, make("h3", {}, title), table([{ title: "" }, ...counts.map((_, row) => ({ title: label(row), number: true }))], rows, title), csvButton(title, () => [["kind", ...summary.scenarios.map((s) => s.name)], all.map((kind) => [kind, ...counts.map((scenario) => of(scenario, kind))])]));
}
/** Streets with the largest figures (or differences) and all zones: the way in for those who cannot point. */
function placeList() {
  const score = (link) => several ? Math.abs(linkValue("veh", state.scenario, link, null) - linkValue("veh", 0, link, null)) : linkValue("veh", 0, link, null);
  const best = new Map();
  for (let link = 0; link < summary.links_with_traffic; link++) {
    const name = data.names.link_name[link];
    if (name && !(best.has(name) && score(best.get(name)) >= score(link))) best.set(name, link);
  }
  const streets = [...best].sort((a, b) => score(b[1]) - score(a[1])).slice(0, 40);
  const value = state.chosen ? `${state.chosen.kind}-${state.chosen.row}` : "";
  const option = (key, text) => make("option", { value: key, selected: key === value }, text);
  return make("select", { "aria-label": word("find"), style: "max-width:100%;margin-bottom:10px", id: "places", onchange: (event) => { const [kind, row] = event.target.value.split("-"); choose(kind, Number(row)); byId("places").focus(); } },
    option("", word("find")), make("optgroup", { label: word("zone") }, ...summary.zones.map((zone, row) => option(`zone-${row}`, zone.name || zone.id))), ...elementOptions(option), make("optgroup", { label: word("link") }, ...streets.map(([name, link]) => option(`link-${link}`, name))));
}
function writeDetails() {
  const box = byId("details"), parts = [placeList()], { chosen } = state;
  const scenarios = summary.scenarios.map((_, row) => row), span = (values, row) => values.subarray(row * summary.hours, (row + 1) * summary.hours);
  const zoneCurve = (row) => curves(word("zoneCurve"), named("trips"), scenarios.map((s) => span(data.zoneTrips[s], row)), 310);
  if (!chosen) parts.push(make("p", {}, word("choose")), make("p", { class: "soft" }, word("keys")));
  else if (chosen.kind === "element") parts.push(...elementDetails(chosen.row));
  else if (chosen.kind === "link") {
    parts.push(make("h3", {}, data.names.link_name[chosen.row] || word("link")), make("p", { class: "soft" }, data.names.link_id[chosen.row]));
    for (const measure of ["veh", "delay"]) parts.push(curves(word("link"), word(measure), scenarios.map((s) => span(data[measure][s], chosen.row)), 310));
    parts.push(summary.has.crossings ? kinds(word("purposes"), scenarios.map((s) => data.names.link_purposes[s][chosen.row])) : make("p", { class: "soft" }, word("noCrossings")));
  } else if (chosen.kind === "building") {
    const zone = summary.zones.findIndex((z) => z.id === data.names.building_zone[chosen.row]);
    parts.push(make("h3", {}, `${word("building")}: ${named(data.names.building_purpose[chosen.row])}`), make("p", { class: "soft" }, `${word("height")} ${data.height[chosen.row]} m · ${zoneName(data.names.building_zone[chosen.row])} · ${data.names.building_id[chosen.row]}`));
    if (summary.has.loads) parts.push(curves(word("building"), word("loadCurve"), scenarios.map((s) => Array.from(span(data.load[s], chosen.row), (part) => part / 255 * data.mostW[chosen.row] / 1000)), 310));
    else parts.push(make("p", { class: "soft" }, word("noLoads")), zone >= 0 ? zoneCurve(zone) : null);
    parts.push(summary.has.trips ? kinds(word("tripsTo"), scenarios.map((s) => data.names.building_modes[s][chosen.row])) : make("p", { class: "soft" }, word("noTrips")));
  } else {
    parts.push(make("h3", {}, summary.zones[chosen.row].name || summary.zones[chosen.row].id));
    if (summary.has.trips) parts.push(zoneCurve(chosen.row), kinds(word("tripsFrom"), scenarios.map((s) => data.names.zone_modes[s][chosen.row])), kinds(word("destinations"), scenarios.map((s) => data.names.zone_to[s][chosen.row]), zoneName));
    else parts.push(make("p", { class: "soft" }, word("noTrips")));
  }
  box.replaceChildren(...parts.filter(Boolean));
}

function writeWho() {
  const one = (title, rows, name) => {
    const numbers = [label(0), ...(several ? [label(state.scenario), word("difference"), word("interval")] : [])];
    const columns = [{ title }, ...numbers.map((text) => ({ title: text, number: true })), ...(several ? [{ title: word("state") }] : [])];
    const finding = (effect) => ["higher", "lower"].includes(effect.state) ? make("span", { class: `state ${effect.state}` }, word(effect.state === "lower" ? "gain" : "loss")) : stateWords(effect);
    const cells = rows.map((row) => {
      const { mean, effect } = row.arms[state.scenario];
      return [name(row), figure(row.arms[0].mean), ...(several ? [figure(mean), effect ? figure(effect.diff, true) : "–", effect ? interval(effect) : "–", effect ? finding(effect) : "–"] : [])];
    });
    const csv = () => [["name", "base_min", "scenario_min", "difference_min", "half_width_min", "state"], rows.map((row) => { const { mean, effect } = row.arms[state.scenario]; return [name(row), row.arms[0].mean, mean, effect?.diff, effect?.half, effect?.state]; })];
    return [make("h3", {}, `${title}, ${word("minutes")}`), table(columns, cells, title), csvButton(title, csv)];
  };
  byId("zones").replaceChildren(...(summary.has.trips ? one(word("byZone"), summary.zones, (zone) => zone.name || zone.id) : [make("p", {}, word("noTrips"))]));
  byId("groups").replaceChildren(...(summary.has.trips ? one(word("byGroup"), summary.groups, (group) => named(group.name)) : []));
}
/** A range of figures as a bar on a common scale with a mark at the middle figure. */
function rangeBar(low, high, middle, least, most) {
  const at = (value) => `${100 * (value - least) / Math.max(most - least, 1e-9)}%`, [from, to] = [Math.min(low, high), Math.max(low, high)];
  return make("div", { class: "swing", role: "img", "aria-label": `${figure(from)} – ${figure(to)}` }, make("i", { style: `left:${at(from)};width:calc(${at(to)} - ${at(from)})` }), make("b", { style: `left:${at(middle)}` }));
}
function writeWorth() {
  const box = byId("worth"), { worth } = summary;
  if (!worth || !several) { box.replaceChildren(make("p", {}, word("noWorth"))); return; }
  const policy = worth.policies[state.scenario - 1], money = worth.currency, number = (title) => ({ title, number: true });
  const share = (value) => `${figure(100 * value)} %`, effectCells = (effect) => [figure(effect.diff, true), interval(effect), stateWords(effect)];
  const part = (title, columns, rows, csv) => make("div", {}, make("h3", {}, title), table(columns, rows, title), csvButton(title, csv));
  const bounds = (effect) => [effect.diff, effect.half === null ? "" : effect.diff - effect.half, effect.half === null ? "" : effect.diff + effect.half, effect.state];
  const ratio = policy.benefit_cost_ratio === null ? word("noCosts") : figure(policy.benefit_cost_ratio);
  const payback = policy.payback_year === null ? word("never") : String(policy.payback_year);
  const facts = [[word("npv"), `${figure(policy.net_present_value)} ${money}`], [word("bcr"), ratio], [word("payback"), policy.benefit_cost_ratio === null ? "–" : payback]];
  const cards = make("div", { class: "cards" }, ...facts.map(([name, value]) => make("article", { class: "card" }, make("div", { class: "name" }, name), make("div", { class: "big" }, value))));
  const verdict = make("p", { class: "soft" }, policy.dominated_by ? word("beaten", policy.dominated_by) : word("notBeaten"));
  const measures = part(word("value"), [{ title: word("figure") }, { title: word("unit") }, number(word("change")), number(word("interval")), { title: word("state") }],
    policy.measures.map(({ name, unit, effect }) => [named(name), unit, ...effectCells(effect)]), () => [["measure", "unit", "change", "low", "high", "state"], policy.measures.map(({ name, unit, effect }) => [name, unit, ...bounds(effect)])]);
  const last = policy.parties[0].years.length - 1, shown = [...new Set([0, 1, last])];
  const parties = part(`${word("party")}, ${money}`, [{ title: word("party") }, ...shown.map((year) => number(word("year", year))), number(word("present"))],
    policy.parties.map((party) => [named(party.name), ...shown.map((year) => figure(party.years[year], true)), figure(party.present_value, true)]),
    () => [["party", ...policy.parties[0].years.map((_, year) => `year_${year}`), "present_value"], policy.parties.map((party) => [party.name, ...party.years, party.present_value])]);
  const groups = part(word("who"), [{ title: word("group") }, number(word("persons")), number(word("perDay", money)), number(word("interval")), { title: word("state") }, number(word("winners")), number(word("losers"))],
    policy.groups.map((group) => [`${named(group.by)} ${group.by === "zone" ? zoneName(group.name) : named(group.name)}`, figure(group.persons), figure(group.effect.diff, true), interval(group.effect), stateWords(group.effect), share(group.winners), share(group.losers)]),
    () => [["by", "group", "persons", "money_per_person_day", "low", "high", "state", "share_winners", "share_losers"], policy.groups.map((group) => [group.by, group.name, group.persons, ...bounds(group.effect), group.winners, group.losers])]);
  const values = policy.swings.flatMap((swing) => swing.net_present_value), least = Math.min(...values, policy.net_present_value), most = Math.max(...values, policy.net_present_value);
  const swings = part(`${word("swing")}, ${money}`, [{ title: word("unitValues") }, number(word("lowEnd")), number(word("highEnd")), { title: "" }],
    policy.swings.slice(0, 8).map((swing) => [`${named(swing.name)} (${figure(swing.ends[0])}–${figure(swing.ends[1])})`, ...swing.net_present_value.map((value) => figure(value)), rangeBar(...swing.net_present_value, policy.net_present_value, least, most)]),
    () => [["value", "low", "high", "npv_at_low", "npv_at_high"], policy.swings.map((swing) => [swing.name, ...swing.ends, ...swing.net_present_value])]);
  const used = part(word("unitValues"), [{ title: word("unitValues") }, number(word("value")), { title: word("unit") }, { title: word("source"), long: true }],
    worth.values.map((value) => [named(value.name), figure(value.value), value.unit, `${value.source} (${value.quality})`]), () => [["name", "value", "unit", "year", "source", "quality"], worth.values.map((value) => Object.values(value))]);
  const folded = make("details", {}, make("summary", {}, word("unitValues")), used);
  box.replaceChildren(cards, verdict, make("div", { class: "pair" }, measures, make("div", {}, parties, swings)), groups, ...worth.notes.map((note) => make("p", { class: "soft" }, note)), folded);
}
function writeInputs() {
  const columns = [{ title: word("input") }, ...summary.scenarios.map((_, row) => ({ title: label(row), long: true }))];
  const rows = summary.inputs.map((input) => [make("code", {}, input.key), ...input.values.map((value) => value || word("notSet"))]);
  const csv = () => [["key", ...summary.scenarios.map((s) => s.name)], summary.inputs.map((input) => [input.key, ...input.values])];
  byId("inputs").replaceChildren(...(!several ? [make("p", {}, word("alone"))] : rows.length ? [table(columns, rows, word("inputs")), csvButton(word("inputs"), csv)] : [make("p", {}, word("noInputs"))]));
}
function writeProvenance() {
  byId("credit").textContent = word("credit", summary.attribution || word("nobody"));
  const columns = ["scenario", "seed", "run", "program", "schema", "scenarioHash", "cityHash"].map((key) => ({ title: word(key) }));
  const code = (text) => make("code", {}, text.slice(0, 16));
  const rows = summary.provenance.map((run) => [run.scenario, String(run.seed), code(run.run_id), run.version, run.schema, code(run.scenario_hash), code(run.city_hash)]);
  const csv = () => [Object.keys(summary.provenance[0]), summary.provenance.map((run) => Object.values(run))];
  byId("provenance").replaceChildren(table(columns, rows, word("provenance")), csvButton(word("provenance"), csv));
}

byId("language").addEventListener("click", () => { language = language === "en" ? "zh" : "en"; write(); });
byId("print").addEventListener("click", () => print());
byId("measure").addEventListener("change", (event) => { state.measure = event.target.value; if (ready) drawMap(); });
byId("network").addEventListener("change", (event) => { state.network = event.target.value; if (state.chosen?.kind === "element") state.chosen = null; if (ready) { drawMap(); writeDetails(); } });
byId("hour").addEventListener("input", (event) => setHour(Number(event.target.value)));
byId("play").addEventListener("click", play);
byId("whole").addEventListener("change", (event) => { state.whole = event.target.checked; writeClock(); if (ready) drawMap(); });
byId("solid").addEventListener("change", (event) => { state.solid = event.target.checked; mapView = { ...mapView, pitch: state.solid ? 50 : 0 }; for (const map of maps) map.look(mapView); drawMap(); });
byId("home").addEventListener("click", goHome);
byId("swipe").addEventListener("input", (event) => byId("maps").style.setProperty("--at", `${event.target.value}%`));
addEventListener("beforeprint", () => { byId("all").open = true; });
