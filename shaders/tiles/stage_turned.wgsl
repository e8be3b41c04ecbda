// Copies a block of an operand into workgroup memory transposed, 4 x 4 values an invocation, for $squares of the invocations:
// (row, column) is the place in the transposed operand, where a row of the block has $wide vectors. Invocations beside one
// another write beside one another, so that each bank of workgroup memory is written once, and read a piece of 16 bytes of rows
// that are 128 bytes apart. First into registers, then from there.
// Needs: load_$m, tile_$m. Gives: fetch_$m, put_$m.

fn fetch_$m(row: u32, column: u32, index: u32) -> array<vec4f, 4> {
  var values: array<vec4f, 4>;
  if (index < $squaresu) {
    let x = index / $wideu;
    let y = index % $wideu;
    //: repeat r 0..4
    values[$r] = load_$m(column + 4u * y + $ru, (row >> 2u) + x);
    //: end
  }
  return values;
}

fn put_$m(values: array<vec4f, 4>, index: u32) {
  if (index < $squaresu) {
    let x = index / $wideu;
    let y = index % $wideu;
    //: repeat c 0..4
    tile_$m[4u * x + $cu][y] = vec4f(values[0][$c], values[1][$c], values[2][$c], values[3][$c]);
    //: end
  }
}
