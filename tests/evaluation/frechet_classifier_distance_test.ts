/** The Fréchet distance where it is known, and by a classifier on labelled blocks. */

import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Dataset, frechetClassifierDistance, frechetDistance, train, trainClassifier, vae } from "../../mod.ts";
import { normals, uniforms } from "../../core/graph/random.ts";
import { keptClassifier } from "../../evaluation/frechet_classifier_distance.ts";
import type { Trained } from "../../core/training/trained.ts";
import { folderCache } from "../../storage/cache.ts";
import { gpu } from "../support/gpu.ts";

Deno.test("frechetDistance() of Gaussians whose covariances commute is (μ - μ')² + Σ (σ - σ')², turned or not", () => {
  const n = 50_000;
  const e = normals(new Float64Array(4 * n), 1, 0, 0);
  // Columns x ~ N(0, 1), y ~ N(0, 4) and x ~ N(3, 9), y ~ N(0, 1), both turned by one angle.
  const turned = (x: number, y: number) => [0.8 * x - 0.6 * y, 0.6 * x + 0.8 * y];
  const a = Array.from({ length: n }, (_, i) => turned(e[4 * i], 2 * e[4 * i + 1])).flat();
  const b = Array.from({ length: n }, (_, i) => turned(3 + 3 * e[4 * i + 2], e[4 * i + 3])).flat();
  assertAlmostEquals(frechetDistance(a, b, 2), 9 + 4 + 1, 0.3);
  assertAlmostEquals(frechetDistance(a, b, 2), frechetDistance(b, a, 2), 1e-9);
  assertAlmostEquals(frechetDistance(a, a, 2), 0, 1e-9);
  assertThrows(() => frechetDistance([1, 2], a, 2), RangeError, "at least 2 rows of 2 values, found 2 values");
});

/** Two classes: bright above, bright below. */
function halves(): Dataset {
  const noise = uniforms(new Float32Array(300 * 16), 5, 0, 0);
  const labels = Uint8Array.from({ length: 300 }, (_, i) => i % 2);
  const values = Uint8Array.from(noise, (u, i) => ((i >> 4) % 2 === (i % 16 < 8 ? 0 : 1) ? 180 : 0) + 60 * u);
  const rows = { values, labels, count: 300 };
  return { name: "some/halves", shape: [4, 4, 1], classes: 2, train: rows, test: rows };
}

Deno.test("a classifier is trained once for a dataset, tells its classes, and puts a trained model nearer than an untrained one", async () => {
  const folder = await Deno.makeTempDir({ prefix: "elbo" });
  const cache = folderCache(`${folder}/made`);
  const data = halves();
  let progress = 0;
  using by = await trainClassifier(data, { gpu, cache, onProgress: () => progress++ });
  assert(progress > 0);
  const model = async (epochs: number) => {
    const training = train(vae, data, {
      hidden: [16],
      latents: 2,
      epochs,
      batchSize: 50,
      validation: 0,
      learningRate: 0.01,
    }, {
      gpu,
    });
    for await (const event of training) assert(event.event !== "end" || !event.stopped);
    return training.trained as Trained;
  };
  using good = await model(60);
  using bad = await model(1);
  const [near, far] = [
    await frechetClassifierDistance(good, data, by, { count: 300 }),
    await frechetClassifierDistance(bad, data, by, { count: 300 }),
  ];
  assertEquals([near.accuracy, near.count], [1, 300]);
  assertAlmostEquals(near.reference, 0, 1e-6); // train and test are the same rows here; features have rounding errors of float32
  assert(near.distance < far.distance / 2, `${near.distance} ${far.distance}`);
  using again = await trainClassifier(data, { gpu, cache, onProgress: () => progress = -1 });
  assert(progress > 0, "trained again");
  assertEquals((await frechetClassifierDistance(good, data, again, { count: 300 })).distance, near.distance);
  // A damaged one counts as not there.
  const bytes = (await cache.read(`${encodeURIComponent(data.name)}.safetensors`))!;
  assert(keptClassifier(bytes, "kept", data));
  for (const damaged of [bytes.slice(0, -100), bytes.map((byte, i) => i === 40 ? byte ^ 1 : byte), new Uint8Array(3)]) {
    assertEquals(keptClassifier(damaged, "kept", data), undefined);
  }
  assertEquals(keptClassifier(bytes, "kept", { ...data, classes: 3 }), undefined);
  await assertRejects(
    () => trainClassifier({ ...data, classes: undefined }, { gpu }),
    RangeError,
    'Cannot train a classifier on "some/halves": expected labels, found none',
  );
  await Deno.remove(folder, { recursive: true });
});
