// x ~ p(x | location, scale), from noise of (seed, number of the row, stream, column4): however many rows are drawn at a time, each has its
// own. Needs: drawn, random_$noise, buffer state, const STREAM_sample, VALID_sample (rows, padding left out). Gives: value_of.

fn value_of(row: u32, column4: u32, location: vec4f, scale: vec4f) -> vec4f {
  return drawn(location, scale, random_$noise(state.seed, state.step * VALID_sample + row, STREAM_sample, column4));
}
