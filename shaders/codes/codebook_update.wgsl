// What a step makes of the codes besides an optimizer, four at a time, from the sums Σ (z - e_k) of the rows that each code has.
// Where $averaged is 1, the moving average m_k = γ m_k + (1 - γ) Σ z of those rows, which over the smoothed size of the cluster is
// the code; where $unit is 1, the e_k are not the columns of the codebook but those of unit_codes. A dead code becomes the row that was drawn
// for it.
// Needs: at, at_scalar, revived_at, buffers codebook and sizes of vec4f, origins of u32, and for averages left, usage and unit_codes of vec4f;
// const ROWS_codebook, ROWS_left, ROW_left, ROWS_usage, ROW_usage, ROWS_unit, DEPTH, CODES, NONE, and DECAY as f32. Gives: store.

fn store(row: u32, column4: u32, value: vec4f) {
  if (row >= DEPTH || 4u * column4 >= CODES) {
    return;
  }
  let index = at(ROWS_codebook, row, column4);
  var code = codebook[index];
  //: repeat _ 0..$averaged
  let counts = left[at(ROWS_left, ROW_left, column4)];
  //: repeat _ 0..$unit
  code = unit_codes[at(ROWS_unit, row, column4)];
  //: end
  let sums = usage[at(ROWS_usage, row, column4)];
  var average = DECAY * sums + (1.0 - DECAY) * (value + counts * code);
  let valid = columns_below(CODES, column4);
  code = select(vec4f(), average / select(vec4f(1.0), sizes[column4], valid), valid);
  //: end
  //: repeat c 0..4
  if (4u * column4 + $cu < CODES) {
    let origin = origins[4u * column4 + $cu];
    if (origin != NONE) {
      code[$c] = revived_at(origin, row, 4u * column4 + $cu);
      //: repeat _ 0..$averaged
      average[$c] = code[$c] * usage[at(ROWS_usage, ROW_usage, column4)][$c];
      //: end
    }
  }
  //: end
  codebook[index] = code;
  //: repeat _ 0..$averaged
  usage[at(ROWS_usage, row, column4)] = average;
  //: end
}
