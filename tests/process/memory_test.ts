/** A long training holds no more than a short one: buffers on the GPU, and memory of the process. */

import { assert, assertEquals } from "@std/assert";
import { train, vae } from "../../mod.ts";
import { Gpu } from "../../core/gpu/device.ts";

Deno.test("train() holds as many buffers and as much memory after 20,000 steps as after 1,000", async () => {
  const values = new Uint8Array(11_000 * 16).map((_, i) => (i * 7919) % 5 < 2 ? 255 : 0);
  const rows = { values, count: 11_000 };
  using gpu = await Gpu.open();
  // Counts what is alive, through the device that everything is allocated from.
  let alive = 0;
  const { device } = gpu;
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    const destroy = buffer.destroy.bind(buffer);
    alive++;
    buffer.destroy = () => {
      alive--;
      destroy();
    };
    return buffer;
  };
  const training = train(vae, { name: "pattern", shape: [4, 4, 1], train: rows, test: rows }, {
    hidden: [8],
    latents: 2,
    batchSize: 20,
    epochs: 40, // of 500 steps
    validation: 1000,
  }, { gpu });
  const seen = new Map<number, { alive: number; megabytes: number }>();
  for await (const event of training) {
    if (event.event !== "epoch" || (event.step !== 1000 && event.step !== 20_000)) continue;
    seen.set(event.step, { alive, megabytes: Deno.memoryUsage().rss / 2 ** 20 });
  }
  assertEquals(seen.get(20_000)!.alive, seen.get(1000)!.alive);
  const growth = seen.get(20_000)!.megabytes - seen.get(1000)!.megabytes;
  assert(growth < 64, `expected less than 64 MB more, found ${growth.toFixed(1)}`);
  training.trained.destroy();
  assertEquals(alive, 0);
});
