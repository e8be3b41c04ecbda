// z of the product, and its divergence from the prior summed over the latent dimensions, four at a time.
// Needs: product_at, deviation_of, divergence, noise_at, keep_divergence, buffer z of vec4f, const ROWS_produced, LATENTS.
// Gives: begun, origin_of, produced.

fn begun(index: u32) {
}

fn origin_of(row: u32) -> u32 {
  return row;
}

fn produced(row: u32, origin: u32, column4: u32, kept: bool) -> vec4f {
  let p = product_at(row, column4);
  let valid = columns_below(LATENTS, column4);
  let noise = noise_at(row, column4);
  let drawn = select(vec4f(), p.prior_mean + p.share * p.apart + deviation_of(p) * noise, valid);
  if (kept) {
    z[at(ROWS_produced, row, column4)] = drawn;
    keep_divergence(column4 * ROWS_produced + row, divergence(p, noise), valid);
  }
  return drawn;
}
