// The location and so many deviations. Needs: quantile, const QUANTILE. Gives: value_of.

fn value_of(row: u32, column4: u32, location: vec4f, scale: vec4f) -> vec4f {
  return quantile(location, scale, vec4f(QUANTILE));
}
