/**
 * Schedules: a weight or a learning rate as a function of the step, as data, so that it runs on the GPU (shaders/schedule.wgsl) and
 * is kept in a checkpoint.
 *
 * @module
 */

/** A number that follows from the step t, counted from 0. */
export type Schedule =
  /** The value at every step. */
  | { readonly kind: "constant"; readonly value: number }
  /** From `from` to `to` in a straight line over `steps` steps after `start` (warm-up, growing capacity). */
  | {
    readonly kind: "linear";
    readonly from: number;
    readonly to: number;
    readonly steps: number;
    readonly start?: number;
  }
  /**
   * From `from` to `to` in the first `rising` part of each period of `steps` steps, then `to` (cyclic annealing). Source: Fu et
   * al., "Cyclical Annealing Schedule", NAACL 2019.
   */
  | {
    readonly kind: "cyclic";
    readonly from: number;
    readonly to: number;
    readonly steps: number;
    readonly rising: number;
  }
  /** `from` times `factor` for every `steps` steps gone. */
  | { readonly kind: "decay"; readonly from: number; readonly factor: number; readonly steps: number }
  /**
   * `from` times `factor` for every stage gone, where stages last `steps`, 3 `steps`, 9 `steps`, ... Source: Burda et al.,
   * arXiv:1509.00519, section 5.
   */
  | { readonly kind: "tripling"; readonly from: number; readonly factor: number; readonly steps: number }
  /** From `from` to `to` along half a cosine over `steps` steps. */
  | { readonly kind: "cosine"; readonly from: number; readonly to: number; readonly steps: number }
  /**
   * Adam's 1 / (1 - beta^n), n counting updates: one for each `steps` steps, 1 by default, or in the `lasting` steps of them from `at` on.
   */
  | {
    readonly kind: "correction";
    readonly beta: number;
    readonly steps?: number;
    readonly at?: number;
    readonly lasting?: number;
  };

/** The schedule of a number that stays. */
export function constant(value: number): Schedule {
  return { kind: "constant", value };
}

/** The same schedule with its values multiplied. */
export function scaled(schedule: Schedule, factor: number): Schedule {
  switch (schedule.kind) {
    case "constant":
      return { ...schedule, value: schedule.value * factor };
    case "decay":
    case "tripling":
      return { ...schedule, from: schedule.from * factor };
    case "correction":
      throw new TypeError("Cannot scale a bias correction");
    default:
      return { ...schedule, from: schedule.from * factor, to: schedule.to * factor };
  }
}

/** The value at a step, in float64; at step `Infinity`, the one that it ends with (a cyclic one, each period). */
export function valueAt(schedule: Schedule, step: number): number {
  switch (schedule.kind) {
    case "constant":
      return schedule.value;
    case "linear": {
      const progress = Math.min(1, Math.max(0, (step - (schedule.start ?? 0)) / schedule.steps));
      return schedule.from + (schedule.to - schedule.from) * progress;
    }
    case "cyclic": {
      const phase = step === Infinity ? 1 : (step / schedule.steps) % 1 / schedule.rising;
      return schedule.from + (schedule.to - schedule.from) * Math.min(1, phase);
    }
    case "decay":
      return schedule.from * schedule.factor ** Math.floor(step / schedule.steps);
    case "tripling": {
      // Stage i begins at (3^i - 1) / 2 times `steps`; a little more, so that rounding does not put its first step into the one before.
      const stage = Math.floor(Math.log(1 + 2 * step / schedule.steps) / Math.log(3) + 2e-6);
      return schedule.from * schedule.factor ** stage;
    }
    case "cosine": {
      const progress = Math.min(1, step / schedule.steps);
      return schedule.to + (schedule.from - schedule.to) * 0.5 * (1 + Math.cos(Math.PI * progress));
    }
    case "correction": {
      const { beta, steps = 1, at = 0, lasting = 1 } = schedule;
      const within = Math.min(Math.max(step % steps - at, 0), lasting - 1);
      return 1 / -Math.expm1(Math.log(beta) * (Math.floor(step / steps) * lasting + within + 1));
    }
  }
}

/** Floats of one schedule in the GPU's buffer. */
export const SCHEDULE_FLOATS = 6;

/** Scheduled numbers for which shaders/state.wgsl has room. */
export const MOST_SCHEDULES = 256;

/** The struct Schedule of shaders/schedule.wgsl, {@linkcode MOST_SCHEDULES} times: kind (a u32), from, to, start, steps, factor. */
export function encodeSchedules(schedules: readonly Schedule[]): ArrayBuffer {
  const floats = new Float32Array(MOST_SCHEDULES * SCHEDULE_FLOATS);
  const kinds = new Uint32Array(floats.buffer);
  // No schedule.
  for (let i = schedules.length; i < MOST_SCHEDULES; i++) kinds[i * SCHEDULE_FLOATS] = 7;
  schedules.forEach((s, i) => {
    const put = (kind: number, from = 0, to = 0, start = 0, steps = 1, factor = 1) => {
      floats.set([0, from, to, start, steps, factor], i * SCHEDULE_FLOATS);
      kinds[i * SCHEDULE_FLOATS] = kind;
    };
    if (s.kind === "constant") put(0, s.value);
    else if (s.kind === "linear") put(1, s.from, s.to, s.start ?? 0, s.steps);
    else if (s.kind === "cyclic") put(2, s.from, s.to, 0, s.steps, s.rising);
    else if (s.kind === "decay") put(3, s.from, 0, 0, s.steps, Math.log(s.factor));
    else if (s.kind === "tripling") put(6, s.from, 0, 0, s.steps, Math.log(s.factor));
    else if (s.kind === "cosine") put(4, s.from, s.to, 0, s.steps);
    else put(5, s.lasting ?? 1, 0, s.at ?? 0, s.steps ?? 1, -Math.log(s.beta));
  });
  return floats.buffer;
}
