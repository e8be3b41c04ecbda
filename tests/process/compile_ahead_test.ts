/**
 * Kernels that a second thread compiles: the numbers of a training do not depend on when the program takes them, nor on whether the thread
 * is there.
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Gpu } from "../../core/gpu/device.ts";
import { compileWorker } from "../../core/gpu/second_thread.ts";
import { CompileAhead, type CompileAheadOptions, compilersStopped } from "../../core/gpu/lavapipe/compile_ahead.ts";
import { isLavapipe } from "../../core/gpu/lavapipe/adapter.ts";
import { lavapipe } from "../../core/gpu/lavapipe/strategy.ts";
import { Parameters } from "../../core/graph/parameters.ts";
import { configure } from "../../core/settings.ts";
import { chooseTiles } from "../../core/products/tiles.ts";
import { createTrainingProgram } from "../../core/training/training_program.ts";
import { initializersOf, trainingSettings } from "../../core/training/training_settings.ts";
import { vae } from "../../models/vae.ts";

const shape = [28, 28, 1] as const;
const values = new Uint8Array(300 * 784).map((_, i) => (i * 7919) % 7 < 2 ? 255 : 0);

/** Three steps, three more when the program has its fastest kernels, and what is then in the parameters. */
async function sixSteps(ahead: boolean, worker?: CompileAheadOptions) {
  using gpu = await Gpu.open({ compileAhead: ahead ? compileWorker : undefined });
  if (worker) {
    await gpu.strategy.close();
    const strategy = lavapipe(gpu.device, gpu.adapter, { subgroups: true, ahead: new CompileAhead(worker) });
    Object.defineProperty(gpu, "strategy", { value: strategy });
  }
  const config = configure(vae.settings, { hidden: [240], latents: 5 });
  const training = configure(trainingSettings, { batchSize: 100, binarize: "threshold" });
  const parameters = new Parameters(gpu, vae.parameters(config, { shape }));
  parameters.initialize(initializersOf(training), 1);
  const tiles = chooseTiles(gpu);
  const split = { values, count: 300 };
  const { program } = await createTrainingProgram({
    ...{ gpu, tiles, model: vae, config, training, parameters, data: { shape }, split },
  });
  const before = program.dispatches;
  const terms = [...await program.submit(3)];
  await program.settled;
  terms.push(...await program.submit(3));
  return { tiles, changed: program.dispatches !== before, terms, parameters: await parameters.read() };
}

Deno.test("a program that goes over to long panels forms the same numbers as one that has them from the start", async () => {
  const [ahead, alone] = [await sixSteps(true), await sixSteps(false)];
  assertEquals(ahead.terms, alone.terms);
  assertEquals(ahead.parameters, alone.parameters);
  assert(!alone.changed);
  // A GPU's driver compiles soon enough.
  assertEquals(ahead.changed, ahead.tiles.family === "panel");
});

Deno.test("a program that is gone before its long panels are compiled leaves the device without an error", async () => {
  using gpu = await Gpu.open({ compileAhead: compileWorker });
  const config = configure(vae.settings, { hidden: [240], latents: 5 });
  const training = configure(trainingSettings, { batchSize: 100, binarize: "threshold" });
  const parameters = new Parameters(gpu, vae.parameters(config, { shape }));
  const split = { values, count: 300 };
  const step = await createTrainingProgram({
    ...{ gpu, tiles: chooseTiles(gpu), model: vae, config, training, parameters, data: { shape }, split },
  });
  await step.program.submit(1);
  const { settled } = step.program;
  step.destroy();
  await settled;
  // Errors are told a moment later.
  await gpu.device.queue.onSubmittedWorkDone();
  gpu.check();
});

/** A worker of such a text. */
const worker = (text: string) => () =>
  new Worker(`data:text/javascript,${encodeURIComponent(text)}`, { type: "module" });

/** A worker that says that all is compiled. */
const obliging = worker(
  'onmessage = ({ data }) => data === "stop" ? postMessage({ stopped: true }) : data.forEach(() => postMessage({ compiled: true }));',
);

