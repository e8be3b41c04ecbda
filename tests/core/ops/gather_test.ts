/** Gathering the rows of a step: the shuffle, the stored order, the binarizations, and the scheduled numbers set on the way. */

import { assert, assertAlmostEquals, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import type { Split } from "../../../core/dataset.ts";
import { Gpu } from "../../../core/gpu/device.ts";
import { bernoulliNll } from "../../../core/ops/bernoulli_nll.ts";
import { dense } from "../../../core/ops/dense.ts";
import { type Binarization, gather, makeResident } from "../../../core/ops/gather.ts";
import { permuted, uniforms } from "../../../core/graph/random.ts";
import { constant, MOST_SCHEDULES, type Schedule, valueAt } from "../../../core/graph/schedule.ts";
import type { Term, Variable } from "../../../core/graph/tape.ts";
import { Bench, type BenchOptions, gpu } from "../../support/gpu.ts";

/** Rows whose every value is the number of the row. */
function numbered(count: number, columns: number): Split {
  return { values: Uint8Array.from({ length: count * columns }, (_, i) => Math.floor(i / columns)), count };
}

/** A bench that only gathers, and a term of it if asked. */
async function gathering(
  split: Split,
  batch: number,
  binarize: Binarization,
  { room, ...options }: BenchOptions & { readonly room?: number },
  term?: (bench: Bench, x: Variable) => Term,
) {
  const columns = split.values.length / split.count;
  const resident = makeResident(gpu, "data", [1, columns, 1], split, room ? "streamed" : "resident", room);
  const bench = new Bench(batch, { count: split.count, ...options });
  const x = gather(bench.tape, resident, binarize);
  const { program } = await bench.compile(term ? [term(bench, x)] : []);
  /** Runs a step, which moves on to the next one only where there is a term. */
  const step = async () => {
    const terms = await program.submit(1);
    return { x: await bench.read(x), terms };
  };
  const dispose = () => {
    bench[Symbol.dispose]();
    resident.buffer.destroy();
  };
  return { bench, program, x, step, [Symbol.dispose]: dispose };
}

/** -log p of logits 0: D log 2 for each row that counts. */
function rows(bench: Bench, x: Variable): Term {
  const logits = bench.input("logits", x.columns, new Float32Array(bench.tape.batch * x.columns));
  return { name: "nll", value: bernoulliNll(bench.tape, logits, x), weight: constant(1) };
}

/** Which rows a batch of numbered rows holds; every value of a row must agree. */
function numbers(x: Float32Array, columns: number): number[] {
  return Array.from({ length: x.length / columns }, (_, row) => {
    const [first, ...rest] = Array.from(
      x.subarray(row * columns, (row + 1) * columns),
      (value) => Math.round(value * 255),
    );
    assertEquals(rest, Array(columns - 1).fill(first));
    return first;
  });
}

for (const [count, batch, columns] of [[12, 4, 8], [10, 3, 5], [7, 7, 4], [3, 8, 1]]) {
  Deno.test(`gather() visits each of ${count} rows once an epoch in batches of ${batch}, in permuted()'s order`, async () => {
    using gathered = await gathering(numbered(count, columns), batch, "none", { shuffle: true, seed: 77 }, rows);
    const visited: number[] = [];
    while (visited.length < 4 * count) visited.push(...numbers((await gathered.step()).x, columns));
    const epochs = [0, 1, 2, 3].map((epoch) => visited.slice(epoch * count, (epoch + 1) * count));
    for (const [epoch, order] of epochs.entries()) {
      assertEquals(order, Array.from({ length: count }, (_, i) => permuted(i, count, 77, epoch)));
      assertEquals(order.toSorted((a, b) => a - b), Array.from({ length: count }, (_, i) => i));
    }
    assert(new Set(epochs.map((order) => order.join())).size > 1, "every epoch has the same order");
  });
}

Deno.test("gather() in the stored order ends with a shorter batch, whose missing rows count for no term", async () => {
  using gathered = await gathering(numbered(10, 5), 4, "none", { shuffle: false }, rows);
  const found = [];
  for (let step = 0; step < 4; step++) {
    const { x, terms } = await gathered.step();
    found.push({ rows: numbers(x, 5), counted: terms[0][0] / (5 * Math.LN2) });
  }
  const expected = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9], [0, 1, 2, 3]];
  assertEquals(found.map(({ rows }, i) => rows.slice(0, expected[i].length)), expected);
  found.forEach(({ counted }, i) => assertAlmostEquals(counted, expected[i].length, 1e-5));
});

