// The gradient of z from that of its code: passed straight through, and 2 w (z - e) of the commitment |z - e|² with weight w.
// Needs: load_z, load_e, upstream_commitment, buffer gradient of vec4f, const ROWS_gradient, POSITIONS. Gives: finish.

fn finish(row: u32, column4: u32, value: vec4f) {
  let commitment = 2.0 * upstream_commitment(row / POSITIONS) * (load_z(row, column4) - load_e(row, column4));
  gradient[at(ROWS_gradient, row, column4)] = value + commitment;
}
