// Chromium without a window, spoken to over pipes (its DevTools protocol), so that nothing has to be installed but the
// browser itself.
import { spawn } from "node:child_process";

export class Browser {
  constructor(program, profile, flags = []) {
    const always = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-pipe", "--hide-scrollbars", `--user-data-dir=${profile}`];
    this.process = spawn(program, [...always, ...flags, "about:blank"], { stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"] });
    this.words = "";
    this.process.stderr.on("data", (bytes) => { this.words += bytes; });
    [this.number, this.waiting, this.listeners, this.rest] = [0, new Map(), [], Buffer.alloc(0)];
    this.process.on("exit", () => { for (const { no } of this.waiting.values()) no(new Error(`the browser ended: ${this.words.slice(-2000)}`)); });
    this.process.stdio[4].on("data", (bytes) => this.take(bytes));
  }
  take(bytes) {
    this.rest = Buffer.concat([this.rest, bytes]);
    for (let end = this.rest.indexOf(0); end >= 0; end = this.rest.indexOf(0)) {
      const message = JSON.parse(this.rest.subarray(0, end).toString());
      this.rest = this.rest.subarray(end + 1);
      const { yes, no } = this.waiting.get(message.id) ?? {};
      this.waiting.delete(message.id);
      if (message.error) no?.(new Error(JSON.stringify(message.error)));
      else if (yes) yes(message.result);
      else for (const listener of this.listeners) listener(message);
    }
  }
  send(method, params = {}, sessionId = undefined) {
    const id = ++this.number;
    this.process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((yes, no) => this.waiting.set(id, { yes, no }));
  }
  async page(width, height) {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page(this, sessionId);
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await page.send(`${domain}.enable`);
    await page.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
    return page;
  }
  /** Ends the browser, and waits until it has. */
  async close() {
    const over = new Promise((done) => this.process.once("close", done));
    this.process.kill();
    await over;
  }
}

class Page {
  constructor(browser, session) {
    [this.browser, this.session, this.faults, this.requests] = [browser, session, [], []];
    browser.listeners.push(({ method, params, sessionId }) => {
      if (sessionId !== session) return;
      if (method === "Runtime.exceptionThrown") this.faults.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
      if (method === "Runtime.consoleAPICalled" && params.type === "error") this.faults.push(params.args.map((a) => a.value ?? a.description).join(" "));
      if (method === "Log.entryAdded" && params.entry.level === "error") this.faults.push(params.entry.text);
      if (method === "Network.requestWillBeSent") this.requests.push(params.request.url);
    });
  }
  send(method, params) { return this.browser.send(method, params, this.session); }
  async value(expression) {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }
  /** Waits until an expression is true. */
  async until(expression, seconds = 60) {
    for (const end = Date.now() + seconds * 1000; Date.now() < end; await new Promise((done) => setTimeout(done, 100))) {
      if (await this.value(expression)) return;
    }
    throw new Error(`${seconds} s passed before ${expression}; faults: ${this.faults.join("; ")}`);
  }
  async key(key, code = key, number = 0) {
    for (const type of ["keyDown", "keyUp"]) await this.send("Input.dispatchKeyEvent", { type, key, code, windowsVirtualKeyCode: number });
  }
  async picture(options = {}) { return Buffer.from((await this.send("Page.captureScreenshot", { format: "png", ...options })).data, "base64"); }
}
