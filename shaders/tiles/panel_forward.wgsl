// Y = X W + b for the panel tile: the rows of W are stationary, X is streamed.
// Needs: load_a (X), load_b (W), bias_of, $finish; `added` says whether partial sums are there already. Gives: panel_$name.

fn panel_$name(block: u32, added: bool, column4: u32, lane: u32, begin: u32, end: u32) {
  //: repeat j 0..$blocks
  //: repeat l 0..$lanes
  let w_$j_$l_x = load_b(4u * ((block + $ju) * LANES + $lu), column4);
  let w_$j_$l_y = load_b(4u * ((block + $ju) * LANES + $lu) + 1u, column4);
  let w_$j_$l_z = load_b(4u * ((block + $ju) * LANES + $lu) + 2u, column4);
  let w_$j_$l_w = load_b(4u * ((block + $ju) * LANES + $lu) + 3u, column4);
  //: end
  //: end
  let bias = bias_of(column4);
  for (var target_row = begin; target_row < end; target_row++) {
    //: repeat j 0..$blocks
    let x_$j = load_a(target_row, (block + $ju) * LANES + lane);
    //: end
    var sum = $start;
    //: repeat j 0..$blocks
    //: repeat l 0..$lanes
    sum += subgroupBroadcast(x_$j.x, $lu) * w_$j_$l_x;
    sum += subgroupBroadcast(x_$j.y, $lu) * w_$j_$l_y;
    sum += subgroupBroadcast(x_$j.z, $lu) * w_$j_$l_z;
    sum += subgroupBroadcast(x_$j.w, $lu) * w_$j_$l_w;
    //: end
    //: end
    $finish(target_row, column4, sum);
  }
}
