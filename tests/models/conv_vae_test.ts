/** The convolutional VAE on the sizes of real data and on odd ones. That it keeps the plugin contract, contract_test.ts shows. */

import { assert, assertEquals } from "@std/assert";
import { convVae, type Dataset, defaults, train } from "../../mod.ts";
import { uniforms } from "../../core/graph/random.ts";
import { gpu } from "../support/gpu.ts";

/** [inputs, outputs] of every layer. */
function shapesOf(shape: Dataset["shape"]): Record<string, readonly [number, number]> {
  const shapes = convVae.parameters(defaults(convVae.settings), { shape });
  return Object.fromEntries(Object.entries(shapes).map(([name, { inputs, outputs }]) => [name, [inputs, outputs]]));
}

Deno.test("conv_vae halves 28 x 28 x 1 to 7 x 7 x 64 and doubles it back", () => {
  assertEquals(shapesOf([28, 28, 1]), {
    "encoder.0": [4 * 4 * 1, 32],
    "encoder.1": [4 * 4 * 32, 64],
    "trunk.0": [7 * 7 * 64, 256],
    posterior: [256, 40],
    "fan.0": [20, 256],
    "fan.1": [256, 7 * 7 * 64],
    "decoder.1": [4 * 4 * 64, 32],
    likelihood: [4 * 4 * 32, 1],
  });
});

Deno.test("conv_vae halves 32 x 32 x 3 to 8 x 8 x 64 and doubles it back", () => {
  const { "encoder.0": first, "trunk.0": trunk, likelihood: last } = shapesOf([32, 32, 3]);
  assertEquals([first, trunk, last], [[48, 32], [8 * 8 * 64, 256], [512, 3]]);
});

// Sizes that halve to whole numbers, with blocks of four pixels at the end; sizes that do not, with images pixel by pixel.
for (
  const [shape, config] of [
    [[8, 12, 3], { channels: [8, 16], kernel: 4 }],
    [[9, 6, 3], { channels: [5, 6, 7], kernel: 3, activation: "tanh" }],
    [[7, 7, 1], { channels: [4], kernel: 5, hidden: [] }],
  ] as const
) {
  Deno.test(`conv_vae learns ${shape.join(" x ")} images, with channels ${config.channels} and kernels of ${config.kernel}`, async () => {
    const size = shape[0] * shape[1] * shape[2];
    // Two images that switch on and off, with noise.
    const noise = uniforms(new Float32Array(120 * size), 5, 0, 0);
    const values = Uint8Array.from(noise, (u, i) => (Math.floor(i / size) % 2 === i % 2 ? 230 : 0) + 25 * u);
    const rows = { values, count: 120 };
    const dataset: Dataset = { name: "two images", shape, train: rows, test: rows };
    const settings = {
      hidden: [16],
      latents: 2,
      learningRate: 0.01,
      batchSize: 20,
      epochs: 6,
      validation: 20,
      ...config,
    };
    const training = train(convVae, dataset, settings, { gpu });
    const losses: number[] = [];
    for await (const event of training) if (event.event === "epoch") losses.push(event.validation!.loss);
    assert(losses.every(Number.isFinite));
    assert(losses[5] < 0.8 * losses[0], `${losses}`);
    using trained = training.trained;
    const images = await trained.sample({ count: 3 });
    assertEquals(images.length, 3 * size);
    assert(images.every((value) => value > 0 && value < 1));
  });
}
