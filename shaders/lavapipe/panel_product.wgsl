// Y = X W + b, or dX = dY Wᵀ where $turned is 1 (and $direct 0), for the panel tile: W is stationary in the layout of the forward
// product, for dX four rows a lane and turned in registers; the other operand is streamed. The panel sums over $fours times four
// values, from `first` on; a load brings four to each of $lanes lanes.
// Needs: load_a (X or dY), load_b (W), bias_of, $finish, const COLUMNS4 where $guard compares with it; `added` says whether partial
// sums are there already. Gives: panel_$name.

fn panel_$name(first: u32, added: bool, column4: u32, lane: u32, begin: u32, end: u32) {
  //: repeat _ 0..$direct
  //: repeat j l 0..$fours by $lanes
  let w_$j_$l_x = load_b(4u * (first + $ju * LANES + $lu), column4);
  let w_$j_$l_y = load_b(4u * (first + $ju * LANES + $lu) + 1u, column4);
  let w_$j_$l_z = load_b(4u * (first + $ju * LANES + $lu) + 2u, column4);
  let w_$j_$l_w = load_b(4u * (first + $ju * LANES + $lu) + 3u, column4);
  //: end
  let bias = bias_of(column4);
  //: end
  //: repeat _ 0..$turned
  //: repeat j l 0..$fours by $lanes
  let r_$j_$l_0 = load_b(4u * column4, first + $ju * LANES + $lu);
  let r_$j_$l_1 = load_b(4u * column4 + 1u, first + $ju * LANES + $lu);
  let r_$j_$l_2 = load_b(4u * column4 + 2u, first + $ju * LANES + $lu);
  let r_$j_$l_3 = load_b(4u * column4 + 3u, first + $ju * LANES + $lu);
  let w_$j_$l_x = vec4f(r_$j_$l_0.x, r_$j_$l_1.x, r_$j_$l_2.x, r_$j_$l_3.x);
  let w_$j_$l_y = vec4f(r_$j_$l_0.y, r_$j_$l_1.y, r_$j_$l_2.y, r_$j_$l_3.y);
  let w_$j_$l_z = vec4f(r_$j_$l_0.z, r_$j_$l_1.z, r_$j_$l_2.z, r_$j_$l_3.z);
  let w_$j_$l_w = vec4f(r_$j_$l_0.w, r_$j_$l_1.w, r_$j_$l_2.w, r_$j_$l_3.w);
  //: end
  //: end
  for (var target_row = begin; target_row < end; target_row++) {
    //: repeat j 0..$loads
    let x_$j = load_a(target_row, first + $ju * LANES + lane);
    //: end
    var sum = $start;
    //: repeat j l 0..$fours by $lanes
    sum += subgroupBroadcast(x_$j.x, $lu) * w_$j_$l_x;
    sum += subgroupBroadcast(x_$j.y, $lu) * w_$j_$l_y;
    sum += subgroupBroadcast(x_$j.z, $lu) * w_$j_$l_z;
    sum += subgroupBroadcast(x_$j.w, $lu) * w_$j_$l_w;
    //: end
    $guard{ $finish(target_row, column4, sum); }
  }
}
