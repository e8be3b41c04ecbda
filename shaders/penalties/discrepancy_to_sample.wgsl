// Loader: the gradient of Σₙ uₙ times what row n has of the squared maximum mean discrepancy, by the rows a_n of one sample, b being the
// other: of 2 k'(‖a_n - a_j‖²) (a_n - a_j) the sum over j ≠ n with (u_n + u_j) / (R - 1), minus that of 2 k'(‖a_n - b_j‖²) (a_n - b_j) over
// all j with (u_n + u_j) / R. a is z, or where OF_DRAWS is true the draws of the prior.
// Needs: at_scalar, valid_rows, similarity_slope, upstream_discrepancy, buffers compared (z), drawn (p) and distances of f32, const
// ROWS_compared, COMPARED (K), PAIRED, DRAWS, OF_DRAWS. Gives: load_a.

fn four_of(draws: bool, row: u32, column4: u32) -> vec4f {
  var v = vec4f();
  //: repeat c 0..4
  if (4u * column4 + $cu < COMPARED) {
    let place = at_scalar(ROWS_compared, row, 4u * column4 + $cu);
    if (draws) {
      v[$c] = drawn[place];
    } else {
      v[$c] = compared[place];
    }
  }
  //: end
  return v;
}

fn load_a(row: u32, column4: u32) -> vec4f {
  let count = valid_rows() * DRAWS;
  if (row >= count || count < 2u || 4u * column4 >= COMPARED) {
    return vec4f();
  }
  let a = four_of(OF_DRAWS, row, column4);
  let own = upstream_discrepancy(row);
  var within = vec4f();
  var across = vec4f();
  for (var j = 0u; j < count; j++) {
    let weight = 2.0 * (own + upstream_discrepancy(j));
    let alike = (select(0u, 2u * PAIRED, OF_DRAWS) + row) * PAIRED + j;
    let unlike = select((PAIRED + row) * PAIRED + j, (PAIRED + j) * PAIRED + row, OF_DRAWS);
    // Of itself a row is no distance away.
    within += weight * similarity_slope(distances[alike]) * (a - four_of(OF_DRAWS, j, column4));
    across += weight * similarity_slope(distances[unlike]) * (a - four_of(!OF_DRAWS, j, column4));
  }
  return within / f32(count - 1u) - across / f32(count);
}
