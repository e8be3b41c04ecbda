/**
 * A compiled tape that runs: pipelines and bind groups made once, any number of steps encoded into one submit, and the terms of every
 * step read back from a ring, one read for a chunk of steps.
 *
 * @module
 */

import { more } from "../by_need.ts";
import { type Chunk, inTurn, type Pace } from "../gpu/chunks.ts";
import type { Clock } from "../gpu/clock.ts";
import { type Gpu, GpuError } from "../gpu/device.ts";
import type { ErrorScopes } from "../gpu/error_scopes.ts";
import { fuse, fusionLimits } from "./fusion.ts";
import { type Dispatch, type Due, type Prepared, read, record, write } from "../gpu/kernel.ts";
import type { Exchange } from "./dispatches.ts";
import { summed } from "./ranks.ts";
import type { Ready } from "../gpu/strategy.ts";
import { treeSum } from "../gpu/tree_sum.ts";
import { createBuffer, gcd } from "../gpu/tensor.ts";
import type { Compiled, Counter, State, Tape, Term } from "./tape.ts";
import validRows from "../../shaders/valid_rows.wgsl" with { type: "text" };
import termSumShader from "../../shaders/term_sum.wgsl" with { type: "text" };
import metricsShader from "../../shaders/metrics.wgsl" with { type: "text" };
import stateStruct from "../../shaders/state.wgsl" with { type: "text" };

/** Steps whose terms the ring holds: at most this many may be under way and unread. */
const SLOTS = 4096;

/** The highest number of a step: on the GPU it has 32 bits. */
export const LAST_STEP = 2 ** 32 - 1;

/** Of so many steps that are handed over, one goes first. */
const FIRST = 8;

/** The state buffer of shaders/state.wgsl. */
export function createState(gpu: Gpu): GPUBuffer {
  return createBuffer(gpu, "state", 16, GPUBufferUsage.UNIFORM);
}

/** Writes what steps follow from into a state buffer. */
export function setState(gpu: Gpu, buffer: GPUBuffer, { step, seed, count, shuffle }: State): void {
  gpu.device.queue.writeBuffer(buffer, 0, new Uint32Array([step, seed, count, shuffle ? 1 : 0]));
}

/** Sums of each term over the rows of the batch, one array for every step. */
export type StepTerms = readonly Float32Array[];

/** A program on the GPU. */
export class Program {
  readonly #gpu: Gpu;
  readonly #tape: Tape;
  #prepared: readonly Prepared[];
  /** Where steps wait for other ranks, in the order of what is prepared. */
  readonly #exchanges: readonly Exchange[];
  /** What is read of each of them. */
  readonly #exchanged: readonly GPUBuffer[];
  /** Steps after which the same dispatches are due again, and those of each, once they were asked for. */
  readonly #period: number;
  readonly #phases: (readonly Prepared[])[] = [];
  readonly #ring: GPUBuffer | undefined;
  /** For reading the terms back: all, and those that no chunk has now. */
  readonly #staging: GPUBuffer[] = [];
  readonly #free: GPUBuffer[] = [];
  readonly terms: readonly Term[];
  readonly #counters: readonly Counter[];
  #state: State = { step: 0, seed: 0, count: 1, shuffle: false };
  #step = 0;
  /** Compiles better kernels, as its strategy has it; called when the first ones run. */
  #improve: Ready["improve"];
  #settled: Promise<void> = Promise.resolve();
  #destroyed = false;
  /** Of what is written for the steps to come. */
  readonly #scopes: ErrorScopes;
  /** Where it is set, it is read when the steps of a submit begin and when they are done. */
  clock: Clock | undefined;

