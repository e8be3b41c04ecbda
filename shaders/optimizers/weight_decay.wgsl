// Decoupled weight decay: step + λ w. Source: Loshchilov and Hutter, arXiv:1711.05101. Needs: const WEIGHT_DECAY. Gives: $rule.

fn $rule(gradient: vec4f, weight: vec4f, index: u32) -> vec4f {
  return gradient + WEIGHT_DECAY * weight;
}
