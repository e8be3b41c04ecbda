/**
 * Trains `conv_vae` and `vq_vae` for a few steps in the explorer's worker in Firefox, on Mesa's lavapipe: SwiftShader's compiler, which is
 * Chromium's without a GPU, takes too much memory for them. It is no part of the gate, which has no Firefox.
 *
 * ```sh
 * deno run -A --lock=tests/deno.lock tests/page/firefox.ts [models, conv_vae and vq_vae by default]
 * ```
 *
 * @module
 */

import { served } from "./explorer.ts";

const models = Deno.args.length ? Deno.args : ["conv_vae", "vq_vae"];

/** In the page: begins the worker, opens its digits and trains until so many steps are done; gives the losses on the way. */
const TRAINING = `async (model, steps) => {
  const worker = new Worker(new URL("worker.js", location.href), { type: "module" });
  const waiting = new Map();
  const { promise: done, resolve, reject } = Promise.withResolvers();
  const { promise: ready, resolve: begin } = Promise.withResolvers();
  const losses = [];
  let begun;
  let first;
  worker.onerror = (event) => reject(new Error(event.message));
  worker.onmessage = ({ data: { ready, failed, id, result, error, event } }) => {
    if (ready) return begin(ready);
    if (failed) return reject(new Error(failed));
    if (id) return error === undefined ? waiting.get(id)(result) : reject(new Error(error));
    if (event.event === "failed") return reject(new Error(event.message));
    if (event.event !== "progress") return;
    first ??= performance.now() - begun;
    losses.push([event.step, Number(event.train.loss.toFixed(2))]);
    if (event.step >= steps) resolve();
  };
  let last = 0;
  const call = (name, ...args) => new Promise((resolve) => {
    waiting.set(++last, resolve);
    worker.postMessage({ id: last, call: name, args });
  });
  const adapter = await ready;
  const { datasets: [{ shape, classes, train, test }] } = await (await fetch(new URL("manifest.json", location.href))).json();
  const unpack = async (path) => new Uint8Array(
    await new Response((await fetch(new URL(path, location.href))).body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
  const split = async ({ count, values }) => ({ count, values: await unpack(values) });
  await call("useData", { name: "mnist", shape, train: await split(train), test: await split(test) });
  begun = performance.now();
  await Promise.race([call("train", { model, config: { batchSize: 100, validation: 0, epochs: 100 } }), done]);
  await done;
  const seconds = (performance.now() - begun) / 1000;
  worker.terminate();
  return JSON.stringify({ model, adapter, firstSeconds: first / 1000, seconds, losses });
}`;

/** WebDriver BiDi: a command, and its result. */
class Bidi {
  #last = 0;
  readonly #waiting = new Map<number, (message: Record<string, unknown>) => void>();

  constructor(readonly socket: WebSocket) {
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      this.#waiting.get(message.id)?.(message);
    };
  }

  // deno-lint-ignore no-explicit-any -- results are whatever the protocol says of the method
  async send(method: string, params: Record<string, unknown>): Promise<any> {
    const id = ++this.#last;
    const answer = new Promise<Record<string, unknown>>((resolve) => this.#waiting.set(id, resolve));
    this.socket.send(JSON.stringify({ id, method, params }));
    const { type, result, message } = await answer;
    if (type === "error") throw new Error(`${method}: ${message}`);
    return result;
  }
}

await using site = await served({ train: 1000, test: 200 });
const profile = await Deno.makeTempDir({ prefix: "elbo" });
const prefs = {
  ...{ "dom.webgpu.enabled": true, "gfx.webgpu.ignore-blocklist": true, "dom.webgpu.workers.enabled": true },
  ...{ "browser.shell.checkDefaultBrowser": false, "datareporting.policy.dataSubmissionEnabled": false },
};
await Deno.writeTextFile(
  `${profile}/user.js`,
  Object.entries(prefs).map(([name, value]) => `user_pref("${name}", ${value});\n`).join(""),
);
const firefox = new Deno.Command("firefox-esr", {
  args: ["--headless", "--profile", profile, "--remote-debugging-port", "0", "about:blank"],
  stdout: "null",
  stderr: "piped",
}).spawn();
try {
  let address: string | undefined;
  let text = "";
  const reader = firefox.stderr.pipeThrough(new TextDecoderStream()).getReader();
  while (!address) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`Firefox ended: ${text}`);
    text += value;
    address = /WebDriver BiDi listening on (ws:\S+)/.exec(text)?.[1];
  }
  void (async () => {
    while (!(await reader.read()).done);
  })();
  const socket = new WebSocket(`${address}/session`);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  const bidi = new Bidi(socket);
  const { capabilities } = await bidi.send("session.new", { capabilities: {} });
  console.log(JSON.stringify({ browser: `${capabilities.browserName} ${capabilities.browserVersion}` }));
  const { contexts: [{ context }] } = await bidi.send("browsingContext.getTree", {});
  await bidi.send("browsingContext.navigate", { context, url: site.address, wait: "complete" });
  for (const model of models) {
    const { result, exceptionDetails } = await bidi.send("script.evaluate", {
      expression: `(${TRAINING})(${JSON.stringify(model)}, 5)`,
      target: { context },
      awaitPromise: true,
    });
    console.log(result?.value ?? JSON.stringify({ model, failed: exceptionDetails?.text }));
  }
  socket.close();
} finally {
  firefox.kill();
  await firefox.status;
  await Deno.remove(profile, { recursive: true });
}
