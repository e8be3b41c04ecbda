/** The schedules: their values on the host, and the GPU's against them. */

import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { type Fragment, read, write } from "../../core/gpu/kernel.ts";
import { constant, encodeSchedules, scaled, type Schedule, valueAt } from "../../core/graph/schedule.ts";
import { createBuffer } from "../../core/gpu/tensor.ts";
import scheduleShader from "../../shaders/schedule.wgsl" with { type: "text" };
import { assertClose } from "../support/compare.ts";
import { dispatch, gpu } from "../support/gpu.ts";

/** [steps][schedules] as shaders/schedule.wgsl gives them. */
async function onGpu(schedules: readonly Schedule[], steps: readonly number[]): Promise<Float32Array[]> {
  const encoded = encodeSchedules(schedules);
  const count = schedules.length * steps.length;
  const table = createBuffer(gpu, "schedules", encoded.byteLength);
  const at = createBuffer(gpu, "steps", 4 * steps.length);
  const out = createBuffer(gpu, "out", 4 * count);
  gpu.device.queue.writeBuffer(table, 0, encoded);
  gpu.device.queue.writeBuffer(at, 0, Uint32Array.from(steps));
  const fragment: Fragment = {
    parts: [
      scheduleShader,
      `@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < COUNT) {
    out[id.x] = scheduled(schedules[id.x % SCHEDULES], steps[id.x / SCHEDULES]);
  }
}`,
    ],
    constants: { COUNT: count, SCHEDULES: schedules.length },
    buffers: { schedules: read(table, "array<Schedule>"), steps: read(at, "array<u32>"), out: write(out) },
  };
  await dispatch({ label: "schedules", fragments: [fragment], workgroups: [Math.ceil(count / 64)] });
  const values = new Float32Array(await gpu.read(out));
  for (const buffer of [table, at, out]) buffer.destroy();
  return steps.map((_, i) => values.subarray(i * schedules.length, (i + 1) * schedules.length));
}

const schedules = {
  constant: constant(0.3),
  linear: { kind: "linear", from: 0.1, to: 2, steps: 7 },
  "linear, later": { kind: "linear", from: 0, to: 25, steps: 1000, start: 9 },
  cyclic: { kind: "cyclic", from: 0, to: 1, steps: 10, rising: 0.5 },
  "cyclic, rising all the time": { kind: "cyclic", from: 0.2, to: 4, steps: 16, rising: 1 },
  decay: { kind: "decay", from: 1e-3, factor: 0.97, steps: 10 },
  "decay every step": { kind: "decay", from: 1, factor: 0.999, steps: 1 },
  tripling: { kind: "tripling", from: 1e-3, factor: 0.72, steps: 30 },
  cosine: { kind: "cosine", from: 1e-3, to: 1e-5, steps: 100 },
  "correction of 0.9": { kind: "correction", beta: 0.9 },
  "correction of 0.999": { kind: "correction", beta: 0.999 },
  "correction of 0.9999": { kind: "correction", beta: 0.9999 },
  "correction in runs": { kind: "correction", beta: 0.9, steps: 6, at: 2, lasting: 3 },
} as const satisfies Record<string, Schedule>;

Deno.test("the GPU's schedules agree with valueAt() at the start, in between, at the end and long after", async () => {
  const steps = [
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    15,
    16,
    17,
    19,
    20,
    50,
    99,
    100,
    101,
    999,
    1000,
    1009,
    1010,
    5003,
    1000003,
  ];
  const found = await onGpu(Object.values(schedules), steps);
  for (const [i, [name, schedule]] of Object.entries(schedules).entries()) {
    const expected = steps.map((step) => valueAt(schedule, step));
    // 2e-7: the smallest values are differences of numbers of about 1.
    assertClose(found.map((row) => row[i]), expected, name, { absolute: 2e-7, relative: 1e-5 });
  }
});