/** Workers that do not do their work, and what is said of it. */
const broken: Record<string, readonly [start: () => Worker, reason: string | RegExp]> = {
  "is not allowed to start": [() => {
    throw new DOMException("refused by the host", "SecurityError");
  }, "refused by the host"],
  // What is said of it depends on whether Deno checks types.
  "has no file": [
    () => new Worker(new URL("./none.ts", import.meta.url), { type: "module" }),
    /Module not found|Type checking failed/,
  ],
  "throws while it is loaded": [worker('throw new Error("at import");'), "at import"],
  "throws later": [worker('onmessage = async () => { await 0; throw new Error("in vain"); };'), "in vain"],
  "throws after its first answer": [
    worker('onmessage = () => { postMessage({ compiled: true }); throw new Error("half way"); };'),
    "half way",
  ],
  "says what went wrong": [worker('onmessage = () => postMessage({ error: "no device" });'), "no device"],
  "never answers": [worker("onmessage = () => {};"), "no answer for 0.2 s"],
  "ends itself": [worker("onmessage = () => close();"), "no answer for 0.2 s"],
};
const kernel = { label: "kernel", code: "", bindings: [] };
const patience = 200;

for (const [what, [start, reason]] of Object.entries(broken)) {
  Deno.test(`CompileAhead gives up a worker that ${what}, says so once, and leaves no promise open`, async () => {
    const warnings: string[] = [];
    const ahead = new CompileAhead({ start, patience, onLost: (warning) => warnings.push(warning) });
    const outcomes = await Promise.all([ahead.compile([kernel, kernel]), ahead.compile([kernel])]);
    assertEquals(outcomes, ["lost", "lost"]);
    assert(!ahead.running);
    assertEquals(await ahead.compile([kernel]), "lost");
    await ahead.close();
    assertEquals(warnings.length, 1);
    assertMatch(warnings[0], typeof reason === "string" ? new RegExp(RegExp.escape(reason)) : reason);
    assert(!warnings[0].includes("\n"));
  });
}

Deno.test("CompileAhead tells what its closing leaves undone, and warns of nothing then", async () => {
  const warnings: string[] = [];
  const start = worker("onmessage = () => {};");
  const ahead = new CompileAhead({ start, patience, onLost: (text) => warnings.push(text) });
  const waiting = [ahead.compile([kernel]), ahead.compile([kernel])];
  await Promise.resolve();
  const closed = ahead.close();
  assertEquals(await Promise.all(waiting), ["closed", "closed"]);
  // It was given the time to stop.
  await closed;
  assertEquals(warnings, []);
});

/** A worker that is in a compiler for so long with each kernel, and says when it is not. */
const busy = (milliseconds: number) =>
  worker(`
    let stopping = false;
    onmessage = async ({ data }) => {
      if (data === "stop") return stopping = true;
      for (const _ of data) {
        await new Promise((resolve) => setTimeout(resolve));
        if (stopping) break;
        for (const begin = performance.now(); performance.now() - begin < ${milliseconds};);
        postMessage({ compiled: true });
      }
      postMessage({ stopped: true });
    };`);

Deno.test("compilersStopped() waits for the kernel that a worker has in hand, and for none after it", async () => {
  const ahead = new CompileAhead({ start: busy(300) });
  const outcome = ahead.compile(Array(100).fill(kernel));
  // It has begun.
  await new Promise((resolve) => setTimeout(resolve, 150));
  const begin = performance.now();
  await compilersStopped();
  const waited = performance.now() - begin;
  assert(waited < 10_000, `waited for ${waited} ms`);
  assertEquals(await outcome, "closed");
  assert(!ahead.running);
  await compilersStopped();
});

