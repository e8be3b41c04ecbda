// A scale that is learned, kept between its bounds. Needs: bounded, load_scale. Gives: scale_at.

fn scale_at(row: u32, column4: u32) -> Scale {
  return bounded(load_scale(row, column4));
}
