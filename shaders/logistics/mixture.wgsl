// What a mixture of M discretized logistics is made of, four components at a time, for a pixel of a row: logits, locations and scales of
// each channel. The numbers of a pixel stand one after another: M - 1 logits, (M - 1) C distances of locations, M C scales, M C (C - 1) / 2
// coefficients. An invocation takes up to RUN pixels of a row. Groups of four components and channels are written out: arrays that are
// indexed as a kernel runs cost a processor ten times as much.
// Needs: at_scalar, bounded, buffers location and mixture of f32, const MIXTURE_ROWS, MIXTURE_STORED (padding included), PIXELS, RUN, MIXED
// (M), CHANNELS, WIDTH. Gives: Run, run_of, mixture_number, logits_of, base_of, distances_of, distance_place, scale_of, scale_place,
// coefficients_of, coefficient_place, bend, log_sum.

/// The row of an invocation, and its first pixel and the one behind its last.
struct Run {
  row: u32,
  part: u32,
  first: u32,
  end: u32,
}

fn run_of(id: vec3u, groups: vec3u) -> Run {
  let index = id.y * groups.x * 64u + id.x;
  let part = index / MIXTURE_STORED;
  return Run(index % MIXTURE_STORED, part, part * RUN, min((part + 1u) * RUN, PIXELS));
}

fn mixture_number(row: u32, pixel: u32, place: u32) -> f32 {
  return mixture[at_scalar(MIXTURE_STORED, row, pixel * WIDTH + place)];
}

fn distance_place(component: u32, channel: u32) -> u32 {
  return MIXED - 1u + (component - 1u) * CHANNELS + channel;
}

fn scale_place(component: u32, channel: u32) -> u32 {
  return (MIXED - 1u) * (1u + CHANNELS) + component * CHANNELS + channel;
}

fn coefficient_place(component: u32, channel: u32, earlier: u32) -> u32 {
  let each = CHANNELS * (CHANNELS - 1u) / 2u;
  return scale_place(MIXED, 0u) + component * each + channel * (channel - 1u) / 2u + earlier;
}

/// Logits, of the first component 0; there is nothing of components that there are not.
fn logits_of(row: u32, pixel: u32, component4: u32) -> vec4f {
  var v = vec4f(-1e30);
  //: repeat c 0..4
  if (4u * component4 + $cu == 0u) {
    v[$c] = 0.0;
  } else if (4u * component4 + $cu < MIXED) {
    v[$c] = mixture_number(row, pixel, 4u * component4 + $cu - 1u);
  }
  //: end
  return v;
}

/// μ of the first component.
fn base_of(row: u32, pixel: u32, channel: u32) -> f32 {
  return location[at_scalar(MIXTURE_STORED, row, pixel * CHANNELS + channel)];
}

/// How far from it the components' are.
fn distances_of(row: u32, pixel: u32, channel: u32, component4: u32) -> vec4f {
  var v = vec4f();
  //: repeat c 0..4
  if (4u * component4 + $cu > 0u && 4u * component4 + $cu < MIXED) {
    v[$c] = mixture_number(row, pixel, distance_place(4u * component4 + $cu, channel));
  }
  //: end
  return v;
}

fn scale_of(row: u32, pixel: u32, channel: u32, component4: u32) -> Scale {
  var v = vec4f();
  //: repeat c 0..4
  if (4u * component4 + $cu < MIXED) {
    v[$c] = mixture_number(row, pixel, scale_place(4u * component4 + $cu, channel));
  }
  //: end
  return bounded(v);
}

/// What a coefficient is given by, between -1 and 1.
fn bend(given: vec4f) -> vec4f {
  return tanh(clamp(given, vec4f(-15.0), vec4f(15.0)));
}

fn coefficients_of(row: u32, pixel: u32, channel: u32, earlier: u32, component4: u32) -> vec4f {
  var v = vec4f();
  //: repeat c 0..4
  if (4u * component4 + $cu < MIXED) {
    v[$c] = mixture_number(row, pixel, coefficient_place(4u * component4 + $cu, channel, earlier));
  }
  //: end
  return bend(v);
}

/// log Σ e^v over all components.
fn log_sum(
  //: repeat g 0..$groups
  v_$g: vec4f,
  //: end
) -> f32 {
  var largest = vec4f(-1e30);
  //: repeat g 0..$groups
  largest = max(largest, v_$g);
  //: end
  let most = max(max(largest.x, largest.y), max(largest.z, largest.w));
  var sum = 0.0;
  //: repeat g 0..$groups
  sum += dot(exp(v_$g - most), vec4f(1.0));
  //: end
  return most + log(sum);
}
