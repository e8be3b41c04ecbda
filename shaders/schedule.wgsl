// Schedules: numbers that follow from the step. Equal to core/graph/schedule.ts, which documents the kinds.
// Gives: scheduled, NO_SCHEDULE.

struct Schedule {
  kind: u32,
  from_value: f32,
  to_value: f32,
  start: f32,
  steps: f32,
  factor: f32,
}

/// The kind of a place for which there is no schedule.
const NO_SCHEDULE = 7u;

/// 1 - exp(-x) for x >= 0, without cancellation where x is small.
fn one_minus_exp(x: f32) -> f32 {
  if (x < 0.1) {
    return x * (1.0 - x / 2.0 * (1.0 - x / 3.0 * (1.0 - x / 4.0 * (1.0 - x / 5.0))));
  }
  return 1.0 - exp(-x);
}

fn scheduled(s: Schedule, step: u32) -> f32 {
  let t = f32(step) - s.start;
  let progress = clamp(t / s.steps, 0.0, 1.0);
  switch s.kind {
    case 1u: { // linear
      return s.from_value + (s.to_value - s.from_value) * progress;
    }
    case 2u: { // cyclic
      let phase = (max(t, 0.0) % s.steps) / s.steps / s.factor;
      return s.from_value + (s.to_value - s.from_value) * min(phase, 1.0);
    }
    case 3u: { // decay: `factor` is its logarithm, of which float32 holds more
      return s.from_value * exp(s.factor * floor(max(t, 0.0) / s.steps));
    }
    case 4u: { // cosine
      return s.to_value + (s.from_value - s.to_value) * 0.5 * (1.0 + cos(3.141592653589793 * progress));
    }
    case 5u: { // bias correction, of `from_value` updates for each `steps` steps, from `start` on: `factor` is -log beta
      let lasting = u32(s.from_value);
      let within = clamp(i32(step % u32(s.steps)) - i32(s.start), 0, i32(lasting) - 1);
      return 1.0 / one_minus_exp(s.factor * f32(step / u32(s.steps) * lasting + u32(within) + 1u));
    }
    case 6u: { // tripling: `factor` is its logarithm
      return s.from_value * exp(s.factor * floor(log(1.0 + 2.0 * max(t, 0.0) / s.steps) / 1.0986122886681098 + 2e-6));
    }
    default: { // constant
      return s.from_value;
    }
  }
}