Deno.test("the GPU's bias corrections are 1 / (1 - beta) at the first step to 1e-6", async () => {
  const betas = [0, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.99999];
  const [found] = await onGpu(betas.map((beta) => ({ kind: "correction", beta })), [0]);
  assertClose(found, betas.map((beta) => 1 / (1 - beta)), "the corrections", { absolute: 0, relative: 1e-6 });
});

Deno.test("the GPU's bias corrections hold 2e-6 at every step, also where the formula changes", async () => {
  const steps = Array.from({ length: 1000 }, (_, i) => i);
  const both = [schedules["correction of 0.9"], schedules["correction of 0.999"]];
  const found = await onGpu(both, steps);
  for (const [i, schedule] of both.entries()) {
    const expected = steps.map((step) => 1 / (1 - schedule.beta ** (step + 1)));
    assertClose(found.map((row) => row[i]), expected, `beta ${schedule.beta}`, { absolute: 0, relative: 2e-6 });
  }
});

Deno.test("valueAt() of a linear schedule rises from its start for its steps, and stays", () => {
  const values = [0, 9, 10, 11, 12, 14, 15].map((step) =>
    valueAt({ kind: "linear", from: 1, to: 3, steps: 4, start: 10 }, step)
  );
  assertEquals(values, [1, 1, 1, 1.5, 2, 3, 3]);
});

Deno.test("valueAt() of a cyclic schedule rises, holds, and starts again", () => {
  const values = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((step) =>
    valueAt({ kind: "cyclic", from: 0, to: 1, steps: 4, rising: 0.5 }, step)
  );
  assertEquals(values, [0, 0.5, 1, 1, 0, 0.5, 1, 1, 0]);
});

Deno.test("valueAt() of a decay falls by its factor every so many steps", () => {
  const values = [0, 2, 3, 5, 6].map((step) => valueAt({ kind: "decay", from: 8, factor: 0.5, steps: 3 }, step));
  assertEquals(values, [8, 8, 4, 4, 2]);
});

Deno.test("valueAt() of tripling stages falls after 1, 4, 13 and 40 times their first length", () => {
  const schedule = { kind: "tripling", from: 16, factor: 0.5, steps: 3000 } as const;
  const at = [0, 1, 4, 13, 40].map((epochs) => 3000 * epochs);
  assertEquals(at.map((step) => valueAt(schedule, step)), [16, 8, 4, 2, 1]);
  assertEquals(at.slice(1).map((step) => valueAt(schedule, step - 1)), [16, 8, 4, 2]);
});

Deno.test("valueAt() of a cosine goes from one value by their mean to the other, and stays", () => {
  const values = [0, 5, 10, 11].map((step) => valueAt({ kind: "cosine", from: 1, to: 3, steps: 10 }, step));
  [1, 2, 3, 3].forEach((expected, i) => assertAlmostEquals(values[i], expected, 1e-12));
});

Deno.test("valueAt() of a correction is Adam's 1 / (1 - betaᵗ), with t from 1", () => {
  assertAlmostEquals(valueAt({ kind: "correction", beta: 0.9 }, 0), 10, 1e-12);
  assertAlmostEquals(valueAt({ kind: "correction", beta: 0.9 }, 1), 1 / 0.19, 1e-12);
  // Of every six steps the third, the fourth and the fifth are updates.
  [2, 3, 4, 8, 9, 10, 14].forEach((step, i) => {
    const found = valueAt({ kind: "correction", beta: 0.9, steps: 6, at: 2, lasting: 3 }, step);
    assertAlmostEquals(found, 1 / (1 - 0.9 ** (i + 1)), 1e-12);
  });
});

Deno.test("scaled() multiplies every value of a schedule, and refuses a bias correction", () => {
  for (const [name, schedule] of Object.entries(schedules)) {
    if (schedule.kind === "correction") {
      assertThrows(() => scaled(schedule, 3), TypeError, "Cannot scale a bias correction");
      continue;
    }
    for (const step of [0, 1, 5, 12, 2000]) {
      assertAlmostEquals(valueAt(scaled(schedule, 3), step), 3 * valueAt(schedule, step), 1e-12, name);
    }
  }
});