Deno.test("CompileAhead does not take the time that this thread was kept for the worker's", async () => {
  const ahead = new CompileAhead({ start: obliging, patience });
  // The worker is there once it has answered.
  assertEquals(await ahead.compile([kernel]), "compiled");
  const outcome = ahead.compile([kernel, kernel]);
  await Promise.resolve();
  for (const begin = performance.now(); performance.now() - begin < 3 * patience;);
  assertEquals(await outcome, "compiled");
  await ahead.close();
});

// A GPU's driver needs no worker.
const ignore = await (async () => {
  using gpu = await Gpu.open();
  return !isLavapipe(gpu.adapter);
})();

Deno.test(
  "a kernel to begin with runs in the steps in which the one that takes its place does",
  { ignore },
  async () => {
    using gpu = await Gpu.open();
    const strategy = lavapipe(gpu.device, gpu.adapter, {
      subgroups: true,
      ahead: new CompileAhead({ start: obliging }),
    });
    const kernel = (x: number) => ({
      fragments: [{ parts: [`@compute @workgroup_size(${x}) fn main() {}`] }],
      workgroups: [x] as const,
    });
    const due = { every: 3, at: 2, lasting: 1 };
    const { prepared, improve } = await strategy.compile(gpu, [{ label: "k", ...kernel(1), due, starter: kernel(2) }]);
    assertEquals(prepared.map(({ due, workgroups }) => ({ due, workgroups })), [{ due, workgroups: [2, 1] }]);
    const better = (await improve!())!.map((bind) => bind());
    assertEquals(better.map(({ due, workgroups }) => ({ due, workgroups })), [{ due, workgroups: [1, 1] }]);
    await strategy.close();
  },
);

/** The same worker, started when it is first given work: that it has no file is then not known before. */
const late = (start: () => Worker) => (): Worker => {
  let inner: Worker | undefined;
  const outer = {
    onmessage: null as Worker["onmessage"],
    onerror: null as Worker["onerror"],
    postMessage(message: unknown) {
      inner ??= start();
      inner.onmessage = (event) => outer.onmessage?.call(inner!, event);
      inner.onerror = (event) => outer.onerror?.call(inner!, event);
      inner.postMessage(message);
    },
    terminate: () => inner?.terminate(),
  };
  return outer as Partial<Worker> as Worker;
};

for (const what of ["is not allowed to start", "has no file", "throws after its first answer", "never answers"]) {
  Deno.test(
    `a training whose worker ${what} forms the same numbers, with its long panels in the end`,
    { ignore },
    async () => {
      const [start] = broken[what];
      const begun = what === "has no file" ? late(start) : start;
      const [found, alone] = [await sixSteps(false, { start: begun, patience }), await sixSteps(false)];
      assertEquals(found.terms, alone.terms);
      assertEquals(found.parameters, alone.parameters);
      // Where it is known from the start, there is nothing to go over to.
      assertEquals(found.changed, what !== "is not allowed to start");
    },
  );
}

Deno.test("a program that may not start a worker is told so in a sentence, and goes on", { ignore }, async () => {
  const program = `
    import { Gpu } from "${new URL("../../core/gpu/device.ts", import.meta.url)}";
    import { compileWorker } from "${new URL("../../core/gpu/second_thread.ts", import.meta.url)}";
    import { prepare } from "${new URL("../../core/gpu/kernel.ts", import.meta.url)}";
    const { promise, resolve } = Promise.withResolvers();
    using gpu = await Gpu.open({ compileAhead: compileWorker, onWarning: resolve });
    console.log(await promise);
    const part = "@compute @workgroup_size(1) fn main() {}";
    const { prepared } = await gpu.strategy.compile(gpu, [{ label: "k", fragments: [{ parts: [part] }], workgroups: [1] }]);
    console.log(prepared.map(({ label }) => label).join());`;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", "--no-lock", `--config=${config}`, "--allow-env", "--ext=ts", "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(program));
  await input.close();
  const { stdout, stderr } = await child.output();
  const [warning, label] = new TextDecoder().decode(stdout).split("\n");
  assertStringIncludes(warning ?? "", "Requires read access", new TextDecoder().decode(stderr));
  assertEquals(label, "k");
});
