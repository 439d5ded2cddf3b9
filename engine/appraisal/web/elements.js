"use strict";
// Elements of utility networks on the map: one network at a time. Its links are coloured by their figure, its nodes are dots;
// where links have no figure, as in sewers, nodes are coloured by theirs.
const NETWORK = ["#a9d6cc", "#69b5a8", "#339185", "#146b62", "#083f3a"], SILENT = "#b3261e", DOT = "#56616e";
/** Pixels of dots, at least and at most. */
const DOT_PIXELS = [0.6, 6];
const chosenNetwork = () => summary.elements.of.find((of) => of.utility === state.network);
const isElementLink = (of, row) => row < of.first + of.links;
/** What is told of an element: [figure, unit], or null. */
const toldOf = (of, row) => summary.elements.has_courses ? of.figures[isElementLink(of, row) ? 0 : 1] : null;
/** Rows that are coloured: links where they have a figure, else nodes. */
function colouredRows(of) {
  const [from, count] = of.figures[0] ? [of.first, of.links] : [of.first + of.links, of.count - of.links];
  return Array.from({ length: count }, (_, at) => from + at);
}
const greatest = (row) => Math.max(Math.abs(data.elementMost?.[row] ?? 0), Math.abs(data.elementLeast?.[row] ?? 0));
/** A figure of an element in an hour, or its mean where `hour` is null; null where there is none. */
function elementValue(scenario, row, hour) {
  const parts = data.course[scenario], first = row * summary.hours;
  if (!parts) return null;
  const one = (part) => part === 255 ? null : data.elementLeast[row] + part / 254 * (data.elementMost[row] - data.elementLeast[row]);
  if (hour !== null) return one(parts[first + hour]);
  const known = Array.from(parts.subarray(first, first + summary.hours), one).filter((value) => value !== null);
  return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
}
/** Upper ends of the classes of a network, as shares of its greatest figure. */
function elementBreaks(of) {
  return elementBreaks.known[of.utility] ??= (() => {
    const most = colouredRows(of).reduce((most, row) => Math.max(most, greatest(row)), 0);
    return [0.05, 0.2, 0.4, 0.7].map((share) => share * most);
  })();
}
elementBreaks.known = {};
/** The chosen network for a map: `{lines, dots, stamp}`; null where none is. */
function networkPicture(scenario) {
  const of = chosenNetwork();
  if (!of) return null;
  const hour = state.whole ? null : state.hour, ends = elementBreaks(of), lines = [], dots = [];
  for (let row = of.first; row < of.first + of.count; row++) {
    const path = data.elements[row], isLink = isElementLink(of, row), told = toldOf(of, row), isColoured = told && isLink === Boolean(of.figures[0]);
    const value = told ? elementValue(scenario, row, hour) : null, isSilent = told && value === null;
    const at = isColoured && value !== null ? classOf(Math.abs(value), ends) : 1;
    // Transformers, pumps and the like have no length but a figure.
    if (path.length > 1) lines.push({ row, path, colour: isSilent ? SILENT : NETWORK[at], width: 1.4 + 0.9 * at });
    else dots.push({ row, place: path[0], colour: isSilent ? SILENT : isColoured ? NETWORK[at] : DOT, radius: isColoured ? 8 : 3 });
  }
  return { lines, dots, stamp: [of.utility, scenario, hour].join() };
}
function networkLegend() {
  const of = chosenNetwork(), told = toldOf(of, colouredRows(of)[0]), ends = elementBreaks(of);
  const swatch = (colour, text) => make("div", {}, make("i", { style: `background:${colour}` }), text);
  const span = (at) => at === 0 ? `< ${figure(ends[0])}` : at === ends.length ? `≥ ${figure(ends[at - 1])}` : `${figure(ends[at - 1])}–${figure(ends[at])}`;
  const rows = [make("strong", {}, utilityName(of.utility) + (told ? `: ${named(told[0])}, ${named(told[1])}` : ""))];
  if (told) rows.push(...NETWORK.map((colour, at) => swatch(colour, span(at))), swatch(SILENT, word("noFigure")));
  return rows;
}
/** What is told of an element that was chosen. */
function elementDetails(row) {
  const of = summary.elements.of.find((of) => row >= of.first && row < of.first + of.count), told = toldOf(of, row);
  const hours = Array.from({ length: summary.hours }, (_, hour) => hour), { element_kind: kind, element_id: id } = data.names.elements;
  const parts = [make("h3", {}, `${utilityName(of.utility)}: ${named(kind[row])}`), make("p", { class: "soft" }, id[row])];
  if (told) parts.push(curves(named(told[0]), named(told[1]), summary.scenarios.map((_, scenario) => hours.map((hour) => elementValue(scenario, row, hour))), 310));
  else parts.push(make("p", { class: "soft" }, word("noCourse")));
  return parts;
}
/** Elements with the greatest figures of the network on the map: the way in for those who cannot point. */
function elementOptions(option) {
  const of = chosenNetwork();
  if (!of) return [];
  const rows = colouredRows(of).sort((a, b) => greatest(b) - greatest(a)).slice(0, 40), { element_kind: kind, element_id: id } = data.names.elements;
  return [make("optgroup", { label: utilityName(of.utility) }, ...rows.map((row) => option(`element-${row}`, `${named(kind[row])} ${id[row]}`)))];
}
