// dW = Xᵀ dY for the panel tile, and db = the column sums of dY as row ROW_bias of the result: dY is stationary, X is
// streamed with a lane holding one row of the batch and four features, which are four rows of dW.
// Needs: load_a (X), load_b (dY), $finish. Gives: panel_$name.

fn panel_$name(block: u32, added: bool, column4: u32, lane: u32, begin: u32, end: u32) {
  //: repeat j 0..$blocks
  //: repeat l 0..$lanes
  let d_$j_$l = load_b((block + $ju) * LANES + $lu, column4);
  //: end
  //: end
  for (var row = begin; row < end; row += 4u) {
    //: repeat j 0..$blocks
    let x_$j = load_a((block + $ju) * LANES + lane, row >> 2u);
    //: end
    // A loop, since the epilogue may be an optimizer: four copies of it take long to compile.
    for (var c = 0u; c < 4u; c++) {
      let target_row = row + c;
      //: repeat j 0..$blocks
      let v_$j = x_$j[c];
      //: end
      var sum = $start;
      //: repeat j 0..$blocks
      //: repeat l 0..$lanes
      sum += subgroupBroadcast(v_$j, $lu) * d_$j_$l;
      //: end
      //: end
      $finish(target_row, column4, sum);
    }
  }
  if (begin == 0u) {
    let target_row = ROW_bias;
    var sum = $start;
    //: repeat j 0..$blocks
    //: repeat l 0..$lanes
    sum += d_$j_$l;
    //: end
    //: end
    $finish(target_row, column4, sum);
  }
}
