// The rows of a context are images, each at the item whose turn it is: step t is that of item t % ITEMS. Its items are codes, and their channels
// columns of a table. Needs: code_of, at_scalar, buffers state, table of f32, const ITEMS, ROWS_table. Gives: item_of, channels.

fn item_of(_row: u32) -> u32 {
  return state.step % ITEMS;
}

/// Four channels of an item of the same image.
fn channels(row: u32, item: u32, column4: u32) -> vec4f {
  let code = code_of(row * ITEMS + item);
  var v = vec4f();
  //: repeat c 0..4
  v[$c] = table[at_scalar(ROWS_table, 4u * column4 + $cu, code)];
  //: end
  return v;
}
