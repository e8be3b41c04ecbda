// What a likelihood gives for four features: -log p and its derivatives by location and by scale. Gives: Likelihood.

struct Likelihood {
  nll: vec4f,
  to_location: vec4f,
  to_scale: vec4f,
}
