// The beginning of a step: gathers the rows of this step's batch out of the resident dataset, binarizes them if asked, and where $sets
// is 1 sets this step's scalars, which nobody in the same dispatch reads. Words are u32 of four bytes, or floats of one value each four
// at a time.
// Needs: row_of, batch_value; buffers state, source, batch; const ROWS_produced (stored), COLUMNS4_produced (words of a row of the source);
// where $sets is 1, scheduled and buffers schedules and scalars. Gives: begun, origin_of, produced.

fn begun(index: u32) {
  //: repeat _ 0..$sets
  if (index < 64u) {
    for (var i = index; i < 256u; i += 64u) {
      if (schedules[i].kind != NO_SCHEDULE) {
        scalars[i >> 2u][i & 3u] = scheduled(schedules[i], state.step);
      }
    }
  }
  //: end
}

/// The row of the source.
fn origin_of(row: u32) -> u32 {
  return row_of(row);
}

fn produced(row: u32, origin: u32, column4: u32, kept: bool) -> vec4f {
  let word = batch_value(row, column4, source[origin * COLUMNS4_produced + column4]);
  if (kept) {
    batch[at(ROWS_produced, row, column4)] = word;
  }
  return $values(word);
}
