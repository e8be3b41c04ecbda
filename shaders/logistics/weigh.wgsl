// What the components say of a pixel: logits; log π Π_c P(x_c) but for the normalizer of the logits; and the derivatives of -log P(x_c) by
// location and by what the scale is given by.
// Needs: logits_of, base_of, distances_of, scale_of, coefficients_of, likelihood, load_data (x), counts, const CHANNELS.
// Gives: Weighed, weigh, value_at, counted.

struct Weighed {
  //: repeat g 0..$groups
  logits_$g: vec4f,
  joint_$g: vec4f,
  //: repeat k 0..$channels
  to_location_$g_$k: vec4f,
  to_scale_$g_$k: vec4f,
  //: end
  //: end
}

fn value_at(row: u32, column: u32) -> f32 {
  return load_data(row, column / 4u)[column % 4u];
}

fn counted(row: u32, column: u32) -> bool {
  return counts(row, column / 4u)[column % 4u];
}

fn weigh(row: u32, pixel: u32) -> Weighed {
  var found: Weighed;
  //: repeat k 0..$channels
  let x_$k = value_at(row, pixel * CHANNELS + $ku);
  let counted_$k = select(0.0, 1.0, counted(row, pixel * CHANNELS + $ku));
  let base_$k = base_of(row, pixel, $ku);
  //: end
  //: repeat g 0..$groups
  found.logits_$g = logits_of(row, pixel, $gu);
  found.joint_$g = found.logits_$g;
  //: repeat k 0..$channels
  {
    var at = base_$k + distances_of(row, pixel, $ku, $gu);
    //: repeat _ 0..$bends
    //: repeat e 0..$k
    at += coefficients_of(row, pixel, $ku, $eu, $gu) * (x_$e - 0.5);
    //: end
    //: end
    let scale = scale_of(row, pixel, $ku, $gu);
    let each = likelihood(at, scale.value, vec4f(x_$k));
    found.joint_$g -= counted_$k * each.nll;
    found.to_location_$g_$k = counted_$k * each.to_location;
    found.to_scale_$g_$k = counted_$k * each.to_scale * scale.slope;
  }
  //: end
  //: end
  return found;
}
