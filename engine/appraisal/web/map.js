"use strict";
// The map: with deck.gl where there is WebGL, else on a canvas. Both draw the same picture:
// {links: [{colour, width}], network: {lines, dots} or null, solid, chosen}, for a view {longitude, latitude, zoom, pitch, bearing}.
const FLOW = ["#f6d9a8", "#f2ab4e", "#df7416", "#b04a06", "#6d2404"];
// PuOr of ColorBrewer without its palest classes: told apart with every common colour vision.
const LESS = ["#c6bfdf", "#998ec3", "#6f5aa8", "#472478"], MORE = ["#f8cf9b", "#f1a340", "#c9690f", "#8a4204"];
const QUIET = "#c9cdd1", FADED = "#dcdee0";
const rgb = (hex, alpha = 255) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)).concat(alpha);
const GROUND = "#fbfaf7", WATER = "#bcd6e6", GREEN = "#d5e5c8", HOUSE = "#dedbd4", EDGE = "#aca697", CHOSEN = "#0b5cad";

function hasWebGl() {
  try { return Boolean(document.createElement("canvas").getContext("webgl2")); } catch { return false; }
}
/** Longitude, latitude and zoom that show the built-up city in a box. */
function homeView(width, height) {
  const points = (data.buildings.length ? data.buildings : data.links).map((line) => line[0]);
  const range = (axis) => { const values = points.map((p) => p[axis]).sort((a, b) => a - b); const at = (q) => values[Math.round(q * (values.length - 1))] ?? 0; return [at(0.01), at(0.99)]; };
  const [west, east] = range(0), [south, north] = range(1);
  const latitude = (south + north) / 2;
  const scale = Math.min(width / (east - west || 0.01), height * Math.cos(latitude * Math.PI / 180) / (north - south || 0.01)) * 0.88;
  return { longitude: (west + east) / 2, latitude, zoom: Math.log2(scale * 360 / 512), pitch: 0, bearing: 0 };
}

class DeckMap {
  constructor(parent, view, moved, picked) {
    const { Deck, MapView } = deck;
    const drawn = data.links.map((path, row) => ({ path, row }));
    this.streets = drawn.slice(0, summary.links_with_traffic);
    this.quiet = drawn.slice(summary.links_with_traffic);
    this.houses = data.buildings.map((polygon, row) => ({ polygon, row }));
    this.ground = data.zones.map((polygon, at) => ({ polygon, row: data.zoneRow[at] }));
    this.deck = new Deck({
      parent, views: new MapView({ id: "map", repeat: false }), viewState: view, controller: { keyboard: true, maxPitch: 70 },
      getCursor: ({ isHovering, isDragging }) => isDragging ? "grabbing" : isHovering ? "pointer" : "grab",
      onViewStateChange: ({ viewState }) => moved(viewState), pickingRadius: 4,
      onClick: ({ layer, object }) => { if (object) picked(["zone", "house", "element"].map((kind) => layer.id.startsWith(kind) && { zone: "zone", house: "building", element: "element" }[kind]).find(Boolean) || "link", object.row); },
    });
    const canvas = parent.querySelector("canvas");
    if (canvas) { canvas.tabIndex = 0; canvas.setAttribute("aria-label", word("mapLabel")); canvas.setAttribute("role", "application"); }
  }
  show(picture) {
    const { SolidPolygonLayer, PolygonLayer, PathLayer, ScatterplotLayer } = deck;
    const plain = (id, rows, colour) => new SolidPolygonLayer({ id, data: rows, getPolygon: (p) => p, getFillColor: rgb(colour) });
    const isChosen = (kind, row) => picture.chosen && picture.chosen.kind === kind && picture.chosen.row === row;
    const stamp = JSON.stringify(picture.chosen);
    const flat = { depthCompare: "always" }, { network } = picture, colour = (e) => isChosen("element", e.row) ? rgb(CHOSEN) : rgb(e.colour);
    const triggers = { getColor: stamp, getFillColor: stamp };
    const elements = network ? [
      new PathLayer({ id: "element-lines", data: network.lines, pickable: true, getPath: (l) => l.path, getColor: colour, getWidth: (l) => l.width, widthUnits: "pixels", capRounded: true, jointRounded: true, parameters: flat, updateTriggers: triggers }),
      new ScatterplotLayer({ id: "element-dots", data: network.dots, pickable: true, getPosition: (d) => d.place, getFillColor: colour, getRadius: (d) => d.radius, radiusUnits: "meters", radiusMinPixels: DOT_PIXELS[0], radiusMaxPixels: DOT_PIXELS[1], parameters: flat, updateTriggers: triggers }),
    ] : [];
    this.deck.setProps({ layers: [
      new PolygonLayer({ id: "zones", data: this.ground, pickable: true, getPolygon: (z) => z.polygon, getFillColor: rgb(GROUND), getLineColor: (z) => isChosen("zone", z.row) ? rgb(CHOSEN) : rgb(EDGE), getLineWidth: (z) => isChosen("zone", z.row) ? 3 : 1, lineWidthUnits: "pixels", updateTriggers: { getLineColor: stamp, getLineWidth: stamp } }),
      plain("green", data.green, GREEN), plain("water", data.water, WATER),
      new SolidPolygonLayer({ id: `houses-${picture.solid}`, data: this.houses, pickable: true, extruded: picture.solid, getPolygon: (b) => b.polygon, getElevation: (b) => data.height[b.row], getFillColor: (b) => isChosen("building", b.row) ? rgb(CHOSEN) : rgb(HOUSE), updateTriggers: { getFillColor: stamp }, material: { ambient: 0.55, diffuse: 0.5, shininess: 8 } }),
      new PathLayer({ id: "quiet", data: this.quiet, getPath: (l) => l.path, getColor: rgb(QUIET), getWidth: 1, widthUnits: "pixels" }),
      new PathLayer({ id: "links", data: this.streets, pickable: true, getPath: (l) => l.path, getColor: (l) => isChosen("link", l.row) ? rgb(CHOSEN) : rgb(picture.links[l.row].colour), getWidth: (l) => picture.links[l.row].width, widthUnits: "pixels", capRounded: true, jointRounded: true, parameters: { depthCompare: "always" }, updateTriggers: { getColor: [picture.stamp, stamp], getWidth: picture.stamp } }),
      ...elements,
    ] });
  }
  look(view) { this.deck.setProps({ viewState: view }); }
}

