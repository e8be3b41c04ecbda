/**
 * The averaging of parameters over ranks that each train by their own gradients for some steps: local SGD, and with an outer momentum
 * DiLoCo (Douillard et al., arXiv:2311.08105, algorithm 1). It is loaded by need.
 *
 * @module
 */

import type { Gpu } from "../gpu/device.ts";
import type { Parameters } from "../graph/parameters.ts";
import type { Ranks } from "../graph/ranks.ts";
import type { TrainingConfig } from "./training_settings.ts";

/** The slot of the outer momentum. */
const VELOCITY = "outer_velocity";

/**
 * With Δ = θ - mean(θ_r), θ being the parameters after the last averaging: v = μ v + Δ, θ = θ - η (Δ + μ v). With η = 1 and μ = 0 that is
 * the mean. What optimizers keep is averaged as it is: so all ranks are the same from there on, and one checkpoint holds all.
 *
 * @returns What averages all that ranks hold.
 */
export async function averaging(
  gpu: Gpu,
  parameters: Parameters,
  ranks: Ranks,
  { outerLearningRate: rate, outerMomentum: momentum }: Pick<TrainingConfig, "outerLearningRate" | "outerMomentum">,
): Promise<() => Promise<void>> {
  const plain = rate === 1 && momentum === 0;
  const trained = [...parameters].filter(({ shape }) => shape.trained !== false);
  const weights = trained.map(({ tensor }) => tensor.buffer);
  const velocities = momentum > 0 ? trained.map((parameter) => parameter.slot(VELOCITY).buffer) : [];
  const others = () =>
    [...parameters].flatMap(({ tensor, shape, slots }) => [
      ...shape.trained === false ? [tensor.buffer] : [],
      ...[...slots].flatMap(([name, { buffer }]) => name === VELOCITY ? [] : [buffer]),
    ]);
  const read = async (buffers: readonly GPUBuffer[]) =>
    (await gpu.readAll(buffers.map((buffer) => ({ buffer })))).map((bytes) => new Float32Array(bytes));
  let before = plain ? [] : await read(weights);
  return async () => {
    const buffers = [...weights, ...others()];
    const values = await read([...buffers, ...velocities]);
    const all = new Float32Array(values.slice(0, buffers.length).reduce((sum, { length }) => sum + length, 0));
    let place = 0;
    const parts = values.slice(0, buffers.length).map((each) => {
      all.set(each, place);
      return all.subarray(place, place += each.length);
    });
    await ranks.sum(all);
    for (let i = 0; i < all.length; i++) all[i] /= ranks.size;
    if (!plain) {
      before.forEach((from, i) => {
        const [to, velocity] = [parts[i], values[buffers.length + i]];
        for (let j = 0; j < from.length; j++) {
          const way = from[j] - to[j];
          if (velocity) velocity[j] = momentum * velocity[j] + way;
          to[j] = from[j] - rate * (way + (velocity ? momentum * velocity[j] : 0));
        }
      });
      before = parts.slice(0, weights.length).map((each) => each.slice());
    }
    buffers.forEach((buffer, i) => gpu.device.queue.writeBuffer(buffer, 0, parts[i]));
    velocities.forEach((buffer, i) => gpu.device.queue.writeBuffer(buffer, 0, values[buffers.length + i]));
  };
}
