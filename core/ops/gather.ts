/**
 * Taking the rows of a step's batch out of a dataset that lies on the GPU.
 *
 * @module
 */

import { type Dataset, features, requireRows, type Split, typeOf } from "../dataset.ts";
import type { Gpu } from "../gpu/device.ts";
import { read, write } from "../gpu/kernel.ts";
import { roomFor } from "../row_reader.ts";
import { permutation } from "../graph/random.ts";
import { MOST_SCHEDULES } from "../graph/schedule.ts";
import type { HostStream, State, Tape, Variable } from "../graph/tape.ts";
import { createBuffer, mostBytes } from "../gpu/tensor.ts";
import gatherDynamic from "../../shaders/gather_dynamic.wgsl" with { type: "text" };
import gatherRaw from "../../shaders/gather_raw.wgsl" with { type: "text" };
import gatherShader from "../../shaders/gather.wgsl" with { type: "text" };
import gatherThreshold from "../../shaders/gather_threshold.wgsl" with { type: "text" };
import random from "../../shaders/random.wgsl" with { type: "text" };
import rowResident from "../../shaders/row_resident.wgsl" with { type: "text" };
import rowStreamed from "../../shaders/row_streamed.wgsl" with { type: "text" };
import scheduleShader from "../../shaders/schedule.wgsl" with { type: "text" };
import shuffle from "../../shaders/shuffle.wgsl" with { type: "text" };
import stateStruct from "../../shaders/state.wgsl" with { type: "text" };

/**
 * How pixels become data: as they are, x >= 1/2, or x ~ Bernoulli(pixel) drawn anew each time. Grey values under a Bernoulli
 * likelihood are no likelihood of anything; figures of different binarizations cannot be compared.
 */
export const BINARIZATIONS = ["none", "threshold", "dynamic"] as const;
/** The name of a binarization. */
export type Binarization = typeof BINARIZATIONS[number];

/**
 * Where the rows of a split lie: all on the GPU; on the host, from where every submit brings the rows of its steps; or on the GPU if one
 * binding can hold them. The same rows come in the same order, so that it changes no bit of a training.
 */
export const PLACEMENTS = ["auto", "resident", "streamed"] as const;
/** The name of a placement. */
export type Placement = typeof PLACEMENTS[number];

/** Rows on the GPU: bytes four to a word, or floats four to a vector, each row padded to whole words. */
export interface Resident {
  /** What it is called in messages. */
  readonly name: string;
  /** Where the rows are. */
  readonly buffer: GPUBuffer;
  /** The rows on the host. */
  readonly split: Split;
  /** D */
  readonly columns: number;
  /** How values are stored; bytes stand for byte / 255. */
  readonly type: "u8" | "f32";
  /** Bytes of a row, padding included. */
  readonly stride: number;
  /** Whether the buffer holds only the rows of the steps under way. */
  readonly streamed: boolean;
}

/** Bytes of rows that are copied at a time. */
const PIECE = 2 ** 25;

/** Bytes of rows under way. */
const ROOM = 2 ** 26;

/**
 * Copies the rows of a split to the GPU, as they are (bytes stay bytes), or makes room there for those of the steps under way.
 *
 * @param room Bytes to make room for, where the rows stay on the host.
 * @throws {RangeError} If the values are not of that shape, or one binding cannot hold them and `placement` is "resident".
 */
export function makeResident(
  gpu: Gpu,
  name: string,
  shape: Dataset["shape"],
  split: Split,
  placement: Placement = "auto",
  room: number = ROOM,
): Resident {
  requireRows(`use "${name}"`, shape, split);
  const columns = features(shape);
  const { count } = split;
  const type = typeOf(split);
  const stride = Math.ceil(columns / 4) * (type === "u8" ? 4 : 16);
  const { name: limitName, bytes: limit } = mostBytes(gpu.device.limits);
  if (placement === "resident" && count * stride > limit) {
    throw new RangeError(
      `Cannot keep "${name}" on the GPU: expected at most ${limit} bytes in a binding (${limitName}), found ${
        count * stride
      }`,
    );
  }
  const streamed = placement === "streamed" || count * stride > limit;
  const rows = streamed ? Math.floor(Math.min(room, limit) / stride) : count;
  const buffer = createBuffer(gpu, name, rows * stride);
  const resident: Resident = { name, buffer, split, columns, type, stride, streamed };
  if (!streamed) {
    // In pieces: one upload of everything would hold the data once more in memory.
    const piece = Math.max(1, Math.floor(PIECE / stride));
    for (let from = 0; from < count; from += piece) {
      writeRows(gpu, resident, from, Math.min(piece, count - from), (i) => from + i);
    }
  }
  return resident;
}