class CanvasMap {
  constructor(parent, view, moved, picked) {
    this.canvas = make("canvas", { tabindex: 0, role: "application", "aria-label": word("mapLabel"), style: "width:100%;height:100%;display:block;touch-action:none" });
    parent.append(this.canvas);
    this.view = view;
    let from = null;
    const shift = (dx, dy, zoom = 0) => {
      const scale = 512 * 2 ** this.view.zoom / 360;
      moved({ ...this.view, longitude: this.view.longitude - dx / scale, latitude: this.view.latitude + dy / scale * Math.cos(this.view.latitude * Math.PI / 180), zoom: this.view.zoom + zoom });
    };
    this.canvas.addEventListener("pointerdown", (e) => { from = { x: e.offsetX, y: e.offsetY, far: 0 }; this.canvas.setPointerCapture(e.pointerId); });
    this.canvas.addEventListener("pointermove", (e) => { if (!from) return; const dx = e.offsetX - from.x, dy = e.offsetY - from.y; from = { x: e.offsetX, y: e.offsetY, far: from.far + Math.hypot(dx, dy) }; shift(dx, dy); });
    this.canvas.addEventListener("pointerup", (e) => { if (from && from.far < 4) { const hit = this.at(e.offsetX, e.offsetY); if (hit) picked(...hit); } from = null; });
    this.canvas.addEventListener("wheel", (e) => { e.preventDefault(); shift(0, 0, -e.deltaY / 400); }, { passive: false });
    this.canvas.addEventListener("keydown", (e) => { const step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60], "+": [0, 0, 0.5], "=": [0, 0, 0.5], "-": [0, 0, -0.5] }[e.key]; if (step) { e.preventDefault(); shift(...step); } });
    new ResizeObserver(() => this.draw()).observe(parent);
  }
  show(picture) { this.picture = picture; this.draw(); }
  look(view) { this.view = view; this.draw(); }
  place([longitude, latitude]) {
    const scale = 512 * 2 ** this.view.zoom / 360;
    return [this.canvas.clientWidth / 2 + (longitude - this.view.longitude) * scale, this.canvas.clientHeight / 2 - (latitude - this.view.latitude) * scale / Math.cos(this.view.latitude * Math.PI / 180)];
  }
  /** The nearest element or street within 5 pixels, else the building or zone. */
  at(x, y) {
    const { network } = this.picture, shown = network && [...network.dots.map(({ row, place }) => [row, [place, place]]), ...network.lines.map(({ row, path }) => [row, path])];
    const streets = Array.from({ length: summary.links_with_traffic }, (_, row) => [row, data.links[row]]);
    for (const [kind, lines] of [["element", shown ?? []], ["link", streets]]) {
      const row = this.nearest(x, y, lines);
      if (row !== null) return [kind, row];
    }
    const pen = this.canvas.getContext("2d"), ratio = devicePixelRatio;
    const inside = (shapes) => shapes.findIndex((shape) => { this.path(pen, shape); return pen.isPointInPath(x * ratio, y * ratio); });
    const house = inside(data.buildings), zone = house < 0 ? inside(data.zones) : -1;
    return house >= 0 ? ["building", house] : zone >= 0 ? ["zone", data.zoneRow[zone]] : null;
  }
  nearest(x, y, lines) {
    let best = [5, null];
    for (const [row, path] of lines) {
      const line = path.map((p) => this.place(p));
      for (let i = 1; i < line.length; i++) {
        const [ax, ay] = line[i - 1], [bx, by] = line[i], length = (bx - ax) ** 2 + (by - ay) ** 2 || 1;
        const t = Math.max(0, Math.min(1, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length));
        const far = Math.hypot(ax + t * (bx - ax) - x, ay + t * (by - ay) - y);
        if (far < best[0]) best = [far, row];
      }
    }
    return best[1];
  }
  pixelsPerMetre() { return 512 * 2 ** this.view.zoom / (40_075_017 * Math.cos(this.view.latitude * Math.PI / 180)); }
  path(pen, line) { pen.beginPath(); line.forEach((p, at) => pen[at ? "lineTo" : "moveTo"](...this.place(p))); }
  draw() {
    const { canvas, picture } = this, ratio = devicePixelRatio;
    if (!picture || !canvas.clientWidth) return;
    canvas.width = canvas.clientWidth * ratio; canvas.height = canvas.clientHeight * ratio;
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    const fill = (shapes, colour, edge) => { pen.fillStyle = colour; for (const shape of shapes) { this.path(pen, shape); pen.fill(); if (edge) { pen.strokeStyle = edge; pen.lineWidth = 1; pen.stroke(); } } };
    fill(data.zones, GROUND, EDGE); fill(data.green, GREEN); fill(data.water, WATER); fill(data.buildings, HOUSE);
    pen.lineCap = pen.lineJoin = "round";
    const { chosen } = picture;
    data.links.forEach((line, row) => {
      const style = row < summary.links_with_traffic ? picture.links[row] : { colour: QUIET, width: 1 };
      this.path(pen, line); pen.strokeStyle = chosen && chosen.kind === "link" && chosen.row === row ? CHOSEN : style.colour; pen.lineWidth = style.width; pen.stroke();
    });
    if (picture.network) {
      const colour = (e) => chosen && chosen.kind === "element" && chosen.row === e.row ? CHOSEN : e.colour;
      for (const line of picture.network.lines) { this.path(pen, line.path); pen.strokeStyle = colour(line); pen.lineWidth = line.width; pen.stroke(); }
      for (const dot of picture.network.dots) { pen.beginPath(); pen.arc(...this.place(dot.place), Math.max(DOT_PIXELS[0], Math.min(DOT_PIXELS[1], dot.radius * this.pixelsPerMetre())), 0, 2 * Math.PI); pen.fillStyle = colour(dot); pen.fill(); }
    }
    if (chosen && !["link", "element"].includes(chosen.kind)) {
      pen.strokeStyle = CHOSEN; pen.lineWidth = 3;
      const shapes = chosen.kind === "building" ? [data.buildings[chosen.row]] : data.zones.filter((_, at) => data.zoneRow[at] === chosen.row);
      for (const shape of shapes) { this.path(pen, shape); pen.stroke(); }
    }
  }
}
