// Loader: a = gain (x - mean) / sqrt(variance + ε) + offset, by moving averages. Needs: at, load4_norm_x, buffers norm_affine and
// norm_running of vec4f, const FLAT, CHANNELS4, ROWS_norm_x, ROWS_norm_affine, ROW_norm_offset, ROWS_norm_running, ROW_norm_running,
// EPSILON as f32. Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  let channel4 = select(column4, column4 % CHANNELS4, FLAT);
  let mean = norm_running[at(ROWS_norm_running, ROW_norm_running, channel4)];
  let scale = inverseSqrt(norm_running[at(ROWS_norm_running, 0u, channel4)] + EPSILON);
  let gain = norm_affine[at(ROWS_norm_affine, 0u, channel4)];
  let offset = norm_affine[at(ROWS_norm_affine, ROW_norm_offset, channel4)];
  return gain * ((load4_norm_x(at(ROWS_norm_x, row, column4)) - mean) * scale) + offset;
}
