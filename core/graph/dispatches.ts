/**
 * What a step dispatches, in the order in which ops ask for it: kernels, matrix products with the tiles that are chosen, values that the
 * next product forms as it loads them; and the buffers behind it all.
 *
 * @module
 */

import type { Gpu } from "../gpu/device.ts";
import { type Binding, type Dispatch, type Due, type Fragment, inRows, merge, sameDue, sizeOf } from "../gpu/kernel.ts";
import { encodeSchedules, MOST_SCHEDULES, type Schedule, SCHEDULE_FLOATS, valueAt } from "./schedule.ts";
import { ALONE, type Ranks } from "./ranks.ts";
import type { Variable } from "./variable.ts";
import { createBuffer, PANEL, roundUp, type Tensor } from "../gpu/tensor.ts";
import {
  mapped,
  type Product,
  product,
  type ProductShape,
  productShape,
  type SplitProduct,
  splitProduct,
  splitShape,
  type Tiles,
} from "../products/tiles.ts";
import produceTile from "../../shaders/tiles/produce.wgsl" with { type: "text" };
import layout from "../../shaders/layout.wgsl" with { type: "text" };
import loadProduced from "../../shaders/loaders/produced.wgsl" with { type: "text" };

/** A product on the tape, which can be formed with other tiles of the same family. */
export interface TapeProduct {
  /** Its kind and size. */
  readonly shape: ProductShape;
  /** Multiply-adds that the mathematics asks for. */
  readonly macs: number;
  /** Its dispatches with such tiles. */
  form(tiles: Tiles): readonly Dispatch[];
}

/** How the values of a variable are formed that no product gives. */
export interface Produced {
  /** What it is called in profiles and errors. */
  readonly label: string;
  /** What it forms. */
  readonly variable: Variable;
  /** Groups of four columns that it has; those beyond are padding. */
  readonly columns4: number;
  /**
   * Gives `produced(row, origin, column4, kept)`, which returns four values and stores them where `kept`; `origin_of(row)`, what the values
   * of a row have in common; and `begun(index)`, what is done once beside, by an index from 0 on.
   */
  readonly by: Fragment;
  /** Bytes that it reads and writes, if not all of its buffers. */
  readonly bytes?: number;
}

/** Groups of four columns up to which forming values anew in every workgroup costs less than a dispatch of its own. */
const PRODUCED4 = 16;

/** Groups of four columns that one invocation forms. */
const RUN = 8;

/** Where a step waits for the other ranks. */
export interface Exchange {
  /** How many dispatches come before it. */
  readonly at: number;
  /** What is added up. */
  readonly buffers: readonly GPUBuffer[];
  /** In which steps; undefined: in all. */
  readonly due: Due | undefined;
}

/** Ranks that each have a share of every batch, rank r rows r N to (r + 1) N of it, and what they make of that. */
export interface Together {
  /** The ranks, as this one sees them. */
  readonly ranks: Ranks;
  /** Whether gradients are of all shares in every step, or each rank trains by its own until the parameters are averaged. */
  readonly every: "step" | "seldom";
}

/** All that was asked for, in order. */
export interface Laid {
  /** What runs, in order. */
  readonly dispatches: readonly Dispatch[];
  /** The matrix products among them. */
  readonly products: readonly TapeProduct[];
  /** Where other ranks are waited for. */
  readonly exchanges: readonly Exchange[];
}

/** Dispatches for a batch of N rows. */
export abstract class Dispatches {
  /** Stored rows of a batch. */
  readonly rows: number;
  /** The schedules of the step's numbers, and their values in this step. */
  readonly schedules: GPUBuffer;
  /** What shaders read as `scalar(i)` in a step. */
  readonly scalars: GPUBuffer;
  #setsSchedules = false;
  readonly #buffers: GPUBuffer[] = [];
  #dispatches: Dispatch[] = [];
  #products: TapeProduct[] = [];
  #scratch: GPUBuffer | undefined;
  #producing: Produced | undefined;
  #due: Due | undefined;
  #exchanges: Exchange[] = [];

  /**
   * None yet.
   *
   * @param gpu Where they will run.
   * @param batch N, the rows of a batch.
   * @param tiles The matrix kernels to use.
   * @param state The buffer of shaders/state.wgsl.
   * @param together Whose batches make up the batch of a step.
   */
  constructor(
    readonly gpu: Gpu,
    readonly batch: number,
    readonly tiles: Tiles,
    readonly state: GPUBuffer,
    readonly together: Together = { ranks: ALONE, every: "step" },
  ) {
    this.rows = roundUp(batch, tiles.rowMultiple);
    this.schedules = this.buffer("schedules", MOST_SCHEDULES * SCHEDULE_FLOATS * 4);
    this.scalars = createBuffer(gpu, "scalars", MOST_SCHEDULES * 4, GPUBufferUsage.UNIFORM);
    this.own(this.scalars);
  }

