/** What an op forgets is said in words when the tape is compiled for training: never a gradient of 0 in silence. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { add } from "../../core/ops/add.ts";
import { square } from "../../core/ops/arithmetic.ts";
import { bernoulliNll } from "../../core/ops/bernoulli_nll.ts";
import { bernoulliSample } from "../../core/ops/bernoulli_sample.ts";
import { columns } from "../../core/ops/columns.ts";
import { dense } from "../../core/ops/dense.ts";
import { BERNOULLI } from "../../core/ops/bernoulli_family.ts";
import { likelihoodMean } from "../../core/ops/likelihood.ts";
import { reparameterize } from "../../core/ops/reparameterize.ts";
import { store } from "../../core/ops/store.ts";
import { columnOf, valuesOf } from "../../core/ops/sum.ts";
import { sumValues } from "../../core/ops/sum_values.ts";
import { constant } from "../../core/graph/schedule.ts";
import type { Node, RowScalars, Tape, Term, Variable } from "../../core/graph/tape.ts";
import { Bench } from "../support/gpu.ts";

const shapes = { layer: { inputs: 3, outputs: 4 } };
const training = { optimizer: "gradients", reduction: "sum" } as const;

/** y = x, by a node that is told otherwise. */
function copy(t: Tape, x: Variable, told: Partial<Node> = {}, formed = true): Variable {
  const y = t.variable("copy", x.columns, "f32", x.rows);
  const node: Node = {
    name: "copy",
    inputs: [x],
    parameters: [],
    forward: () => store(t, y, t.load("a", x)),
    backward: () => t.map("copy gradient", t.load("a", t.gradient(y)), t.contribution(x), x),
    ...told,
  };
  t.record(node, ...formed ? [y] : []);
  return y;
}

const term = (t: Tape, x: Variable): Term => ({ name: "loss", value: valuesOf(t, "loss", x), weight: constant(1) });

/** What compiling for training says. */
function said(
  message: string,
  build: (t: Tape, x: Variable, h: Variable, bench: Bench) => readonly Term[],
): () => void {
  return () => {
    using bench = new Bench(5, { shapes });
    const x = bench.data("x", 3, new Float32Array(15).fill(0.5));
    const terms = build(bench.tape, x, dense(bench.tape, x, bench.parameters.get("layer")), bench);
    assertThrows(() => bench.tape.compile([{ terms }], training), Error, message);
  };
}

Deno.test(
  "an op without a backward cannot stand between a term and what is trained",
  said(
    'Cannot train through "copy": no gradient for "layer", expected 1 from its backward, found no backward',
    (t, _, h) => [term(t, copy(t, h, { backward: undefined }))],
  ),
);

Deno.test(
  "a backward that forgets an input is named, and so is the input",
  said(
    'Cannot train through "copy": no gradient for "layer", expected 1 from its backward, found 0',
    (t, _, h) => [term(t, copy(t, h, { backward() {} }))],
  ),
);

Deno.test(
  "a backward that forgets one of two inputs is named, where others contribute to it too",
  said(
    'Cannot train through "copy": no gradient for "layer", expected 1 from its backward, found 0',
    (t, x, h) => {
      const other = dense(t, x, h.producer!.parameters[0]);
      const y = copy(t, other, { inputs: [other, h] });
      return [term(t, add(t, y, h))];
    },
  ),
);

Deno.test(
  "a backward that forgets a trained parameter is named",
  said('Cannot train through "copy": no gradient for "layer"', (t, _, h, { parameters }) => {
    return [term(t, copy(t, h, { parameters: [parameters.get("layer")] }))];
  }),
);

Deno.test(
  "a backward that contributes twice is named",
  said('Cannot add to the gradient of "layer": expected 2 contributions', (t, _, h) => {
    const twice = () => {
      t.contribution(h);
      t.contribution(h);
    };
    return [term(t, add(t, copy(t, h, { backward: twice }), h))];
  }),
);

Deno.test(
  "a variable that no node forms is named, and so is who reads it",
  said(
    'Cannot compile the tape: no node forms "copy", which "loss" reads',
    (t, _, h) => [term(t, copy(t, h, {}, false))],
  ),
);

