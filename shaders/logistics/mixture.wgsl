// What a mixture of M discretized logistics is made of, four components at a time, for a pixel of a row: logits, locations and scales of
// each channel. The numbers of a pixel stand one after another: M - 1 logits, (M - 1) C distances of locations, M C scales, M C (C - 1) / 2
// coefficients. An invocation takes up to RUN pixels of a row.
// Needs: at_scalar, bounded, buffers location and mixture of f32, const MIXTURE_ROWS, MIXTURE_STORED (padding included), PIXELS, RUN, MIXED
// (M), CHANNELS, WIDTH, AUTOREGRESSIVE. Gives: seen, logits_of, location_of, distance_place, scale_of, scale_place, coefficients_of,
// coefficient_place, run_of, log_sum, PerComponent, COMPONENTS4.

const COMPONENTS4: u32 = (MIXED + 3u) / 4u;

alias PerComponent = array<vec4f, COMPONENTS4>;

/// x - ½ of the channels of a pixel so far, for each of four components.
var<private> seen: array<vec4f, CHANNELS>;

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
  {
    let component = 4u * component4 + $cu;
    if (component == 0u) {
      v[$c] = 0.0;
    } else if (component < MIXED) {
      v[$c] = mixture_number(row, pixel, component - 1u);
    }
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

/// tanh of what is given.
fn coefficients_of(row: u32, pixel: u32, channel: u32, earlier: u32, component4: u32) -> vec4f {
  var v = vec4f();
  //: repeat c 0..4
  if (4u * component4 + $cu < MIXED) {
    v[$c] = mixture_number(row, pixel, coefficient_place(4u * component4 + $cu, channel, earlier));
  }
  //: end
  return tanh(clamp(v, vec4f(-15.0), vec4f(15.0)));
}

/// μ of a channel, given those before it as `seen`.
fn location_of(row: u32, pixel: u32, channel: u32, component4: u32) -> vec4f {
  var v = vec4f(location[at_scalar(MIXTURE_STORED, row, pixel * CHANNELS + channel)]);
  //: repeat c 0..4
  {
    let component = 4u * component4 + $cu;
    if (component > 0u && component < MIXED) {
      v[$c] += mixture_number(row, pixel, distance_place(component, channel));
    }
  }
  //: end
  if (AUTOREGRESSIVE) {
    for (var earlier = 0u; earlier < channel; earlier++) {
      v += coefficients_of(row, pixel, channel, earlier, component4) * seen[earlier];
    }
  }
  return v;
}

/// log Σ e^v
fn log_sum(values: PerComponent) -> f32 {
  var v = values;
  var largest = vec4f(-1e30);
  for (var g = 0u; g < COMPONENTS4; g++) {
    largest = max(largest, v[g]);
  }
  let most = max(max(largest.x, largest.y), max(largest.z, largest.w));
  var sum = 0.0;
  for (var g = 0u; g < COMPONENTS4; g++) {
    sum += dot(exp(v[g] - most), vec4f(1.0));
  }
  return most + log(sum);
}
