/**
 * What a model maps rows to: programs with one input, compiled once and kept.
 *
 * @module
 */

import { requireFinite, requireSeed } from "../bounds.ts";
import { type Chunk, inTurn } from "../gpu/chunks.ts";
import { type Gpu, GpuError } from "../gpu/device.ts";
import { hasDensity } from "../distributions/distribution.ts";
import type { Encoded } from "../distributions/encoded.ts";
import { conditionColumns, type ConditionOptions, conditionRows } from "./batch.ts";
import type { DataShape } from "../dataset.ts";
import type { Condition, Model } from "../model.ts";
import { advance } from "../ops/advance.ts";
import type { Covariance } from "../ops/reparameterize.ts";
import type { Parameters } from "../graph/parameters.ts";
import { createState, Program } from "../graph/program.ts";
import { Tape, type Variable } from "../graph/tape.ts";
import { type Tensor, unpack, upload } from "../gpu/tensor.ts";
import type { Tiles } from "../products/tiles.ts";

/** What maps: a trained model. */
export interface Mapped {
  readonly gpu: Gpu;
  readonly tiles: Tiles;
  readonly model: Model;
  readonly config: object;
  readonly data: DataShape;
  readonly parameters: Parameters;
  /** D */
  readonly features: number;
  /** K */
  readonly latents: number;
  /** Throws if it can be used no more. */
  check(): void;
}

/** Rows that go through a mapping at a time: few of them, and so many that waiting for each read does not tell. */
const [FEW, MANY] = [128, 4096];

/** What a mapping is kept by. */
const keyOf = (name: string, rows: number) => `${name}, ${rows} rows`;

/** A program with one input matrix and output matrices of equal width. */
interface Mapping {
  readonly input: Tensor;
  readonly condition?: Tensor;
  readonly outputs: readonly Tensor[];
  readonly program: Program;
  /** Frees what it holds on the GPU. */
  destroy(): void;
}

/** Records the ops from an input to outputs; none stand for a part that the model lacks. */
export type Recording = (t: Tape, input: Variable, condition?: Variable) => readonly Variable[];

/** The mappings of a model. */
export class Mappings {
  readonly #mappings = new Map<string, Promise<Mapping>>();
  /** Frees those of the mappings that are compiled. */
  readonly #held = new Set<() => void>();
  #destroyed = false;
  /** Of the posterior, once it has been recorded. */
  covariance: Covariance | undefined;
  /** Whether its draws have a density, once it has been recorded. */
  hasDensity = false;
  /** Whether that density is known at any z, once it has been recorded. */
  hasRatio = false;

  constructor(readonly of: Mapped) {}

  /** q(z | x) of rows. */
  async posterior(rows: Float32Array, options: ConditionOptions): Promise<Encoded> {
    const { model, parameters, config, features } = this.of;
    const statistics = await this.apply("encode", rows, features, options, (t, input, condition) => {
      const posterior = model.encode?.(t, parameters, input, config, condition);
      this.covariance = posterior?.covariance;
      this.hasDensity = posterior !== undefined && hasDensity(posterior);
      this.hasRatio = posterior?.ratio !== undefined;
      return posterior ? [posterior.statistics] : [];
    });
    const count = rows.length / features;
    return { statistics, count, latents: this.of.latents, covariance: this.covariance };
  }

  /** What is recorded from rows, by a program of this one call. */
  async outputs(x: Float32Array, record: (t: Tape, x: Variable) => Variable): Promise<Float32Array<ArrayBuffer>> {
    const name = "give outputs";
    try {
      return await this.apply(name, x, this.of.features, {}, (t, input) => [record(t, input)]);
    } finally {
      for (const rows of [FEW, MANY]) {
        const key = keyOf(name, rows);
        const mapping = this.#mappings.get(key);
        this.#mappings.delete(key);
        await mapping?.then(({ destroy }) => {
          this.#held.delete(destroy);
          destroy();
        }, () => {});
      }
    }
  }

