// Each value of the gradient between -LIMIT and LIMIT. Needs: const LIMIT. Gives: $rule.

fn $rule(gradient: vec4f, weight: vec4f, index: u32) -> vec4f {
  return clamp(gradient, vec4f(-LIMIT), vec4f(LIMIT));
}