Deno.test("gather() goes on at the step of the state", async () => {
  using gathered = await gathering(numbered(10, 5), 3, "none", { shuffle: true, step: 6 });
  const { x } = await gathered.step();
  assertEquals(
    numbers(x, 5),
    [18, 19, 20].map((position) => permuted(position % 10, 10, 1, Math.floor(position / 10))),
  );
});

// The numbers of rows seen by then are past 2^32, or come to be within these steps.
for (const [count, batch, step] of [[250, 100, 42_949_670], [7, 7, 613_566_755], [251, 16, 4_294_967_290]]) {
  Deno.test(`gather() of ${count} rows in batches of ${batch} takes the right ones from step ${step} on`, async () => {
    const run = async (room?: number) => {
      using gathered = await gathering(numbered(count, 4), batch, "none", { shuffle: true, step, seed: 5, room }, rows);
      const found: number[] = [];
      for (let i = 0; i < 5; i++) found.push(...numbers((await gathered.step()).x, 4));
      return found;
    };
    const expected = Array.from({ length: 5 * batch }, (_, i) => {
      const position = BigInt(step) * BigInt(batch) + BigInt(i);
      return permuted(Number(position % BigInt(count)), count, 5, Number(position / BigInt(count)));
    });
    assertEquals(await run(), expected, "resident");
    assertEquals(await run(3 * batch * 4), expected, "streamed");
  });
}

Deno.test("a program does not go on past the last step of 32 bits", async () => {
  using gathered = await gathering(numbered(7, 4), 3, "none", { shuffle: true, step: 2 ** 32 - 2 }, rows);
  await gathered.program.submit(2);
  assertThrows(() => gathered.program.submit(1), RangeError, "Cannot go on to step 4294967296: expected at most");
});

Deno.test("gather() by threshold gives 1 from byte 128 on, else 0, for each of the four bytes of a word", async () => {
  const values = Uint8Array.of(0, 1, 127, 128, 255, 129, 126, 64, 254, 200);
  using gathered = await gathering({ values, count: 2 }, 2, "threshold", {});
  const { x } = await gathered.step();
  assertEquals([...x], [0, 0, 0, 1, 1, 1, 0, 0, 1, 1]);
  const stored = new Uint8Array(await gpu.read(gathered.bench.tape.tensor(gathered.x).buffer));
  assertEquals(stored.slice(0, 8), Uint8Array.of(0, 0, 0, 255, 255, 0, 0, 0), "padding of the first row");
});

Deno.test("gather() by drawing gives 1 as often as the pixel says, anew at every step, and 0 and 1 for black and white", async () => {
  const levels = [0, 1, 64, 128, 200, 254, 255];
  const [batch, columns, steps] = [512, levels.length, 8];
  const values = Uint8Array.from({ length: batch * columns }, (_, i) => levels[i % columns]);
  using gathered = await gathering({ values, count: batch }, batch, "dynamic", { shuffle: true }, rows);
  const ones = new Float64Array(columns);
  const draws: Float32Array[] = [];
  for (let step = 0; step < steps; step++) {
    const { x } = await gathered.step();
    assert(x.every((value) => value === 0 || value === 1));
    x.forEach((value, i) => ones[i % columns] += value);
    draws.push(x);
  }
  levels.forEach((level, d) => {
    const p = level / 255;
    // Five standard deviations.
    assertAlmostEquals(ones[d] / (batch * steps), p, 5 * Math.sqrt(p * (1 - p) / (batch * steps)), `byte ${level}`);
  });
  const [one, two] = draws.map((x) => x.filter((_, i) => i % columns === 3));
  assertNotEquals(one, two);
  // Byte 128 agrees between two independent draws in half of the rows.
  const agreeing = one.filter((value, i) => value === two[i]).length;
  assertAlmostEquals(agreeing / batch, 0.5, 5 * Math.sqrt(0.25 / batch));
});

Deno.test("gather() by drawing gives input and target the same draw", async () => {
  const values = new Uint8Array(64 * 12).fill(128);
  // nll of logits 50 (2 x - 1), made of x by a layer: 0 only where the target is what the layer saw.
  const shapes = { layer: { inputs: 12, outputs: 12 } };
  const identity = Float32Array.from({ length: 144 }, (_, i) => i % 13 === 0 ? 100 : 0);
  using gathered = await gathering({ values, count: 64 }, 64, "dynamic", { shapes }, (bench, x) => {
    bench.set("layer", identity, new Float32Array(12).fill(-50));
    const logits = dense(bench.tape, x, bench.parameters.get("layer"));
    return { name: "nll", value: bernoulliNll(bench.tape, logits, x), weight: constant(1) };
  });
  const { x, terms } = await gathered.step();
  const ones = x.reduce((sum, value) => sum + value);
  assert(ones > 0 && ones < x.length, "the draw is not one value");
  assertAlmostEquals(terms[0][0], 0, 1e-6);
});

