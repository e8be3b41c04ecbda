// -log p(x | location, scale) of each row, summed over its features, and the derivatives by location and scale, formed where the
// location is: it need not be stored.
// Needs: likelihood, scale_at, counts, load_data (x), row_sum, backward_location, backward_scale, upstream_nll, buffer nll of f32, const
// SUMMED4, ROWS_nll. Gives: store.

fn store(row: u32, column4: u32, value: vec4f) {
  let scale = scale_at(row, column4);
  let found = likelihood(value, scale.value, load_data(row, column4));
  let valid = counts(row, column4);
  let weight = upstream_nll(row);
  backward_location(row, column4, select(vec4f(), found.to_location * weight, valid));
  backward_scale(row, column4, select(vec4f(), found.to_scale * scale.slope * weight, valid));
  let sum = row_sum(dot(select(vec4f(), found.nll, valid), vec4f(1.0)));
  if (column4 % SUMMED4 == 0u) {
    nll[(column4 / SUMMED4) * ROWS_nll + row] = sum;
  }
}