  /** Rows stored for so many rows. */
  stored(rows: number): number {
    return roundUp(rows, this.tiles.rowMultiple);
  }

  /** A buffer that lives as long as the tape. */
  buffer(label: string, size: number): GPUBuffer {
    const buffer = createBuffer(this.gpu, label, size);
    this.#buffers.push(buffer);
    return buffer;
  }

  /** Frees a buffer together with the tape. */
  own(buffer: GPUBuffer): void {
    this.#buffers.push(buffer);
  }

  /** Binds the state of a kernel that only reads it. */
  readState(): Binding {
    return this.tiles.uniform(this.state, "State");
  }

  /** Binds the values of the schedules in this step, likewise. */
  readScalars(): Binding {
    return this.tiles.uniform(this.scalars, `array<vec4f, ${MOST_SCHEDULES / 4}>`);
  }

  /** Takes on that a step begins by setting its numbers: true for the first who asks. */
  claimSchedules(): boolean {
    const first = !this.#setsSchedules;
    this.#setsSchedules = true;
    return first;
  }

  /**
   * Says what the numbers of a step follow. On a tape that gathers no rows, where nothing sets them from step to step, they stay as they
   * are in the first, or as {@linkcode Dispatches.setScalars} says.
   */
  setSchedules(schedules: readonly Schedule[]): void {
    this.gpu.device.queue.writeBuffer(this.schedules, 0, encodeSchedules(schedules));
    this.setScalars(schedules, 0);
  }

  /** Sets the numbers as they are in a step, for a tape that gathers no rows. */
  setScalars(schedules: readonly Schedule[], step: number): void {
    const values = new Float32Array(MOST_SCHEDULES);
    schedules.forEach((schedule, i) => values[i] = valueAt(schedule, step));
    this.gpu.device.queue.writeBuffer(this.scalars, 0, values);
  }

  /** A fragment giving load4_m and load1_m of a matrix that a kernel reads many times. */
  packed(m: string, tensor: Tensor): Fragment {
    return this.tiles.packed(m, tensor);
  }

  /** Whether what is formed of a batch is added over all ranks in every step. */
  get exchanges(): boolean {
    const { ranks, every } = this.together;
    return ranks.size > 1 && every === "step";
  }

  /** The number of batches that a step's gradients are of. */
  get shares(): number {
    return this.exchanges ? this.together.ranks.size : 1;
  }

  /**
   * Constants of a kernel that draws for so many rows of the batch: VALID_m, the rows of all shares, and FIRST_m, how many are of ranks
   * before this one. So several ranks draw what one would.
   */
  drawn(m: string, rows: number): Readonly<Record<string, number>> {
    const { rank, size } = this.together.ranks;
    return { [`VALID_${m}`]: rows * size, [`FIRST_${m}`]: rows * rank };
  }

  /** Adds the floats of buffers over all ranks, once all that was dispatched until now is done. */
  exchange(buffers: readonly GPUBuffer[]): void {
    if (!this.exchanges) return;
    this.#produce();
    this.#exchanges.push({ at: this.#dispatches.length, buffers, due: this.#due });
  }

  /** Forgets all that was dispatched. */
  protected begin(): void {
    this.#due = undefined;
    this.#exchanges = [];
    this.#dispatches = [];
    this.#products = [];
  }