for (const columns of [4, 6]) {
  Deno.test(`gather() hands floats on as they are: rows of ${columns}`, async () => {
    const values = uniforms(new Float32Array(9 * columns), 1, 0, 0).map((x) => 10 * x - 5) as Float32Array<ArrayBuffer>;
    using gathered = await gathering({ values, count: 9 }, 4, "none", { step: 1 });
    const { x } = await gathered.step();
    assertEquals(x, values.subarray(4 * columns, 8 * columns));
    const stored = await gathered.bench.stored(gathered.x);
    assertEquals(stored.filter((_, i) => i % 32 >= columns).every((value) => value === 0), true, "padding");
  });
}

Deno.test("gather() sets every scheduled number of the step", async () => {
  const schedules: Schedule[] = [
    constant(0.5),
    { kind: "linear", from: 0, to: 1, steps: 4 },
    ...Array.from({ length: MOST_SCHEDULES - 2 }, (_, i) => constant(i)),
  ];
  using gathered = await gathering(numbered(4, 4), 2, "none", {}, rows);
  gathered.bench.tape.setSchedules(schedules);
  for (let step = 0; step < 3; step++) {
    await gathered.step();
    const scalars = new Float32Array(await gpu.read(gathered.bench.tape.scalars));
    assertEquals([...scalars], schedules.map((schedule) => valueAt(schedule, step)));
  }
});

for (const shuffle of [true, false]) {
  for (const binarize of ["none", "dynamic"] as const) {
    const order = shuffle ? "shuffled" : "in the stored order";
    Deno.test(`gather() of streamed rows gives what it gives of resident ones: ${order}, binarize ${binarize}`, async () => {
      const values = Uint8Array.from({ length: 23 * 6 }, (_, i) => (i * 7919) % 256);
      const run = async (room?: number) => {
        using gathered = await gathering({ values, count: 23 }, 5, binarize, { shuffle, step: 3, seed: 9, room }, rows);
        const { bench, program, x } = gathered;
        const found: unknown[] = [];
        // Room for 3 steps, used from anywhere on.
        for (const steps of [2, 3, 1, 3, 3, 2]) found.push(await program.submit(steps), await bench.read(x));
        return found;
      };
      assertEquals(await run(3 * 5 * 8 + 8), await run());
    });
  }
}

Deno.test("gather() of streamed rows hands floats on, bounds the steps of a submit, and refuses room for no batch", async () => {
  const values = Float32Array.from({ length: 7 * 5 }, (_, i) => i / 3);
  using gathered = await gathering({ values, count: 7 }, 2, "none", { room: 2 * 2 * 32 }, rows);
  const { program, x, bench } = gathered;
  assertEquals(program.most, 2);
  await program.submit(2);
  assertEquals(await bench.read(x), values.subarray(10, 20));
  assertThrows(() => program.submit(3), RangeError, "Cannot record 3 steps: expected at most 2");
  await assertRejects(
    () => gathering({ values, count: 7 }, 2, "none", { room: 32 }, rows),
    RangeError,
    'Cannot bring batches of "data": expected at most 32 bytes, found 64',
  );
});

Deno.test("makeResident() takes to streaming what a binding cannot hold, unless it is told to be resident", () => {
  const limits = { ...gpu.device.limits, maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 112 };
  const device = new Proxy(gpu.device, {
    get(target, name) {
      const value = name === "limits" ? limits : Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const small = new Gpu(device);
  const split = { values: new Uint8Array(116), count: 29 };
  const streamed = makeResident(small, "data", [1, 4, 1], split);
  assertEquals([streamed.streamed, streamed.buffer.size], [true, 112]);
  streamed.buffer.destroy();
  const message =
    'Cannot keep "data" on the GPU: expected at most 112 bytes in a binding (maxStorageBufferBindingSize), found 116';
  assertThrows(() => makeResident(small, "data", [1, 4, 1], split, "resident"), RangeError, message);
});

Deno.test("makeResident() refuses values of another number", () => {
  assertThrows(
    () => makeResident(gpu, "data", [2, 2, 1], { values: new Uint8Array(11), count: 3 }),
    RangeError,
    'Cannot use "data": expected 3 x 4 values, found 11',
  );
});