Deno.test(
  "a term whose values no node forms is named",
  said('Cannot compile the tape: no node forms "lost", which the term "loss" reads', (t) => [{
    name: "loss",
    value: t.rowScalars("lost", 1),
    weight: constant(1),
  }]),
);

Deno.test(
  "the data of a likelihood cannot be trained",
  said('Cannot train through "nll": no gradient for "part of layer"', (t, _, h) => {
    const [logits, target] = [columns(t, h, 0, 2), columns(t, h, 2, 2)];
    return [{ name: "nll", value: bernoulliNll(t, logits, target), weight: constant(1) }];
  }),
);

Deno.test(
  "the mean of a likelihood cannot be trained through",
  said('Cannot train through "mean": no gradient for "layer"', (t, _, h) => [
    term(t, likelihoodMean(t, { family: BERNOULLI, location: h })),
  ]),
);

Deno.test(
  "per-row values whose reader says nothing of their gradient are named",
  said('Cannot train through "reader": no gradient for "loss", expected 1 from its backward', (t, _, h) => {
    const { value } = term(t, h);
    const read = t.rowScalars("read", 1);
    t.record({ name: "reader", inputs: [], parameters: [], values: [value], forward() {} }, read);
    return [{ name: "loss", value: read, weight: constant(1) }];
  }),
);

Deno.test(
  "per-row values that two ops read are named",
  said('Cannot train through "twice": expected it alone to read the values "a", found "column of a"', (t, _, h) => {
    const [a, b] = [valuesOf(t, "a", h), valuesOf(t, "b", h)];
    const twice = sumValues(t, "twice", a, b);
    return [{ name: "loss", value: twice, weight: constant(1) }, term(t, columnOf(t, a))];
  }),
);

Deno.test(
  "per-row values that an op reads and that are a term with a weight are named",
  said(
    'Cannot train through "column of a": expected it alone to read the values "a", found the term "a"',
    (t, _, h) => {
      const a = valuesOf(t, "a", h);
      return [{ name: "a", value: a, weight: constant(2) }, term(t, columnOf(t, a))];
    },
  ),
);

Deno.test(
  "a gradient that is read before it is complete is named",
  said('Cannot read the gradient of "column of kl": expected 1 contributions by then, found 0', (t, _, h) => {
    const { z, kl } = reparameterize(t, h);
    // z is read last, so its gradient, in whose kernel that of the divergence is formed, comes first.
    const squared = term(t, square(t, columnOf(t, kl)));
    return [squared, term(t, z)];
  }),
);

/** The gradient of "layer", where it is trained beside what is built. */
async function gradientOf(build: (t: Tape, h: Variable) => RowScalars | Variable): Promise<number> {
  using bench = new Bench(5, { shapes });
  const { tape } = bench;
  bench.set("layer", new Float32Array(12).fill(0.1), new Float32Array(4));
  const h = dense(tape, bench.data("x", 3, new Float32Array(15).fill(0.5)), bench.parameters.get("layer"));
  const built = build(tape, h);
  const value = "parts" in built ? built : valuesOf(tape, "loss", built);
  await bench.run([{ name: "loss", value, weight: constant(1) }]);
  return (await bench.parameterGradient("layer")).weight[0];
}

Deno.test("what is read as a constant passes no gradient, and what else reads it does", async () => {
  const detached = (t: Tape, h: Variable) => copy(t, h, { inputs: [], detached: [h], backward: undefined });
  assertEquals(await gradientOf((_, h) => h), 2.5);
  assertEquals(await gradientOf((t, h) => copy(t, h)), 2.5);
  assertEquals(await gradientOf(detached), 0);
  assertEquals(await gradientOf((t, h) => add(t, detached(t, h), h)), 2.5);
  assertEquals(await gradientOf((t, h) => add(t, bernoulliSample(t, h), h)), 2.5);
});

Deno.test("an op may declare what it never reads", async () => {
  assertEquals(await gradientOf((t, h) => copy(t, h, { detached: [h] })), 2.5);
});

Deno.test("a tape that is only run forward asks for no backward", () => {
  using bench = new Bench(5, { shapes });
  const h = dense(bench.tape, bench.data("x", 3, new Float32Array(15)), bench.parameters.get("layer"));
  const terms = [term(bench.tape, copy(bench.tape, h, { backward: undefined }))];
  assert(bench.tape.compile([{ terms }]).dispatches.length > 0);
});