/** Writes rows of the split to the places from `place` on: the `i`-th of them is `rowAt(i)`. */
function writeRows(
  gpu: Gpu,
  { buffer, split, columns, type, stride }: Resident,
  place: number,
  count: number,
  rowAt: (i: number) => number,
): void {
  const width = type === "u8" ? stride : stride / 4;
  const { stored } = split;
  const piece = roomFor(type, count * width);
  // Rows that need no padding are read to where they go.
  const read = stored && (width === columns ? piece : roomFor(type, count * columns));
  if (read) stored.read(count, rowAt, read);
  const values = read ?? split.values;
  if (values !== piece) {
    for (let i = 0; i < count; i++) {
      const row = read ? i : rowAt(i);
      piece.set(values.subarray(row * columns, (row + 1) * columns), i * width);
    }
  }
  gpu.device.queue.writeBuffer(buffer, place * stride, piece);
}

/** Brings the rows of the steps of each submit: row_of of shaders/row_resident.wgsl, on the host. */
function streaming(t: Tape, source: Resident): HostStream {
  const { name, split: { count }, stride } = source;
  const steps = Math.floor(source.buffer.size / stride / t.batch);
  if (steps === 0) {
    throw new RangeError(
      `Cannot bring batches of "${name}": expected at most ${source.buffer.size} bytes, found ${t.batch * stride}`,
    );
  }
  const { rank, size } = t.together.ranks;
  const batch = t.batch * size;
  const rowAt = ({ seed, shuffle }: State, first: number) => {
    const placeIn = (i: number) => rank * t.batch + i % t.batch;
    if (!shuffle) {
      const batches = Math.ceil(count / batch);
      return (i: number) => {
        const step = first + Math.floor(i / t.batch);
        return Math.min((step % batches) * batch + placeIn(i), count - 1);
      };
    }
    let epoch = -1;
    let order = (position: number) => position;
    return (i: number) => {
      const position = (first + Math.floor(i / t.batch)) * batch + placeIn(i);
      if (Math.floor(position / count) !== epoch) {
        epoch = Math.floor(position / count);
        order = permutation(count, seed, epoch);
      }
      return order(position % count);
    };
  };
  return {
    steps,
    bring(state, step, n) {
      for (let done = 0; done < n;) {
        const slot = (step + done) % steps;
        const some = Math.min(n - done, steps - slot);
        writeRows(t.gpu, source, slot * t.batch, some * t.batch, rowAt(state, step + done));
        done += some;
      }
    },
  };
}

/**
 * x [N, D]: the rows of this step's batch, in the shuffled or the stored order, binarized if asked. It is where a step begins: the first
 * gather of a tape sets the step's scheduled numbers on the way.
 */
export function gather(
  t: Tape,
  source: Resident,
  binarize: Binarization,
  { name = "x" }: { readonly name?: string } = {},
): Variable {
  const x = t.variable(name, source.columns, source.type);
  const [type, values] = source.type === "u8" ? ["u32", "unpack4x8unorm"] : ["vec4f", "vec4f"];
  const words = Math.ceil(source.columns / 4);
  const hostStream = source.streamed ? streaming(t, source) : undefined;
  if (hostStream) t.hostStream(hostStream);
  const setsSchedules = t.claimSchedules();
  const stream = t.stream();
  const pack = source.type === "u8" ? "pack4x8unorm" : "vec4f";
  const text = { none: gatherRaw, threshold: gatherThreshold, dynamic: gatherDynamic }[binarize];
  const made: Record<string, string> = binarize === "none" ? {} : { values, pack };
  const value = { text, parameters: { type, ...made } };
  t.record({
    name: `gather ${name}`,
    inputs: [],
    parameters: [],
    forward() {
      t.produce({
        label: `gather ${name}`,
        variable: x,
        columns4: words,
        // Of the rows only those of the batch.
        bytes: 2 * t.rows * source.stride,
        by: {
          parts: [
            ...[stateStruct, random, value, ...setsSchedules ? [scheduleShader] : []],
            { text: gatherShader, parameters: { values, sets: setsSchedules ? 1 : 0 } },
            ...hostStream ? [rowStreamed] : [rowResident, shuffle],
          ],
          constants: {
            ...hostStream ? { STEPS: hostStream.steps } : {},
            ...hostStream ? {} : { GATHERED: t.batch * t.together.ranks.size },
            BATCH: t.batch,
            ...t.drawn("binarize", t.batch),
            STREAM_binarize: stream,
          },
          buffers: {
            state: t.readState(),
            ...setsSchedules
              ? {
                schedules: read(t.schedules, "array<Schedule>"),
                scalars: write(t.scalars, `array<vec4f, ${MOST_SCHEDULES / 4}>`),
              }
              : {},
            source: read(source.buffer, `array<${type}>`),
            batch: write(t.tensor(x), `array<${type}>`),
          },
        },
      });
    },
  }, x);
  return x;
}
