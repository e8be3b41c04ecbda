import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { EndEvent, EpochEvent, Losses, ProgressEvent, StartEvent } from "../../core/training/events.ts";
import { duration, progressLine, trainingProgress, warner } from "../../tasks/cli/progress.ts";

const train: Losses = { elbo: -102.314, nll: 80.1, kl: 22.214, loss: 102.314 };
const validation: Losses = { elbo: -103.2, nll: 81, kl: 22.2, loss: 103.2 };

const start: StartEvent = {
  event: "start",
  adapter: "llvmpipe",
  model: "vae",
  dataset: "mnist",
  data: {
    rows: { training: 50000, validation: 10000, test: 10000 },
    shape: [28, 28, 1],
    range: { type: "bytes", kind: "bytes", minimum: 0, maximum: 255, extremes: 0.95 },
  },
  parameters: 807824,
  config: {},
  step: 0,
  epochs: 10,
  stepsPerEpoch: 500,
};
const progress: ProgressEvent = {
  event: "progress",
  epoch: 2.5,
  step: 1250,
  steps: 5000,
  train,
  samplesPerSecond: 4512.4,
  seconds: 30,
};
const epoch: EpochEvent = {
  event: "epoch",
  epoch: 3,
  step: 1500,
  train,
  validation,
  samplesPerSecond: 4500,
  seconds: 36,
};
const end: EndEvent = {
  event: "end",
  epochs: 10,
  step: 5000,
  train,
  validation,
  samplesPerSecond: 4500,
  seconds: 125,
  stopped: false,
};

function context({ json = false, interactive = false, columns = 100 } = {}) {
  const written: string[] = [];
  const write = (text: string) => {
    written.push(text);
  };
  return {
    written,
    signal: new AbortController().signal,
    command: "deno task train",
    terminal: { interactive, columns: () => columns, write },
    json,
    print: (line = "") => json || write(line + "\n"),
    emit: (value: unknown) => json && write(JSON.stringify(value) + "\n"),
  };
}

Deno.test("trainingProgress() writes a line an epoch where there is no screen", () => {
  const to = context();
  const shown = trainingProgress(to);
  for (const event of [start, progress, epoch, progress, end]) shown.show(event);
  assertEquals(to.written, [
    "vae on mnist: 807,824 parameters, 500 steps an epoch; adapter: llvmpipe\n",
    "epoch 3/10  elbo -102.31 nll 80.10 kl 22.21  validation elbo -103.20 nll 81.00 kl 22.20  4,500 samples/s  36 s\n",
    "10 epochs, 5,000 steps, after 2:05: elbo -102.31 nll 80.10 kl 22.21; validation elbo -103.20 nll 81.00 kl 22.20\n",
  ]);
});

Deno.test("trainingProgress() draws one line again and again on a screen, below a line for each epoch that stays", () => {
  const to = context({ interactive: true });
  const shown = trainingProgress(to);
  for (const event of [start, progress, epoch, progress]) shown.show(event);
  const [, drawn, cleared, kept, again] = to.written;
  assertEquals(to.written.length, 5);
  for (const line of [drawn, again]) {
    assert(line.startsWith("\r") && line.endsWith("\x1b[K") && !line.includes("\n"), line);
  }
  assertEquals(cleared, "\r\x1b[K");
  assertEquals(kept, "epoch 3/10  elbo -102.31 nll 80.10 kl 22.21  validation elbo -103.20 nll 81.00 kl 22.20  36 s\n");
  assertStringIncludes(again, "(validation -103.20)");
  shown.show({ ...end, stopped: true, epochs: 2, step: 1250 });
  assertEquals(to.written[5], "\r\x1b[K");
  assert(to.written[6].startsWith("Stopped in epoch 3 of 10, at step 1,250, after 2:05: elbo"));
});

Deno.test("trainingProgress() keeps the line of an epoch within the screen", () => {
  for (
    const [columns, expected] of [
      [70, "epoch 3/10  elbo -102.31 nll 80.10 kl 22.21  validation -103.20\n"],
      [40, "epoch 3/10  elbo -102.31  validation -103.20\n"],
    ] as const
  ) {
    const to = context({ interactive: true, columns });
    trainingProgress(to).show(start);
    to.written.length = 0;
    const shown = trainingProgress(to);
    shown.show(epoch);
    assertEquals(to.written, [expected.replace("/10", "")]);
  }
});

Deno.test("trainingProgress() counts one epoch as one", () => {
  const to = context();
  trainingProgress(to).show({ ...end, epochs: 1, step: 1 });
  assert(to.written[0].startsWith("1 epoch, 1 step, after"), to.written[0]);
});

Deno.test("trainingProgress() takes an unfinished line away when disposed", () => {
  const to = context({ interactive: true });
  {
    using shown = trainingProgress(to);
    shown.show(progress);
  }
  assertEquals(to.written.at(-1), "\r\x1b[K");
});

Deno.test("warner() prints a warning on a line of its own, and nothing among JSON Lines", () => {
  const [screen, pipe, json] = [{ interactive: true }, {}, { interactive: true, json: true }].map(context);
  for (const to of [screen, pipe, json]) warner(to)("the thread ended");
  assertEquals(screen.written, ["\r\x1b[K", "Warning: the thread ended\n"]);
  assertEquals(pipe.written, ["Warning: the thread ended\n"]);
  assertEquals(json.written, []);
});

Deno.test("trainingProgress() gives the events as JSON Lines, with what the task added", () => {
  const to = context({ json: true, interactive: true });
  const shown = trainingProgress(to);
  const ended = { ...end, run: "runs/1" };
  for (const event of [start, progress, epoch, ended]) shown.show(event);
  assertEquals(to.written.map((line) => JSON.parse(line)), [start, epoch, ended]);
});

Deno.test("trainingProgress() shows the loss where weights make it another number than -elbo", () => {
  const to = context();
  trainingProgress(to).show({ ...epoch, train: { ...train, loss: 168.956 }, validation: undefined });
  assertStringIncludes(to.written[0], "kl 22.21 loss 168.96");
});

Deno.test("progressLine() fits the width and leaves out the least needed first", () => {
  const full = progressLine(progress, 100, start, validation);
  assertEquals(
    full,
    "epoch 3/10  █████░░░░░░░░░░░░░░░  25%  elbo -102.31 (validation -103.20)  4,512 samples/s  1:30 left",
  );
  for (let columns = 1; columns <= 130; columns++) {
    const line = progressLine(progress, columns, start, validation);
    assert(line.length <= columns, `${line.length} > ${columns}`);
    assert("epoch 3/10".startsWith(line.slice(0, 10)));
  }
  assertEquals(progressLine(progress, 40, start), "epoch 3/10  25%  elbo -102.31  1:30 left");
});

Deno.test("progressLine() counts the time left from where a resumed run began", () => {
  assertStringIncludes(progressLine(progress, 100, { ...start, step: 1000 }), "  7:30 left");
});

Deno.test("duration() is short", () => {
  assertEquals([0, 59.4, 59.6, 3600, 3723].map(duration), ["0 s", "59 s", "1:00", "1:00:00", "1:02:03"]);
});
