// Opens a report in Chromium from the disk and looks whether a planner could use it.
//   node tests/report/check.mjs report.html [--canvas] [--untimed]
// `--canvas` takes WebGL away, `--untimed` asks no pace of a machine that does other things as well.
// Leaves with 1 and the reasons when something is wrong. CHROMIUM names the browser [default: chromium].
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Browser } from "./browser.mjs";

const [file, ...wishes] = process.argv.slice(2);
const [onCanvas, untimed] = ["--canvas", "--untimed"].map((wish) => wishes.includes(wish));
const faults = [];
const expect = (what, holds, found = "") => { console.log(`${holds ? "ok    " : "FAULT "} ${what} ${found}`); if (!holds) faults.push(what); };
const flags = onCanvas ? ["--disable-gpu", "--disable-3d-apis"] : ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"];
const profile = mkdtempSync(join(tmpdir(), "report-"));
const browser = new Browser(process.env.CHROMIUM ?? "chromium", profile, flags);
const rest = (ms) => new Promise((done) => setTimeout(done, ms));

// Texts whose contrast with what lies behind them is below that of WCAG 2.1 AA.
const PALE = `(() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => { for (; e; e = e.parentElement) { const c = parts(getComputedStyle(e).backgroundColor); if ((c[3] ?? 1) > 0.9) return c; } return [255, 255, 255]; };
  return [...document.body.querySelectorAll("*")].filter((e) => e.checkVisibility() && !["SCRIPT", "OPTION"].includes(e.tagName) && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
    .map((e) => { const [a, b] = [light(parts(getComputedStyle(e).color)), light(behind(e))]; return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.textContent.trim().slice(0, 30)]; })
    .filter(([ratio]) => ratio < 4.5).map(([ratio, text]) => text + " " + ratio.toFixed(1));
})()`;
const UNNAMED = `[...document.querySelectorAll("button, select, input, canvas[tabindex]")].filter((e) => e.checkVisibility() && !(e.getAttribute("aria-label") || e.labels?.[0]?.textContent.trim() || e.textContent.trim())).map((e) => e.outerHTML.slice(0, 80))`;
/** Colours of the map that are neither ground nor grey, as a share of what is seen. */
async function coloured(page) {
  const picture = (await page.picture({ clip: await page.value(`(() => { byId("maps").scrollIntoView(); const r = byId("maps").getBoundingClientRect(); return { x: r.x, y: r.y + scrollY, width: r.width, height: r.height, scale: 1 }; })()`) })).toString("base64");
  return page.value(`(async () => { const image = new Image(); image.src = "data:image/png;base64,${picture}"; await image.decode(); const c = new OffscreenCanvas(image.width, image.height).getContext("2d"); c.drawImage(image, 0, 0); const p = c.getImageData(0, 0, image.width, image.height).data; let n = 0; for (let i = 0; i < p.length; i += 4) n += Math.max(p[i], p[i+1], p[i+2]) - Math.min(p[i], p[i+1], p[i+2]) > 60; return n / (p.length / 4); })()`);
}

try {
  const page = await browser.page(1366, 768);
  await page.send("Page.navigate", { url: `file://${resolve(file)}` });
  await page.until(`document.readyState === "complete" && byId("maps").dataset.state !== "loading"`, 90);
  // A busy machine may have loaded everything before it has painted anything.
  await page.until(`performance.getEntriesByName("first-contentful-paint").length > 0`, 90);
  const paint = await page.value(`performance.getEntriesByName("first-contentful-paint")[0].startTime`);
  expect("is small", statSync(file).size <= 8e6, `${(statSync(file).size / 1e6).toFixed(1)} MB`);
  if (!untimed) expect("is seen within 2 s", paint < 2000, `${Math.round(paint)} ms`);
  const wanted = onCanvas ? "canvas" : "webgl";
  expect(`draws with ${wanted}`, await page.value(`byId("maps").dataset.state`) === wanted);
  let share = 0;
  for (let look = 0; share <= 0.002 && look < (untimed ? 60 : 1); look++) { await rest(2000); share = await coloured(page); }
  expect("shows streets in colour", share > 0.002 && share < 0.6, `${(100 * share).toFixed(1)} %`);
  const path = [];
  for (let step = 0; step < 14; step++) { await page.key("Tab", "Tab", 9); path.push(await page.value(`document.activeElement.id || document.activeElement.className || document.activeElement.tagName`)); }
  expect("keyboard comes by skip link and controls", ["skip", "language", "measure"].every((id) => path.includes(id)), path.join(" "));
  await page.value(`byId("hour").focus()`);
  const before = await page.value(`byId("clock").textContent`);
  await page.key("ArrowRight", "ArrowRight", 39);
  const after = await page.value(`byId("clock").textContent`);
  expect("arrow keys move the hour", before !== after && after === await page.value(`byId("hour").getAttribute("aria-valuetext")`), `${before} -> ${after}`);
  await page.value(`byId("play").click()`);
  const moved = page.until(`byId("clock").textContent !== ${JSON.stringify(after)}`, untimed ? 60 : 2.2);
  expect("plays", await moved.then(() => true, () => false));
  await page.value(`byId("play").click()`);
  await page.value(`byId("places").selectedIndex = 1; byId("places").dispatchEvent(new Event("change"))`);
  expect("a place has its curve", await page.value(`document.querySelectorAll("#details .uplot canvas").length`) > 0);
  const networks = await page.value(`summary.elements.of.map((of) => of.utility)`);
  for (const network of networks) {
    await page.value(`byId("network").value = "${network}"; byId("network").dispatchEvent(new Event("change"))`);
    await page.value(`byId("places").value = [...byId("places").options].find((o) => o.value.startsWith("element-")).value; byId("places").dispatchEvent(new Event("change"))`);
    const told = await page.value(`[...document.querySelectorAll("#details h3")].map((e) => e.textContent).join(", ")`);
    expect(`a part of the network is told: ${network}`, told.startsWith(network), told);
    const [row, kind] = await page.value(`(() => { const of = summary.elements.of.find((of) => of.utility === "${network}"); return [of.first + of.links, data.names.elements.element_kind[of.first + of.links]]; })()`);
    await page.value(`choose("element", ${row})`);
    expect(`a node has its curve: ${kind}`, await page.value(`document.querySelectorAll("#details .uplot canvas").length`) > 0);
  }
  for (const language of ["en", "zh"]) {
    const pale = await page.value(PALE), unnamed = await page.value(UNNAMED);
    expect(`texts stand out (${language})`, pale.length === 0, pale.slice(0, 5).join("; "));
    expect(`controls have names (${language})`, unnamed.length === 0, unnamed.slice(0, 3).join("; "));
    await page.value(`byId("language").click()`);
    if (language === "en") expect("speaks Chinese", await page.value(`document.documentElement.lang === "zh" && /[\\u4e00-\\u9fff]/.test(byId("h-map").textContent)`));
  }
  expect("asks nothing of the network", page.requests.every((url) => /^(file|blob|data):/.test(url)));
  expect("has no fault on the console", page.faults.length === 0, page.faults.slice(0, 3).join("; "));
} catch (error) {
  expect("is opened", false, String(error));
} finally {
  await browser.close();
  // Its helpers may write a little longer.
  rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
}
process.exit(faults.length ? 1 : 0);
