// Rows that all lie on the GPU, in the stored order. Needs: permuted, buffer state, const BATCH, and
// of all ranks together GATHERED rows, FIRST_binarize of them before these. Gives: row_of, position_in_epoch, carried_over.

/// Which row of the dataset is row `row` of this step's batch. Shuffled batches run on across the end of an epoch, so that
/// every row is seen once an epoch whatever the batch size; batches in the stored order end with a shorter one.
fn row_of(row: u32) -> u32 {
  if (state.shuffle == 0u) {
    let batches = (state.count + GATHERED - 1u) / GATHERED;
    return min((state.step % batches) * GATHERED + FIRST_binarize + row, state.count - 1u);
  }
  let place = position_in_epoch(FIRST_binarize + min(row, BATCH - 1u));
  return permuted(place.y, state.count, state.seed, place.x);
}

/// Of row `row` of this step's batch: the epoch, floor((step GATHERED + row) / count), and the place in it, (step GATHERED + row) mod count.
fn position_in_epoch(row: u32) -> vec2u {
  let count = state.count;
  if (state.step < 0xffffffffu / GATHERED) {
    let position = state.step * GATHERED + row;
    return vec2u(position / count, position % count);
  }
  // The product no longer fits into 32 bits: its quotient and remainder, from the highest bit of GATHERED on. There are fewer than 2^31 rows.
  let one = vec2u(state.step / count, state.step % count);
  var place = vec2u();
  for (var bit = 32u - countLeadingZeros(GATHERED); bit > 0u; bit--) {
    place = carried_over(2u * place, count);
    if (((GATHERED >> (bit - 1u)) & 1u) == 1u) {
      place = carried_over(place + one, count);
    }
  }
  return vec2u(place.x + (place.y + row) / count, (place.y + row) % count);
}

fn carried_over(place: vec2u, count: u32) -> vec2u {
  return select(place, vec2u(place.x + 1u, place.y - count), place.y >= count);
}