  private constructor(
    tape: Tape,
    { terms, counters, exchanges }: Compiled,
    { prepared, improve }: Ready,
    ring: GPUBuffer | undefined,
  ) {
    this.#exchanges = exchanges;
    this.#exchanged = exchanges.map(({ buffers }) =>
      tape.gpu.device.createBuffer({
        label: "exchanged between ranks",
        size: buffers.reduce((sum, { size }) => sum + size, 0),
        usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
      })
    );
    this.#gpu = tape.gpu;
    this.#scopes = tape.gpu.scopes();
    this.#tape = tape;
    this.#prepared = prepared;
    this.#improve = improve;
    this.#period = prepared.reduce(
      (period, { due: { every } = { every: 1 } }) => period / gcd(period, every) * every,
      1,
    );
    this.#ring = ring;
    this.terms = terms;
    this.#counters = counters;
  }

  /**
   * Compiles the kernels and binds the buffers. Before the first submit, {@linkcode Program.seek} says where it starts.
   *
   * @param tape The tape.
   * @param compiled What {@linkcode Tape.compile} gave.
   * @throws {GpuError} If the device does not allow what a kernel needs, or has an error; the tape's buffers are then left to the caller.
   */
  static async create(tape: Tape, compiled: Compiled): Promise<Program> {
    const { gpu } = tape;
    const { terms } = compiled;
    const scopes = gpu.scopes();
    const { flat, ring } = scopes.within(() => {
      const ring = terms.length ? tape.buffer("metrics", SLOTS * terms.length * 4) : undefined;
      return { ring, flat: ring ? [...compiled.dispatches, ...metrics(tape, terms, ring)] : compiled.dispatches };
    });
    await scopes.settle();
    // What comes before an exchange must not be joined with what comes after it.
    const ends = [...compiled.exchanges.map(({ at }) => at), flat.length];
    const pieces = ends.map((end, i) => flat.slice(ends[i - 1] ?? 0, end))
      .map((piece) => tape.tiles.fuses ? fuse(piece, fusionLimits(gpu)) : piece);
    let at = 0;
    const exchanges = compiled.exchanges.map((each, i) => ({ ...each, at: at += pieces[i].length }));
    const ready = await gpu.strategy.compile(gpu, pieces.flat());
    return scopes.within(() => new Program(tape, { ...compiled, exchanges }, ready, ring));
  }

  /** When the program, having run once, has its fastest kernels; what it computes does not depend on it. */
  get settled(): Promise<void> {
    return this.#settled;
  }

  /** Number of the next step to submit. */
  get step(): number {
    return this.#step;
  }

  /** What one step dispatches. */
  get dispatches(): readonly Pick<Prepared, "label" | "macs" | "bytes" | "workgroups">[] {
    return this.#prepared;
  }

  /** Multiply-adds of one step, padding left out. */
  get macs(): number {
    return this.#prepared.reduce((sum, { macs }) => sum + macs, 0);
  }

  /** Bytes that a step adds up over all ranks, whatever is due in it. */
  get exchanged(): number {
    return this.#exchanged.reduce((sum, { size }) => sum + size, 0);
  }

  /** How many steps a submit may have at most. */
  get most(): number {
    return Math.min(SLOTS / 2, ...this.#tape.hostStreams.map(({ steps }) => steps));
  }

  /** Makes a step the next one, and sets what all follow from. */
  seek(state: State): void {
    this.check();
    this.#state = state;
    this.#step = state.step;
    this.#scopes.within(() => setState(this.#gpu, this.#tape.state, state));
  }

  /**
   * Asks whether it can be used.
   *
   * @throws {GpuError} If it was destroyed, or its device is lost or was destroyed.
   */
  check(): void {
    if (this.#destroyed) throw new GpuError("Cannot run a program: it was destroyed");
    this.#gpu.check();
  }

  /**
   * Records steps. They must be submitted in the order in which they were recorded.
   *
   * @param steps How many, at most {@linkcode Program.most}.
   */
  chunk(steps: number): Chunk<StepTerms> {
    if (steps > this.most) throw new RangeError(`Cannot record ${steps} steps: expected at most ${this.most}`);
    this.check();
    const scopes = this.#gpu.scopes();
    const { commands, staging } = scopes.within(() => this.#recorded(steps));
    return {
      submit: () => {
        this.check();
        scopes.within(() => {
          for (const each of commands) this.#gpu.device.queue.submit([each]);
        });
        this.#goOn();
      },
      read: () => this.#read(staging, steps, scopes),
    };
  }

  /** The terms of steps, out of where they were copied to. */
  async #read(staging: GPUBuffer | undefined, steps: number, scopes: ErrorScopes): Promise<StepTerms> {
    const width = this.terms.length;
    try {
      const bytes = staging && await this.#gpu.mapped(staging, scopes);
      await scopes.settle();
      await this.#scopes.settle();
      if (!bytes) return [];
      this.#free.push(staging);
      return Array.from({ length: steps }, (_, i) => new Float32Array(bytes, i * width * 4, width));
    } catch (error) {
      // What it waited for was taken away.
      this.check();
      throw error;
    }
  }

  /** Compiles better kernels beside the first steps, which are under way. */
  #goOn(): void {
    const improve = this.#improve;
    this.#improve = undefined;
    if (improve) this.#settled = this.#take(improve()).catch(() => {});
  }

  /** The commands of a chunk, and where its terms go. */
  #recorded(steps: number): { readonly commands: readonly GPUCommandBuffer[]; readonly staging?: GPUBuffer } {
    const { device } = this.#gpu;
    const step = this.#begin(steps);
    // A submit takes a while for each dispatch in it, so the first steps go before the others: a GPU waits for that of a few only.
    const first = this.#gpu.strategy.concurrent ? Math.ceil(steps / FIRST) : 0;
    const commands: GPUCommandBuffer[] = [];
    let encoder = device.createCommandEncoder();
    this.clock?.mark(encoder);
    if (first) {
      this.#record(encoder, step, first);
      commands.push(encoder.finish());
      encoder = device.createCommandEncoder();
    }
    this.#record(encoder, step + first, steps - first);
    this.clock?.mark(encoder);
    const staging = this.#ring && this.#collect(encoder, this.#ring, step, steps);
    commands.push(encoder.finish());
    return { commands, staging };
  }

  /** Goes over to better kernels once they are compiled. */
  async #take(compiling: ReturnType<NonNullable<Ready["improve"]>>): Promise<void> {
    const ready = await compiling;
    if (!ready || this.#destroyed) return;
    const scopes = this.#gpu.scopes();
    const prepared = scopes.within(() => ready.map((bind) => bind()));
    await scopes.settle();
    this.#prepared = prepared;
    this.#phases.length = 0;
  }

  /** Records steps from `step` on, each with the dispatches that are due in it. */
  #record(encoder: GPUCommandEncoder, step: number, steps: number): void {
    if (this.#period === 1) record(this.#gpu, encoder, this.#prepared, { times: steps });
    else for (let i = 0; i < steps; i++) record(this.#gpu, encoder, this.#due(step + i));
  }

  /** What is dispatched in a step. */
  #due(step: number): readonly Prepared[] {
    if (this.#period === 1) return this.#prepared;
    const phase = step % this.#period;
    return this.#phases[phase] ??= this.#prepared.filter(({ due }) => isDue(due, step));
  }

  /** What a step dispatches up to each exchange that is due in it, and after the last. */
  #pieces(step: number): { readonly piece: readonly Prepared[]; readonly exchange?: number }[] {
    let begin = 0;
    const pieces: { readonly piece: readonly Prepared[]; readonly exchange?: number }[] = [];
    const piece = (end?: number) => this.#prepared.slice(begin, end).filter(({ due }) => isDue(due, step));
    this.#exchanges.forEach(({ at, due }, exchange) => {
      if (!isDue(due, step)) return;
      pieces.push({ piece: piece(at), exchange });
      begin = at;
    });
    return [...pieces, { piece: piece() }];
  }

  /** Runs a step with the other ranks. `each` is what runs the dispatches of a piece. */
  async #together(
    step: number,
    each: (piece: readonly Prepared[]) => Promise<void> | void = (piece) => {
      const encoder = this.#gpu.device.createCommandEncoder();
      record(this.#gpu, encoder, piece);
      this.#gpu.device.queue.submit([encoder.finish()]);
    },
  ): Promise<void> {
    for (const { piece, exchange } of this.#pieces(step)) {
      await each(piece);
      if (exchange !== undefined) await this.#exchange(exchange);
    }
  }

  /** Adds what ranks have each formed of their share of a batch. */
  async #exchange(number: number): Promise<void> {
    const { device } = this.#gpu;
    const [{ buffers }, staging] = [this.#exchanges[number], this.#exchanged[number]];
    const scopes = this.#gpu.scopes();
    scopes.within(() => {
      const encoder = device.createCommandEncoder();
      let place = 0;
      for (const buffer of buffers) {
        encoder.copyBufferToBuffer(buffer, 0, staging, place, buffer.size);
        place += buffer.size;
      }
      device.queue.submit([encoder.finish()]);
    });
    const bytes = await this.#gpu.mapped(staging, scopes);
    await this.#tape.together.ranks.sum(new Float32Array(bytes));
    scopes.within(() => {
      let place = 0;
      for (const buffer of buffers) {
        device.queue.writeBuffer(buffer, 0, bytes, place, buffer.size);
        place += buffer.size;
      }
    });
    await scopes.settle();
  }

  /** Records and submits steps with the other ranks, and gives the sums of their terms. */
  async #submitTogether(steps: number): Promise<StepTerms> {
    this.check();
    const step = this.#begin(steps);
    for (let i = 0; i < steps; i++) {
      await this.#together(step + i);
      this.#goOn();
    }
    const scopes = this.#gpu.scopes();
    const staging = this.#ring && scopes.within(() => {
      const encoder = this.#gpu.device.createCommandEncoder();
      const staging = this.#collect(encoder, this.#ring!, step, steps);
      this.#gpu.device.queue.submit([encoder.finish()]);
      return staging;
    });
    return await this.#overRanks(await this.#read(staging, steps, scopes));
  }

  /** Sums of terms over all ranks. */
  async #overRanks(terms: StepTerms): Promise<StepTerms> {
    const { ranks } = this.#tape.together;
    if (ranks.size === 1) return terms;
    const width = this.terms.length;
    const all = await summed(ranks, terms.flatMap((values) => [...values]));
    return terms.map((_, i) => Float32Array.from(all.subarray(i * width, (i + 1) * width)));
  }

  /**
   * Brings what the next steps need and counts them. Gives the number of the first.
   *
   * @throws {RangeError} If a step's number is above {@linkcode LAST_STEP}.
   */
  #begin(steps: number): number {
    if (this.#step + steps - 1 > LAST_STEP) {
      throw new RangeError(`Cannot go on to step ${this.#step + steps - 1}: expected at most ${LAST_STEP}`);
    }
    for (const hostStream of this.#tape.hostStreams) hostStream.bring(this.#state, this.#step, steps);
    const first = this.#step;
    this.#step += steps;
    return first;
  }

  /** Copies the terms of steps out of the ring, which may wrap once within them. */
  #collect(encoder: GPUCommandEncoder, ring: GPUBuffer, step: number, steps: number): GPUBuffer {
    const width = this.terms.length;
    let staging = this.#free.pop();
    if (!staging) {
      staging = this.#gpu.device.createBuffer({
        label: "metrics read-back",
        size: SLOTS * width * 4,
        usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
      });
      this.#staging.push(staging);
    }
    const first = step % SLOTS;
    const before = Math.min(steps, SLOTS - first);
    encoder.copyBufferToBuffer(ring, first * width * 4, staging, 0, before * width * 4);
    if (before < steps) {
      encoder.copyBufferToBuffer(ring, 0, staging, before * width * 4, (steps - before) * width * 4);
    }
    return staging;
  }

  /**
   * Runs steps in chunks, and keeps the GPU busy.
   *
   * @param steps How many.
   * @param pace How many a chunk; what it has learned holds for the next run.
   * @param stop Whether to record no more, asked before each chunk. What is submitted by then is still given.
   * @returns The terms of each chunk.
   */
  async *run(steps: number, pace: Pace, stop: () => boolean = () => false): AsyncGenerator<StepTerms> {
    let left = steps;
    const { ranks } = this.#tape.together;
    if (ranks.size > 1) {
      pace.begin();
      while (left > 0) {
        // As many steps as the first rank would take, and none if any was told to stop: all must come to the same.
        const told = [stop() ? 1 : 0, ranks.rank === 0 ? Math.min(pace.size, this.most, left) : 0];
        const [stopped, count] = await summed(ranks, told);
        if (stopped) return;
        left -= count;
        const terms = await this.submit(count);
        pace.done(count);
        yield terms;
      }
      return;
    }
    const next = () => {
      const count = stop() ? 0 : Math.min(pace.size, this.most, left);
      left -= count;
      return count ? this.chunk(count) : undefined;
    };
    pace.begin();
    for await (const terms of inTurn(this.#gpu, next)) {
      pace.done(terms.length);
      yield terms;
    }
  }

  /** Records and submits steps, and promises their terms. */
  submit(steps: number): Promise<StepTerms> {
    if (this.#exchanges.length) return this.#submitTogether(steps);
    const chunk = this.chunk(steps);
    chunk.submit();
    return chunk.read().then((terms) => this.#overRanks(terms));
  }

  /** Sets every tally to zero, or to the counts of {@linkcode Program.counts}. */
  setCounts(counts: readonly (readonly number[])[] = []): void {
    this.check();
    // What all ranks have counted together is the first one's from here on.
    const own = this.#tape.together.ranks.rank === 0 ? counts : [];
    this.#scopes.within(() =>
      this.#counters.forEach((counter, i) => {
        const values = Uint32Array.from(own[i] ?? Array(counter.size).fill(0));
        this.#gpu.device.queue.writeBuffer(counter.counts, 0, values);
      })
    );
  }

  /** What every tally has counted in the steps submitted since it was set, over all ranks. */
  async counts(): Promise<number[][]> {
    this.check();
    if (!this.#counters.length) return [];
    const bytes = await this.#gpu.readAll(
      this.#counters.map(({ counts, size }) => ({ buffer: counts, size: size * 4 })),
    );
    const { ranks } = this.#tape.together;
    const counts = bytes.map((each) => new Uint32Array(each));
    if (ranks.size === 1) return counts.map((each) => [...each]);
    const all = await summed(ranks, counts.flatMap((each) => [...each]));
    let place = 0;
    return counts.map(({ length }) => [...all.subarray(place, place += length)]);
  }

  /** What the counts come to, by name. */
  measure(counts: readonly (readonly number[])[]): Record<string, number> {
    return Object.fromEntries(this.#counters.map(({ name, measure }, i) => [name, measure(counts[i])]));
  }

  /**
   * Runs one step dispatch by dispatch and says which one first wrote a number that is not finite, and where; undefined if none did.
   * Slow: everything written is read back.
   */
  async findNonFinite(): Promise<string | undefined> {
    const { findNonFinite } = await more.load();
    this.check();
    const scopes = this.#gpu.scopes();
    const step = scopes.within(() => this.#begin(1));
    const found = await findNonFinite(this.#gpu, scopes, (look) => this.#together(step, look));
    await scopes.settle();
    return found;
  }

  /** Milliseconds of one dispatch, by repeating it; for benchmarks. */
  async time(index: number, repeats: number): Promise<number> {
    return await (await more.load()).timeDispatch(this.#gpu, this.#prepared[index], repeats);
  }

  /**
   * Runs steps and times each of their dispatches where it stands; for benchmarks.
   *
   * @param clock The GPU's clock.
   * @param steps How many, at most.
   * @returns Milliseconds of each dispatch: the median over the steps.
   */
  async profile(clock: Clock, steps: number): Promise<number[]> {
    const { profile } = await more.load();
    steps = Math.min(steps, this.most, Math.floor(clock.left / this.#prepared.length));
    this.#begin(steps);
    // Each dispatch in every step, due or not: it's their times that are wanted.
    return await profile(this.#gpu, clock, this.#prepared, steps);
  }

  /** Frees every buffer of the program and of its tape. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    for (const staging of [...this.#staging, ...this.#exchanged]) staging.destroy();
    this.#tape.destroy();
  }
}

function isDue(due: Due | undefined, step: number): boolean {
  return !due || (step % due.every >= due.at && step % due.every < due.at + due.lasting);
}

/** Values of a term that one workgroup adds, where there are {@linkcode LONG} times as many. */
const SPAN = 1024;
const LONG = 8;

/** What the last dispatch adds of a term: its values, or partial sums of them. */
interface Summand {
  readonly buffer: GPUBuffer;
  readonly parts: number;
  readonly rows: number;
  /** Values for a row of the batch. */
  readonly repeats: number;
  /** Whether what is there counts in every batch, as partial sums do. */
  readonly all: boolean;
}

function metrics(tape: Tape, terms: readonly Term[], ring: GPUBuffer): Dispatch[] {
  const before: Dispatch[] = [];
  const summands = terms.map(({ name, value: { buffer, parts, rows, storedRows } }): Summand => {
    const repeats = rows / tape.batch;
    const groups = Math.ceil(parts * storedRows / SPAN);
    if (!tape.tiles.dividesSums || groups < LONG) return { buffer, parts, rows: storedRows, repeats, all: false };
    const sums = tape.buffer(`sums of ${name}`, groups * 4);
    before.push({
      label: `sums of ${name}`,
      fragments: [{
        parts: [
          stateStruct,
          validRows,
          treeSum("f32", 64),
          termSumShader,
        ],
        constants: { BATCH: tape.batch, PARTS: parts, ROWS: storedRows, REPEATS: repeats, SPAN },
        buffers: { state: tape.readState(), values: read(buffer), sums: write(sums) },
      }],
      workgroups: [groups],
    });
    return { buffer: sums, parts: 1, rows: groups, repeats, all: true };
  });
  // As many at a time as a kernel may bind beside the state and the ring; the last moves on to the next step.
  const most = Math.max(1, tape.gpu.device.limits.maxStorageBuffersPerShaderStage - 2);
  const groups = Array.from(
    { length: Math.ceil(summands.length / most) },
    (_, i) => summands.slice(i * most, (i + 1) * most),
  );
  return [
    ...before,
    ...groups.map((group, i): Dispatch => {
      const constants = group.flatMap(({ parts, rows, all, repeats }, j) => [
        [`PARTS_${j}`, parts],
        [`ROWS_${j}`, rows],
        [`ALL_${j}`, all],
        [`REPEATS_${j}`, repeats],
      ]);
      const parameters = {
        terms: group.length,
        first: i * most,
        all: terms.length,
        ends: i === groups.length - 1 ? 1 : 0,
      };
      return {
        label: groups.length === 1 ? "metrics" : `metrics ${i}`,
        fragments: [{
          parts: [stateStruct, validRows, treeSum("f32", tape.tiles.invocations), { text: metricsShader, parameters }],
          // As many invocations as the tiles have, so that it can become a part of the dispatch of another kernel.
          constants: {
            ...{ BATCH: tape.batch, SLOTS, INVOCATIONS: tape.tiles.invocations, BLOCK: 64 },
            ...Object.fromEntries(constants),
          },
          buffers: {
            state: write(tape.state, "State"),
            ring: write(ring),
            ...Object.fromEntries(group.map(({ buffer }, j) => [`parts_${j}`, read(buffer)])),
          },
        }],
        workgroups: [1],
      };
    }),
  ];
}
