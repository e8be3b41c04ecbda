// The partial sums of weights [K K C, N] of which each residue of residues.wgsl formed its own, and of a bias to which all add.
// Needs: const CHUNKS, SLICES, ROWS_slice, ROW_sum_bias, KERNEL, PADDING, RESIDUES, TAPS, CHANNELS_b (C), GROUPS4_a.
// Gives: slices_of.

fn slices_of(row: u32) -> vec3u {
  let tap = vec2u(row / CHANNELS_b / KERNEL, row / CHANNELS_b % KERNEL);
  // The residue in which tap_of gives this weight, and its number there.
  let side = (tap % RESIDUES + RESIDUES - PADDING % RESIDUES) % RESIDUES;
  let number = tap.x / RESIDUES * TAPS + tap.y / RESIDUES;
  let weight = vec3u((side.x * RESIDUES + side.y) * CHUNKS, CHUNKS, number * 4u * GROUPS4_a + row % CHANNELS_b);
  let padding = tap.x >= KERNEL;
  let used = select(weight, vec3u(), padding);
  return select(used, vec3u(0u, SLICES, ROWS_slice - 1u), row == ROW_sum_bias);
}
