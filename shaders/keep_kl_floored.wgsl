// Stores the divergence of four latent dimensions, the `valid` ones of them, and beside it Σ max(λ, KL), λ being the free bits.
// Needs: buffers kl and floored of f32, float FREE_BITS. Gives: keep_divergence.

fn keep_divergence(place: u32, each: vec4f, valid: vec4<bool>) {
  kl[place] = dot(select(vec4f(), each, valid), vec4f(1.0));
  floored[place] = dot(select(vec4f(), max(each, vec4f(FREE_BITS)), valid), vec4f(1.0));
}
