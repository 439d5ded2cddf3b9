"use strict";
// Words, figures, tables and files: what every part of the page is written with.
const summary = JSON.parse(document.getElementById("summary").textContent);
const byId = (id) => document.getElementById(id);
let language = document.documentElement.lang === "zh" ? "zh" : "en";

/** A word of the page; {0}, {1} are filled in. */
function word(key, ...values) {
  return WORDS[language][key].replace(/\{(\d)\}/g, (_, at) => values[at]);
}
/** A name of the results for people. */
function named(name) {
  const plain = name.replaceAll("_", " ");
  if (language !== "zh") return plain;
  // What policies take carries their names.
  const [, what, policy] = plain.match(/^(revenue|payments) (.+)$/) ?? [];
  return NAMES_ZH[plain] ?? NAMES_ZH[name] ?? (what ? `${NAMES_ZH[what]}：${policy}` : plain);
}
/** A figure with three digits that count, and a true minus. */
function figure(value, signed = false) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const digits = size >= 100 || size === 0 ? 0 : Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(size))));
  const text = size.toLocaleString(language, { maximumFractionDigits: digits });
  const sign = value < 0 && Number(size.toFixed(digits)) > 0 ? "−" : signed && Number(size.toFixed(digits)) > 0 ? "+" : "";
  return sign + text;
}
/** An element with text and children; text is never read as HTML. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}
/** A scenario in a heading; `label` is shorter, for tables and curves. */
const scenarioName = (row) => summary.scenarios[row].title || summary.scenarios[row].name;
const label = (row) => summary.scenarios[row].name.replaceAll("_", " ");
/** Local date and time of an hour of the period. */
function clock(hour, withDate = true) {
  const at = new Date(summary.start_local_ms + hour * 3600e3);
  const options = { timeZone: "UTC", hour: "2-digit", minute: "2-digit", hour12: false, ...(withDate ? { weekday: "short" } : {}) };
  return at.toLocaleString(language, options);
}
function stateWords(effect) {
  return make("span", { class: `state ${effect.state}` }, word(effect.state));
}
const interval = (effect) => effect.half === null ? "" : `[${figure(effect.diff - effect.half, true)}, ${figure(effect.diff + effect.half, true)}]`;

/** Hands a table to the reader as a CSV file. */
function download(name, header, rows) {
  const cell = (value) => /[",\n]/.test(String(value ?? "")) ? `"${String(value).replaceAll('"', '""')}"` : String(value ?? "");
  const text = [header, ...rows].map((row) => row.map(cell).join(",")).join("\n") + "\n";
  const link = make("a", { href: URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv" })), download: `${name}.csv` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
/** A button that hands over what `of` returns: header and rows. */
function csvButton(name, of) {
  return make("button", { type: "button", class: "get", "aria-label": `${word("csv")}: ${name}`, onclick: () => download(name.replaceAll(/[^\p{L}\d]+/gu, "_"), ...of()) }, word("csv"));
}
/** A table; columns are {title, number}, cells are text or elements. */
function table(columns, rows, caption) {
  const head = columns.map((column) => make("th", { scope: "col", class: column.number ? "n" : "" }, column.title));
  const body = rows.map((row) => make("tr", {}, ...row.map((cell, at) => make(at ? "td" : "th", { class: columns[at].number ? "n" : columns[at].long ? "long" : "", scope: at ? false : "row" }, cell))));
  return make("div", { class: "scroll" }, make("table", { "aria-label": caption }, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...body)));
}
/** The interval of a difference as a picture, 0 in the middle. */
function intervalPicture(effect) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 200 16"); svg.setAttribute("class", "interval"); svg.setAttribute("aria-hidden", "true"); svg.setAttribute("preserveAspectRatio", "none");
  const half = effect.half ?? 0, reach = Math.abs(effect.diff) + half || 1;
  const x = (value) => 100 + 92 * value / reach;
  const colour = effect.state === "higher" ? "#b35806" : effect.state === "lower" ? "#5e3c99" : "#7b858f";
  const shape = (tag, attributes) => { const e = document.createElementNS(svg.namespaceURI, tag); for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v); svg.append(e); };
  shape("line", { x1: 100, x2: 100, y1: 0, y2: 16, stroke: "#8a949e" });
  shape("line", { x1: x(effect.diff - half), x2: x(effect.diff + half), y1: 8, y2: 8, stroke: colour, "stroke-width": 3 });
  shape("circle", { cx: x(effect.diff), cy: 8, r: 4, fill: colour });
  return svg;
}
