// Partial sums of a slice, for the kernel or panel that adds them. Needs: buffer partial of vec4f, slice, const ROWS_partial, ROWS_slice.
// Gives: keep, kept.

fn keep(row: u32, column4: u32, sum: vec4f) {
  partial[at(ROWS_partial, slice * ROWS_slice + row, column4)] = sum;
}

fn kept(row: u32, column4: u32) -> vec4f {
  return partial[at(ROWS_partial, slice * ROWS_slice + row, column4)];
}
