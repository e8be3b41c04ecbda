// What remains where every panel left its sum as a partial one: the epilogue, row by row. A last panel that calls the epilogue
// itself would run a little faster and take twice as long to compile. Needs: kept, $store. Gives: panel_end.

fn panel_end(block: u32, added: bool, column4: u32, lane: u32, begin: u32, end: u32) {
  for (var row = begin; row < end; row++) {
    $store(row, column4, kept(row, column4));
  }
}
