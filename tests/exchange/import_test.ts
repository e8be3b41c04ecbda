/** Weights that come from PyTorch. */

import { assertEquals, assertThrows } from "@std/assert";
import { FileError } from "../../core/bounds.ts";
import { encodeSafetensors } from "../../core/training/safetensors.ts";
import { graphsOf } from "../../exchange/graphs.ts";
import { leftOver, matchNames, readWeights, takeTensors } from "../../exchange/import.ts";
import { torchFiles } from "../../exchange/torch.ts";
import { cases, image, untrained } from "./support.ts";

const [vae] = cases.vae;

/** A file of tensors of these shapes, whose values count on. */
function weights(shapes: Readonly<Record<string, readonly number[]>>) {
  let next = 0;
  const tensors = new Map(
    Object.entries(shapes).map(([name, shape]) => {
      const size = shape.reduce((product, each) => product * each, 1);
      return [name, { shape, data: Float32Array.from({ length: size }, () => next++) }];
    }),
  );
  return readWeights(encodeSafetensors(tensors, {}), "theirs").tensors;
}

for (const what of Object.keys(cases)) {
  Deno.test(`what was exported for PyTorch comes back to the bit, each by its name: ${what}`, async () => {
    using trained = untrained(...cases[what], image);
    const [, { bytes }] = await torchFiles(trained, graphsOf(trained));
    const { tensors } = readWeights(bytes, "own");
    const names = matchNames(trained, tensors, "own");
    assertEquals(names.filter(({ by }) => by !== "name"), []);
    assertEquals(leftOver(tensors, names), []);
    const taken = takeTensors(trained, tensors, names);
    const own = await trained.parameters.read({ slots: false });
    assertEquals([...taken.keys()].sort(), [...own.keys()].sort());
    for (const [name, { shape, data }] of own) assertEquals(taken.get(name), { shape, data }, name);
  });
}

/** The layers of PyTorch's own example of a VAE. */
const example = {
  ...{ "fc1.weight": [7, 30], "fc1.bias": [7], "fc21.weight": [3, 7], "fc21.bias": [3], "fc22.weight": [3, 7] },
  ...{ "fc22.bias": [3], "fc3.weight": [7, 3], "fc3.bias": [7], "fc4.weight": [30, 7], "fc4.bias": [30] },
};

Deno.test("names of others are guessed by shapes, a mean and a log-variance are joined, and weights turned", () => {
  using trained = untrained(vae, { hidden: [7], latents: 3 }, image);
  const tensors = weights(example);
  const names = matchNames(trained, tensors, "theirs");
  assertEquals(
    Object.fromEntries(
      names.filter(({ target }) => target.endsWith("weight")).map(({ target, from }) => [target, from]),
    ),
    {
      "encoder.0.weight": ["fc1.weight"],
      "encoder.posterior.weight": ["fc21.weight", "fc22.weight"],
      "decoder.0.weight": ["fc3.weight"],
      "likelihood.weight": ["fc4.weight"],
    },
  );
  const { shape, data } = takeTensors(trained, tensors, names).get("encoder.posterior.weight")!;
  const [mean, deviation] = ["fc21.weight", "fc22.weight"].map((name) => tensors.get(name)!.data);
  assertEquals(shape, [7, 6]);
  for (let i = 0; i < 7; i++) {
    for (let k = 0; k < 3; k++) {
      assertEquals([data[i * 6 + k], data[i * 6 + 3 + k]], [mean[k * 7 + i], deviation[k * 7 + i]]);
    }
  }
});

Deno.test("a bias that is not there is 0, and halves and 64-bit floats are read", () => {
  using trained = untrained(vae, { hidden: [7], latents: 3 }, image);
  const { "fc4.bias": _, ...others } = example;
  const names = matchNames(trained, weights(others), "theirs");
  assertEquals(names.filter(({ from }) => !from.length).map(({ target, by }) => [target, by]), [
    ["likelihood.bias", "zeros"],
  ]);
  const header = {
    a: { dtype: "BF16", shape: [2], data_offsets: [0, 4] },
    b: { dtype: "F16", shape: [1], data_offsets: [4, 6] },
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array([text.length, 0, 0, 0, 0, 0, 0, 0, ...text, 0xc0, 0x3f, 0x20, 0xc0, 0, 0x3c]);
  const { tensors } = readWeights(bytes, "halves");
  assertEquals([...tensors].map(([name, { data }]) => [name, ...data]), [["a", 1.5, -2.5], ["b", 1]]);
});

Deno.test("what several tensors fit is asked for by --names, and names decide", () => {
  const settings = { hidden: [7, 7], latents: 3 };
  using trained = untrained(vae, settings, image);
  const same = { "a.weight": [7, 7], "b.weight": [7, 7], "c.weight": [7, 7] };
  const tensors = weights({ ...example, ...same });
  assertThrows(
    () => matchNames(trained, tensors, "theirs"),
    FileError,
    'Cannot import "theirs": expected encoder.1.weight of [7,7] in PyTorch\'s order, found several that fit: a, b, c; ' +
      'say which by --names, a file with {"encoder.1":"a"}',
  );
  const names = matchNames(trained, tensors, "theirs", { "encoder.1": "c", "decoder.1": "a" });
  assertEquals(names.filter(({ by }) => by === "given").map(({ target, from }) => [target, from]), [
    ["encoder.1.weight", ["c.weight"]],
    ["decoder.1.weight", ["a.weight"]],
  ]);
  assertEquals(leftOver(tensors, names), ["b.weight"]);
  const refused = (given: Record<string, string>, message: string) =>
    assertThrows(() => matchNames(trained, tensors, "theirs", given), FileError, message);
  refused({ "encoder.9": "a" }, 'expected names of base\'s tensors, such as encoder.0.weight, found "encoder.9"');
  refused({ "encoder.1": "d" }, 'expected a tensor "d.weight", as --names says, found none');
  refused({ "encoder.1": "fc1" }, "expected encoder.1.weight of [7,7] in PyTorch's order, found [7,30] (fc1.weight)");
});

Deno.test("other settings than those of the training are told by the shapes that there are", () => {
  using trained = untrained(vae, { hidden: [8], latents: 3 }, image);
  assertThrows(
    () => matchNames(trained, weights(example), "theirs"),
    FileError,
    "expected encoder.0.weight of [8,30] in PyTorch's order, found fc1.weight [7,30], fc3.weight [7,3]",
  );
});
