"use strict";
// What stands compressed in the page: columns of figures, names, and the libraries that draw.
const data = { columns: null, names: null };

async function inflate(id) {
  const holder = byId(id);
  const text = atob(holder.textContent);
  holder.remove();
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Response(stream).arrayBuffer();
}
const KINDS = { u8: Uint8Array, i16: Int16Array, u16: Uint16Array, i32: Int32Array, f32: Float32Array };
/** A column of the pack; undefined where the results lack it. */
function column(name) {
  const found = summary.columns[name];
  return found && new KINDS[found[0]](data.columns, found[1], found[2]);
}
/** Lines of a layer as arrays of [longitude, latitude]. */
function lines(name) {
  const first = column(`${name}_first`), points = column(`${name}_points`), steps = column(`${name}_steps`);
  const found = [];
  for (let row = 0, at = 0; row < points.length; row++) {
    let x = first[2 * row], y = first[2 * row + 1];
    const line = [[x * summary.step_deg, y * summary.step_deg]];
    for (let point = 1; point < points[row]; point++, at += 2) {
      x += steps[at]; y += steps[at + 1];
      line.push([x * summary.step_deg, y * summary.step_deg]);
    }
    found.push(line);
  }
  return found;
}
async function unpack() {
  data.columns = await inflate("columns");
  data.names = JSON.parse(new TextDecoder().decode(await inflate("names")));
  data.links = lines("link");
  data.buildings = lines("building");
  data.zones = lines("zone");
  data.zoneRow = column("zone_row");
  for (const ground of ["water", "green"]) data[ground] = summary.has[ground] ? lines(ground) : [];
  data.height = column("building_height_m");
  const scenarios = summary.scenarios.map((_, row) => row);
  data.veh = scenarios.map((row) => column(`veh_${row}`));
  data.delay = scenarios.map((row) => column(`delay_${row}`));
  data.sure = { veh: scenarios.map((row) => column(`sure_veh_${row}`)), delay: scenarios.map((row) => column(`sure_delay_${row}`)) };
  data.zoneTrips = scenarios.map((row) => column(`zone_trips_${row}`));
  data.load = scenarios.map((row) => column(`building_load_${row}`));
  data.mostW = column("building_most_w");
  data.elements = summary.elements.of.length ? lines("element") : [];
  [data.elementLeast, data.elementMost] = [column("element_least"), column("element_most")];
  data.course = scenarios.map((row) => column(`element_course_${row}`));
}
/** Loads the libraries as a script of its own, so that nothing of it is read before the page stands. */
async function loadLibraries() {
  const url = URL.createObjectURL(new Blob([await inflate("libraries")], { type: "text/javascript" }));
  await new Promise((done, failed) => document.head.append(Object.assign(make("script"), { src: url, onload: done, onerror: failed })));
  URL.revokeObjectURL(url);
}
/** A figure of a street in an hour, or in the whole period where `hour` is null. */
function linkValue(measure, scenario, link, hour) {
  const values = data[measure][scenario], first = link * summary.hours;
  if (hour !== null) return values[first + hour];
  let sum = 0;
  for (let at = first; at < first + summary.hours; at++) sum += values[at];
  return sum;
}
/** 0 no detectable difference, 1 there is one, 2 too few seeds. */
const isSure = (measure, scenario, link, hour) => data.sure[measure][scenario][link * (summary.hours + 1) + (hour ?? summary.hours)];
