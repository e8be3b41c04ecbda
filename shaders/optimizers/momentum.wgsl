// Momentum: v = μ v + g, step = v. Source: Sutskever et al., ICML 2013, in PyTorch's form.
// Needs: buffer velocity of vec4f, const MOMENTUM. Gives: $rule.

fn $rule(gradient: vec4f, weight: vec4f, index: u32) -> vec4f {
  let v = MOMENTUM * velocity[index] + gradient;
  velocity[index] = v;
  return v;
}
