// dW = Xᵀ dY for the panel tile, and db = the column sums of dY as row ROW_bias of the result: dY is stationary, $rows rows of the
// batch from `first` on; X is streamed with each of $lanes lanes holding one row of the batch and four features, which are four rows
// of dW. Needs: load_a (X), load_b (dY), $finish, const COLUMNS4 where $guard compares with it. Gives: panel_$name.

fn panel_$name(first: u32, added: bool, column4: u32, lane: u32, begin: u32, end: u32) {
  //: repeat j l 0..$rows by $lanes
  let d_$j_$l = load_b(first + $ju * LANES + $lu, column4);
  //: end
  for (var row = begin; row < end; row += 4u) {
    //: repeat j 0..$loads
    let x_$j = load_a(first + $ju * LANES + lane, row >> 2u);
    //: end
    // A loop, since the epilogue may be an optimizer: four copies of it take long to compile. Its end is not a constant, or the
    // driver would write it out.
    for (var target_row = row; target_row < min(row + 4u, end); target_row++) {
      let c = target_row - row;
      //: repeat j 0..$loads
      let v_$j = x_$j[c];
      //: end
      var sum = $start;
      //: repeat j l 0..$rows by $lanes
      sum += subgroupBroadcast(v_$j, $lu) * d_$j_$l;
      //: end
      $guard{ $finish(target_row, column4, sum); }
    }
  }
  if (begin == 0u) {
    let target_row = ROW_bias;
    var sum = $start;
    //: repeat j l 0..$rows by $lanes
    sum += d_$j_$l;
    //: end
    $guard{ $finish(target_row, column4, sum); }
  }
}
