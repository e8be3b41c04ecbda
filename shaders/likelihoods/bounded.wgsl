// A scale that is learned: v = START + what the parameter or the layer gave, kept smoothly between LOWER and UPPER by
//
//     w = UPPER - softplus(UPPER - v),  scale = LOWER + softplus(w - LOWER)
//
// which is v itself but near the bounds, and has a gradient everywhere: a scale that ran to a bound comes back. `slope` is
// dscale/dv = σ(UPPER - v) σ(w - LOWER). Source: Chua et al., arXiv:1805.12114, appendix A.1.
// Needs: const SCALE_START, SCALE_LOWER, SCALE_UPPER. Gives: Scale, bounded, softplus4, sigmoid4.

struct Scale {
  value: vec4f,
  slope: vec4f,
}

fn softplus4(v: vec4f) -> vec4f {
  return max(v, vec4f()) + log(1.0 + exp(-abs(v)));
}

fn sigmoid4(v: vec4f) -> vec4f {
  return 1.0 / (1.0 + exp(-clamp(v, vec4f(-80.0), vec4f(80.0))));
}

fn bounded(given: vec4f) -> Scale {
  let v = SCALE_START + given;
  let w = SCALE_UPPER - softplus4(SCALE_UPPER - v);
  return Scale(SCALE_LOWER + softplus4(w - SCALE_LOWER), sigmoid4(SCALE_UPPER - v) * sigmoid4(w - SCALE_LOWER));
}
