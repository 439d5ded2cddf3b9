"use strict";
// The map: with deck.gl where there is WebGL, else on a canvas. Both draw the same picture:
// {links: [{colour, width}], solid, chosen}, for a view {longitude, latitude, zoom, pitch, bearing}.
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
      onClick: ({ layer, object }) => { if (object) picked(layer.id.startsWith("zone") ? "zone" : layer.id.startsWith("house") ? "building" : "link", object.row); },
    });
    const canvas = parent.querySelector("canvas");
    if (canvas) { canvas.tabIndex = 0; canvas.setAttribute("aria-label", word("mapLabel")); canvas.setAttribute("role", "application"); }
  }
  show(picture) {
    const { SolidPolygonLayer, PolygonLayer, PathLayer } = deck;
    const plain = (id, rows, colour) => new SolidPolygonLayer({ id, data: rows, getPolygon: (p) => p, getFillColor: rgb(colour) });
    const isChosen = (kind, row) => picture.chosen && picture.chosen.kind === kind && picture.chosen.row === row;
    const stamp = JSON.stringify(picture.chosen);
    this.deck.setProps({ layers: [
      new PolygonLayer({ id: "zones", data: this.ground, pickable: true, getPolygon: (z) => z.polygon, getFillColor: rgb(GROUND), getLineColor: (z) => isChosen("zone", z.row) ? rgb(CHOSEN) : rgb(EDGE), getLineWidth: (z) => isChosen("zone", z.row) ? 3 : 1, lineWidthUnits: "pixels", updateTriggers: { getLineColor: stamp, getLineWidth: stamp } }),
      plain("green", data.green, GREEN), plain("water", data.water, WATER),
      new SolidPolygonLayer({ id: `houses-${picture.solid}`, data: this.houses, pickable: true, extruded: picture.solid, getPolygon: (b) => b.polygon, getElevation: (b) => data.height[b.row], getFillColor: (b) => isChosen("building", b.row) ? rgb(CHOSEN) : rgb(HOUSE), updateTriggers: { getFillColor: stamp }, material: { ambient: 0.55, diffuse: 0.5, shininess: 8 } }),
      new PathLayer({ id: "quiet", data: this.quiet, getPath: (l) => l.path, getColor: rgb(QUIET), getWidth: 1, widthUnits: "pixels" }),
      new PathLayer({ id: "links", data: this.streets, pickable: true, getPath: (l) => l.path, getColor: (l) => isChosen("link", l.row) ? rgb(CHOSEN) : rgb(picture.links[l.row].colour), getWidth: (l) => picture.links[l.row].width, widthUnits: "pixels", capRounded: true, jointRounded: true, parameters: { depthCompare: "always" }, updateTriggers: { getColor: [picture.stamp, stamp], getWidth: picture.stamp } }),
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
  /** The nearest street within 5 pixels, else the zone. */
  at(x, y) {
    let best = [5, null];
    for (let row = 0; row < summary.links_with_traffic; row++) {
      const line = data.links[row].map((p) => this.place(p));
      for (let i = 1; i < line.length; i++) {
        const [ax, ay] = line[i - 1], [bx, by] = line[i], length = (bx - ax) ** 2 + (by - ay) ** 2 || 1;
        const t = Math.max(0, Math.min(1, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length));
        const far = Math.hypot(ax + t * (bx - ax) - x, ay + t * (by - ay) - y);
        if (far < best[0]) best = [far, row];
      }
    }
    if (best[1] !== null) return ["link", best[1]];
    const pen = this.canvas.getContext("2d"), ratio = devicePixelRatio;
    const inside = (shapes) => shapes.findIndex((shape) => { this.path(pen, shape); return pen.isPointInPath(x * ratio, y * ratio); });
    const house = inside(data.buildings), zone = house < 0 ? inside(data.zones) : -1;
    return house >= 0 ? ["building", house] : zone >= 0 ? ["zone", data.zoneRow[zone]] : null;
  }
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
    if (chosen && chosen.kind !== "link") {
      pen.strokeStyle = CHOSEN; pen.lineWidth = 3;
      const shapes = chosen.kind === "building" ? [data.buildings[chosen.row]] : data.zones.filter((_, at) => data.zoneRow[at] === chosen.row);
      for (const shape of shapes) { this.path(pen, shape); pen.stroke(); }
    }
  }
}