  /** What the model is given besides, if anything. */
  get #condition(): Condition | undefined {
    return this.of.model.condition?.(this.of.config);
  }

  /**
   * Runs rows through a recorded mapping, some at a time and `steps` steps each; where it gives several matrices, their rows come in
   * turn.
   *
   * @throws {RangeError} If it gives a number that is not finite.
   */
  async apply(
    name: string,
    values: Float32Array,
    columns: number,
    { seed = 0, ...given }: ConditionOptions & { readonly seed?: number },
    record: Recording,
    steps = 1,
  ): Promise<Float32Array<ArrayBuffer>> {
    this.of.check();
    const count = values.length / columns;
    if (count === 0 || !Number.isInteger(count)) {
      throw new RangeError(
        `Cannot ${name} with "${this.of.model.name}": expected rows of ${columns} values, found ${values.length} values`,
      );
    }
    requireSeed(seed);
    const kind = this.#condition;
    const conditions = kind && conditionRows(kind, count, given, this.of.data);
    const wanted = count >= MANY ? MANY : FEW;
    const key = keyOf(name, wanted);
    let mapping = this.#mappings.get(key);
    if (!mapping) {
      this.#mappings.set(key, mapping = this.#compile(name, wanted, columns, record, steps));
      // There may be memory for it another time.
      mapping.catch(() => this.#mappings.delete(key));
    }
    const { input, condition, outputs, program } = await mapping;
    const { rows } = input;
    const width = outputs[0].columns;
    const out = new Float32Array(count * outputs.length * width);
    let recorded = 0;
    const next = (): Chunk<void> | undefined => {
      if (recorded === count) return undefined;
      this.of.check();
      const from = recorded;
      const to = recorded = Math.min(from + rows, count);
      const scopes = this.of.gpu.scopes();
      scopes.within(() => {
        upload(this.of.gpu, input, values.subarray(from * columns, to * columns));
        if (condition) {
          upload(this.of.gpu, condition, conditions!.subarray(from * condition.columns, to * condition.columns));
        }
      });
      program.seek({ step: from / rows * steps, seed, count: rows, shuffle: false });
      const chunks: Chunk<unknown>[] = [];
      for (let left = steps; left > 0; left -= program.most) chunks.push(program.chunk(Math.min(left, program.most)));
      const copies = this.of.gpu.copies(outputs);
      return {
        submit() {
          for (const chunk of chunks) chunk.submit();
          copies.submit();
        },
        async read() {
          const results = await copies.read();
          for (const chunk of chunks) await chunk.read();
          await scopes.settle();
          for (const [i, result] of results.entries()) {
            const matrix = unpack(outputs[i], result, 0, to - from);
            if (outputs.length === 1) {
              out.set(matrix, from * width);
              continue;
            }
            for (let row = from; row < to; row++) {
              const first = (row - from) * width;
              out.set(matrix.subarray(first, first + width), (row * outputs.length + i) * width);
            }
          }
        },
      };
    };
    await Array.fromAsync(inTurn(this.of.gpu, next));
    requireFinite(out, `what "${this.of.model.name}" gives to ${name}`);
    return out;
  }

  async #compile(name: string, rows: number, columns: number, record: Recording, steps: number): Promise<Mapping> {
    const scopes = this.of.gpu.scopes();
    const kind = this.#condition;
    const { state, tape } = scopes.within(() => {
      const state = createState(this.of.gpu);
      return { state, tape: new Tape(this.of.gpu, rows, this.of.tiles, state) };
    });
    try {
      const { input, condition, results, compiled } = scopes.within(() => {
        const input = tape.variable("input", columns);
        const condition = kind && tape.variable("condition", conditionColumns(kind, this.of.data));
        const results = record(tape, input, condition);
        if (!results.length) throw new TypeError(`Cannot ${name} with "${this.of.model.name}": it has no such part`);
        if (steps > 1) advance(tape, 1);
        return { input, condition, results, compiled: tape.compile([]) };
      });
      await scopes.settle();
      await this.of.parameters.settle();
      const program = await Program.create(tape, compiled);
      const destroy = () => {
        program.destroy();
        state.destroy();
      };
      this.#held.add(destroy);
      // Destroyed while it compiled.
      if (this.#destroyed) destroy();
      return {
        input: tape.tensor(input),
        ...(condition ? { condition: tape.tensor(condition) } : {}),
        outputs: results.map((result) => tape.tensor(result)),
        program,
        destroy,
      };
    } catch (error) {
      tape.destroy();
      state.destroy();
      // So many rows of a wide model may be more than a buffer can hold, or than there is memory for.
      if ((error instanceof RangeError || error instanceof GpuError) && rows > FEW) {
        return await this.#compile(name, FEW, columns, record, steps);
      }
      throw error;
    }
  }

  /** Frees what they hold on the GPU. */
  destroy(): void {
    this.#destroyed = true;
    for (const destroy of this.#held) destroy();
  }
}
