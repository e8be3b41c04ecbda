// Loader: the gradient (g - (e_k · g) e_k) / |E_k| of the columns E_k of a codebook whose codes e_k are the columns over their lengths,
// g = 2 w Σ (e_k - z) with weight w, from the sums Σ (z - e_k) of the rows that each code has and their parts along it.
// Needs: load_left, load_code, upstream_codebook, buffers along and inverse_lengths of vec4f. Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  let across = load_left(row, column4) - along[column4] * load_code(row, column4);
  return -2.0 * upstream_codebook(0u) * inverse_lengths[column4] * across;
}
