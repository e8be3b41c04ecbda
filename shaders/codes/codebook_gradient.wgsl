// Loader: the gradient 2 w Σ (e_k - z) of the codes of the codebook loss |e - z|² with weight w, from the sums Σ (z - e_k) of the
// rows that each code has. Needs: load_left, upstream_codebook. Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  return -2.0 * upstream_codebook(0u) * load_left(row, column4);
}
