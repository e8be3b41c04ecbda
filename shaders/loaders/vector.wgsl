// Loader: a vector, the same for every row; or its first number for every element. Needs: buffer $m of vec4f, const SINGLE_$m.
// Gives: load_$m.

fn load_$m(row: u32, column4: u32) -> vec4f {
  if (SINGLE_$m) {
    return $m[0].xxxx;
  }
  return $m[at(1u, 0u, column4)];
}