  /** Says in which steps what is dispatched from now on runs. */
  protected setDue({ every, at, lasting }: Due = { every: 1, at: 0, lasting: 1 }): void {
    const due = every === lasting ? undefined : { every, at, lasting };
    if (sameDue(this.#due, due)) return;
    this.#produce();
    this.#due = due;
  }

  /** All dispatches up to now, and the matrix products among them. */
  protected laid(): Laid {
    this.#produce();
    return { dispatches: this.#dispatches, products: this.#products, exchanges: this.#exchanges };
  }

  /** Records a dispatch. */
  dispatch(dispatch: Dispatch): void {
    this.#produce();
    this.#dispatches.push(this.#due ? { ...dispatch, due: this.#due } : dispatch);
  }

  /**
   * Records what forms a variable. Where the next dispatch is a product of that variable, it may form the values as it loads them, and
   * keep them for those who read them later; else they have a dispatch of their own.
   */
  produce(produced: Produced): void {
    this.#produce();
    this.#producing = produced;
    if (!this.tiles.fuses || produced.columns4 > PRODUCED4) this.#produce();
  }

  /** Gives what is to be formed a dispatch of its own, if no product has taken it in. */
  #produce(): void {
    if (!this.#producing) return;
    const { label, variable, columns4, by, bytes } = this.#producing;
    this.#producing = undefined;
    const groups = Math.ceil(this.stored(variable.rows) * Math.ceil(columns4 / RUN) / 64);
    this.dispatch({
      label,
      ...bytes === undefined ? {} : { bytes },
      fragments: [{ parts: [layout, produceTile], constants: { RUN } }, this.#produced(variable, columns4), by],
      workgroups: inRows(groups),
    });
  }

  #produced(variable: Variable, columns4: number): Fragment {
    return { parts: [], constants: { ROWS_produced: this.stored(variable.rows), COLUMNS4_produced: columns4 } };
  }

  /**
   * Records a matrix product.
   *
   * @param x The variable that its first operand is, where it is one as it lies.
   */
  product(description: Product, x?: Variable): void {
    const whole = this.#producesIn(description, x) ?? description;
    this.#product(productShape(whole), whole.macs, (tiles, partials) => product(tiles, whole, partials));
  }

  /** A product that forms what is to be formed as it loads it, if that is its first operand and one kernel can do both. */
  #producesIn(description: Product, x?: Variable): Product | undefined {
    const produced = this.#producing;
    if (!produced || produced.variable !== x) return undefined;
    const { by, columns4 } = produced;
    const rest = merge(description.b, description.epilogue);
    if (!agree(by, rest, this.gpu.device.limits.maxStorageBuffersPerShaderStage)) return undefined;
    this.#producing = undefined;
    return {
      ...description,
      label: `${produced.label} + ${description.label}`,
      a: merge({ parts: [loadProduced] }, this.#produced(x, columns4), by),
      begins: true,
      bytes: (produced.bytes ?? buffersOf(by)) + buffersOf(rest),
    };
  }

  /** Records a weight gradient that is summed in chunks. */
  splitProduct(description: SplitProduct): void {
    this.#product(
      splitShape(description),
      description.macs,
      (tiles, partials) => splitProduct(tiles, description, partials),
    );
  }

  #product(
    shape: ProductShape,
    macs: number,
    dispatches: (tiles: Tiles, partials: (floats: number) => GPUBuffer) => readonly Dispatch[],
  ): void {
    const form = (tiles: Tiles) => dispatches(tiles, (floats) => this.#partials(floats));
    this.#products.push({ shape, macs, form });
    for (const each of form(this.tiles)) this.dispatch(each);
  }

  /** Records an epilogue on a variable's (or zero) values, without a product. */
  map(label: string, a: Fragment, epilogue: Fragment, { rows, columns }: Pick<Variable, "rows" | "columns">): void {
    this.dispatch(mapped(label, [a], epilogue, { rows: this.stored(rows), columns: roundUp(columns, PANEL) }));
  }

  /** One buffer serves all partial sums: dispatches that use it run one after another. */
  #partials(floats: number): GPUBuffer {
    if (!this.#scratch || this.#scratch.size < floats * 4) this.#scratch = this.buffer("partial sums", floats * 4);
    return this.#scratch;
  }

  /** Frees every buffer of the tape. */
  destroy(): void {
    for (const buffer of this.#buffers) this.gpu.strategy.free(buffer);
    this.#buffers.length = 0;
  }
}

/**
 * Whether what forms an operand as it is loaded can be in one kernel with the rest of it: nothing is called alike that differs, the
 * rest binds nothing that the forming writes, since workgroups do not wait for each other, and there are not too many buffers.
 */
function agree(forming: Fragment, rest: Fragment, limit: number): boolean {
  const alike = <T>(one: Readonly<Record<string, T>> = {}, other: Readonly<Record<string, T>> = {}) =>
    Object.keys(one).every((name) => !(name in other) || one[name] === other[name]);
  const buffers = Object.entries(forming.buffers ?? {});
  const others = Object.entries(rest.buffers ?? {});
  const used = new Set([...buffers, ...others].map(([, { buffer }]) => buffer));
  return alike(forming.constants, rest.constants) && alike(forming.floats, rest.floats) && used.size <= limit &&
    buffers.every(([name, one]) =>
      others.every(([other, { buffer, type }]) =>
        buffer === one.buffer ? one.access === "read" && (name !== other || type === one.type) : name !== other
      )
    );
}

function buffersOf({ buffers = {} }: Fragment): number {
  return sizeOf(Object.values(buffers));
}
