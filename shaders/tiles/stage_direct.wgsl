// Copies a block of an operand into workgroup memory as it lies: $each times as many vectors as there are invocations, $wide in
// a row; first into registers, then from there. Needs: load_$m, tile_$m, const INVOCATIONS. Gives: fetch_$m, put_$m.

fn fetch_$m(row: u32, column: u32, index: u32) -> array<vec4f, $each> {
  var values: array<vec4f, $each>;
  //: repeat i 0..$each
  {
    let place = index + INVOCATIONS * $iu;
    values[$i] = load_$m(row + place / $wideu, (column >> 2u) + place % $wideu);
  }
  //: end
  return values;
}

fn put_$m(values: array<vec4f, $each>, index: u32) {
  //: repeat i 0..$each
  {
    let place = index + INVOCATIONS * $iu;
    tile_$m[place / $wideu][place % $wideu] = values[$i];
  }
  //: end
}
