/**
 * Taking the rows of a step's batch out of a dataset that lies on the GPU.
 *
 * @module
 */

import { type Dataset, features, type Split } from "../dataset.ts";
import type { Gpu } from "../device.ts";
import { read, write } from "../kernel.ts";
import { encodeSchedules, type Schedule } from "../schedule.ts";
import type { Tape, Variable } from "../tape.ts";
import { createBuffer } from "../tensor.ts";
import gatherDynamic from "../../shaders/gather_dynamic.wgsl" with { type: "text" };
import gatherRaw from "../../shaders/gather_raw.wgsl" with { type: "text" };
import gatherShader from "../../shaders/gather.wgsl" with { type: "text" };
import gatherThreshold from "../../shaders/gather_threshold.wgsl" with { type: "text" };
import layout from "../../shaders/layout.wgsl" with { type: "text" };
import random from "../../shaders/random.wgsl" with { type: "text" };
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

/** Rows resident on the GPU: bytes four to a word, or floats four to a vector, each row padded to whole words. */
export interface Resident {
  readonly buffer: GPUBuffer;
  readonly count: number;
  readonly columns: number;
  readonly type: "u8" | "f32";
}

/** Copies the rows of a split to the GPU, as they are: bytes stay bytes. */
export function makeResident(gpu: Gpu, name: string, shape: Dataset["shape"], split: Split): Resident {
  const columns = features(shape);
  const { values, count } = split;
  if (values.length !== count * columns) {
    throw new RangeError(`Cannot use "${name}": expected ${count} x ${columns} values, found ${values.length}`);
  }
  const words = Math.ceil(columns / 4);
  const type = values instanceof Uint8Array ? "u8" : "f32";
  const buffer = createBuffer(gpu, name, count * words * (type === "u8" ? 4 : 16));
  // In pieces: one upload of everything would hold the data once more in memory.
  const rowsAtOnce = Math.max(1, Math.floor(2 ** 24 / words / 16));
  for (let from = 0; from < count; from += rowsAtOnce) {
    const rows = Math.min(rowsAtOnce, count - from);
    const piece = type === "u8" ? new Uint8Array(rows * words * 4) : new Float32Array(rows * words * 4);
    for (let row = 0; row < rows; row++) {
      piece.set(values.subarray((from + row) * columns, (from + row + 1) * columns), row * words * 4);
    }
    gpu.device.queue.writeBuffer(buffer, from * words * (type === "u8" ? 4 : 16), piece);
  }
  return { buffer, count, columns, type };
}

/**
 * x [N, D]: the rows of this step's batch, in the shuffled or the stored order, binarized if asked. It is the first dispatch of a
 * step, and sets the step's scheduled numbers on the way, unless another gather of the tape does.
 */
export function gather(
  t: Tape,
  source: Resident,
  binarize: Binarization,
  { name = "x", setsSchedules = true }: { readonly name?: string; readonly setsSchedules?: boolean } = {},
): { x: Variable; setSchedules(schedules: readonly Schedule[]): void } {
  if (source.type === "f32" && binarize !== "none") {
    throw new RangeError(`Cannot binarize float data: expected binarize "none", found "${binarize}"`);
  }
  const x = t.variable(name, source.columns, source.type);
  const type = source.type === "u8" ? "u32" : "vec4f";
  const words = Math.ceil(source.columns / 4);
  const schedules = t.buffer("schedules", encodeSchedules(Array(28).fill({ kind: "constant", value: 0 })).byteLength);
  const stream = t.stream();
  const value = { none: { text: gatherRaw, parameters: { type } }, threshold: gatherThreshold, dynamic: gatherDynamic };
  t.record({
    name: `gather ${name}`,
    inputs: [],
    parameters: [],
    forward() {
      const groups = Math.ceil(t.rows * words / 64);
      const across = Math.min(groups, 32768);
      t.dispatch({
        label: `gather ${name}`,
        fragments: [{
          parts: [stateStruct, layout, random, shuffle, scheduleShader, gatherShader, value[binarize]],
          constants: {
            ROWS: t.rows,
            BATCH: t.batch,
            WORDS: words,
            SCALARS: setsSchedules ? 28 : 0,
            STREAM_binarize: stream,
          },
          buffers: {
            state: write(t.state, "State"),
            schedules: read(schedules, "array<Schedule>"),
            source: read(source.buffer, `array<${type}>`),
            batch: write(t.tensor(x), `array<${type}>`),
          },
        }],
        workgroups: [across, Math.ceil(groups / across)],
      });
    },
  }, x);
  return { x, setSchedules: (all) => t.gpu.device.queue.writeBuffer(schedules, 0, encodeSchedules(all)) };
}
