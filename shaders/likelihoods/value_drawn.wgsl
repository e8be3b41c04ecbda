// x ~ p(x | location, scale), from noise of (seed, step, stream, index). Needs: drawn, random_$noise, buffer state, const STREAM_sample,
// ROWS_y. Gives: value_of.

fn value_of(row: u32, column4: u32, location: vec4f, scale: vec4f) -> vec4f {
  return drawn(location, scale, random_$noise(state.seed, state.step, STREAM_sample, column4 * ROWS_y + row));
}
