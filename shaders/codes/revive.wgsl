// The rows that dead codes become, as far as this rank has them, else 0: added up over all ranks they are all of them.
// Needs: at_scalar, buffers z and revived of f32, origins of u32; const ROWS_z, ROWS_revived, DEPTH, CODES, ROWS_here, FIRST_z, NONE.
// Gives: store.

fn store(row: u32, column4: u32, value: vec4f) {
  //: repeat c 0..4
  if (row < DEPTH && 4u * column4 + $cu < CODES) {
    let origin = origins[4u * column4 + $cu];
    let place = origin - FIRST_z;
    let here = origin != NONE && origin >= FIRST_z && place < ROWS_here;
    revived[at_scalar(ROWS_revived, row, 4u * column4 + $cu)] = select(0.0, z[at_scalar(ROWS_z, select(0u, place, here), row)], here);
  }
  //: end
}
