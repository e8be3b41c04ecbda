// Counter-based random numbers: a pure function of (seed, step, stream, index), equal to the integer on every adapter and to
// core/graph/random.ts. Gives: random_bits, random_uniform, random_normal. Source: M. Jarzynski and M. Olano, "Hash Functions for
// GPU Rendering", Journal of Computer Graphics Techniques 9(3), 2020 (PCG4D).

fn random_bits(seed: u32, step: u32, stream: u32, index: u32) -> vec4u {
  var v = vec4u(seed, step, stream, index) * 1664525u + 1013904223u;
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  v ^= v >> vec4u(16u);
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  return v;
}

/// Four uniforms in (0, 1): 23 bits each, and the half keeps log(0) away. One bit more would round to 1.
fn random_uniform(seed: u32, step: u32, stream: u32, index: u32) -> vec4f {
  return (vec4f(random_bits(seed, step, stream, index) >> vec4u(9u)) + 0.5) * exp2(-23.0);
}

/// Four standard normals, by Box and Muller's transform of two pairs of uniforms.
fn random_normal(seed: u32, step: u32, stream: u32, index: u32) -> vec4f {
  let u = random_uniform(seed, step, stream, index);
  let radius = sqrt(-2.0 * log(u.xy));
  let angle = 6.283185307179586 * u.zw;
  return vec4f(radius * cos(angle), radius * sin(angle));
}
