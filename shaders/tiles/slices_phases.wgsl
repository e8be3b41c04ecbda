// The partial sums of weights [K K C, N] of which each phase of phases.wgsl formed its own, and of a bias to which all add.
// Needs: const CHUNKS, SLICES, ROWS_slice, ROW_sum_bias, KERNEL, PADDING, PHASES, TAPS, CHANNELS_b (C), GROUPS4_a.
// Gives: slices_of.

fn slices_of(row: u32) -> vec3u {
  let tap = vec2u(row / CHANNELS_b / KERNEL, row / CHANNELS_b % KERNEL);
  // The phase in which tap_of gives this weight, and its number there.
  let side = (tap % PHASES + PHASES - PADDING % PHASES) % PHASES;
  let number = tap.x / PHASES * TAPS + tap.y / PHASES;
  let weight = vec3u((side.x * PHASES + side.y) * CHUNKS, CHUNKS, number * 4u * GROUPS4_a + row % CHANNELS_b);
  let padding = tap.x >= KERNEL;
  let used = select(weight, vec3u(), padding);
  return select(used, vec3u(0u, SLICES, ROWS_slice - 1u), row == ROW_sum_bias);
}
