/**
 * The small VAE of tests/golden/vae_steps.py, built of the engine's ops, to be trained for some steps. As a program of its own it prints
 * what {@linkcode train} gives, for tests that need another environment: `vae.ts '{"steps":20}'`.
 *
 * @module
 */

import { bernoulliNll } from "../../core/ops/bernoulli_nll.ts";
import { dense } from "../../core/ops/dense.ts";
import { gather, makeResident } from "../../core/ops/gather.ts";
import { reparameterize } from "../../core/ops/reparameterize.ts";
import type { Optimizer } from "../../core/graph/optimizer.ts";
import { createOptimizer } from "../../core/optimizers/mod.ts";
import type { Program } from "../../core/graph/program.ts";
import { constant } from "../../core/graph/schedule.ts";
import type { Term, Training } from "../../core/graph/tape.ts";
import { createTensor, type Tensor, upload } from "../../core/gpu/tensor.ts";
import golden from "../golden/vae_steps.json" with { type: "json" };
import { Bench, type BenchOptions, gpu } from "./gpu.ts";

const { batch, features, hidden, latents, steps: COUNT } = golden.sizes;
const LAYERS = ["encoder.0", "head", "decoder.0", "decoder.1"] as const;

/** How {@linkcode createVae} is made. */
export interface VaeOptions extends Pick<BenchOptions, "family" | "fuses"> {
  readonly optimizer: Optimizer;
  /** True: the golden noise, which {@linkcode Vae.giveNoise} sets for each step. False: drawn. */
  readonly givenNoise: boolean;
  /** In a new random order every epoch; in the golden order otherwise. */
  readonly shuffle?: boolean;
}

/** The VAE with its golden data and initial parameters on the GPU. */
export interface Vae extends Disposable {
  readonly bench: Bench;
  readonly program: Program;
  /** Writes the noise of a step, from 0. */
  giveNoise(step: number): void;
  /** The parameters by their golden names. */
  values(): Promise<Record<string, Float32Array>>;
}

/** Builds it. */
export async function createVae(
  { optimizer, givenNoise, shuffle = false, ...options }: VaeOptions,
): Promise<Vae> {
  const shapes = {
    "encoder.0": { inputs: features, outputs: hidden },
    "head": { inputs: hidden, outputs: 2 * latents },
    "decoder.0": { inputs: latents, outputs: hidden },
    "decoder.1": { inputs: hidden, outputs: features },
  };
  const bench = new Bench(batch, { ...options, shapes, count: COUNT * batch, shuffle });
  const { tape, parameters } = bench;
  for (const name of LAYERS) {
    const { [`${name}.weight` as const]: weight, [`${name}.bias` as const]: bias } = golden.initial;
    bench.set(name, Float32Array.from(weight), Float32Array.from(bias));
  }
  const data = Uint8Array.from(golden.data, (x) => 255 * x);
  const resident = makeResident(gpu, "golden", [1, features, 1], { values: data, count: COUNT * batch });
  let noise: Tensor | undefined;
  if (givenNoise) noise = createTensor(gpu, "noise", batch, latents, { storedRows: tape.rows });
  const x = gather(tape, resident, "none");
  const h = dense(tape, x, parameters.get("encoder.0"), "tanh");
  const { z, kl } = reparameterize(tape, dense(tape, h, parameters.get("head")), { noise });
  const logits = dense(tape, dense(tape, z, parameters.get("decoder.0"), "tanh"), parameters.get("decoder.1"));
  const terms: Term[] = [
    { name: "nll", value: bernoulliNll(tape, logits, x), weight: constant(1) },
    { name: "kl", value: kl, weight: constant(1) },
  ];
  const training: Training = { optimizer, reduction: "mean" };
  const { program } = await bench.compile(terms, training);
  return {
    bench,
    program,
    giveNoise(step) {
      const values = golden.noise.slice(step * batch * latents, (step + 1) * batch * latents);
      if (noise) upload(gpu, noise, Float32Array.from(values));
    },
    async values() {
      const entries = await Promise.all(LAYERS.map(async (name) => {
        const { weight, bias } = await parameters.get(name).get();
        return [[`${name}.weight`, weight], [`${name}.bias`, bias]] as const;
      }));
      return Object.fromEntries(entries.flat());
    },
    [Symbol.dispose]() {
      bench[Symbol.dispose]();
      resident.buffer.destroy();
      noise?.buffer.destroy();
    },
  };
}

/** What to train. */
export interface TrainOptions extends Pick<BenchOptions, "family" | "fuses"> {
  /** Steps of each submit. */
  readonly submits: readonly number[];
}

/** Trains with Adam, drawn noise and a shuffle, and gives the bits of every term and of every parameter. */
export async function train(
  { submits, ...options }: TrainOptions,
): Promise<{ adapter: string; terms: number[]; parameters: number[] }> {
  const optimizer = createOptimizer("adam", { learningRate: constant(1e-2) });
  using vae = await createVae({ ...options, optimizer, givenNoise: false, shuffle: true });
  const terms: number[] = [];
  for (const steps of submits) terms.push(...(await vae.program.submit(steps)).flatMap((step) => [...step]));
  const bits = (values: Float32Array) => [...new Uint32Array(values.buffer, values.byteOffset, values.length)];
  return {
    adapter: gpu.adapter,
    terms: bits(Float32Array.from(terms)),
    parameters: Object.values(await vae.values()).flatMap(bits),
  };
}

if (import.meta.main) console.log(JSON.stringify(await train(JSON.parse(Deno.args[0]))));
