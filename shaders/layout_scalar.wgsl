// The layout of layout.wgsl for single floats. Gives: at_scalar.

fn at_scalar(rows: u32, row: u32, column: u32) -> u32 {
  return ((column >> 5u) * rows + row) * 32u + (column & 31u);
}
