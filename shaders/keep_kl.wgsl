// Stores the divergence of four latent dimensions, the `valid` ones of them. Needs: buffer kl of f32. Gives: keep_divergence.

fn keep_divergence(place: u32, each: vec4f, valid: vec4<bool>) {
  kl[place] = dot(select(vec4f(), each, valid), vec4f(1.0));
}
