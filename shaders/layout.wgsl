// Where an element lies. Gives: at, columns_below.
//
// Every matrix is stored in panels of 32 columns: element (row, column) of a matrix with R stored rows is float
// ((column / 32) * R + row) * 32 + column % 32, so that walking down the rows of a panel reads memory in order on
// every kind of adapter. Kernels work on four neighbouring columns at a time; `column4` counts those.

/// Index of the vec4f (or of the u32 holding four bytes) at (row, 4 * column4 ... 4 * column4 + 3).
fn at(rows: u32, row: u32, column4: u32) -> u32 {
  return ((column4 >> 3u) * rows + row) * 8u + (column4 & 7u);
}

/// Which of the four columns exist in a matrix of `columns` columns; the others are padding and stay zero.
fn columns_below(columns: u32, column4: u32) -> vec4<bool> {
  return 4u * column4 + vec4u(0u, 1u, 2u, 3u) < vec4u(columns);
}
