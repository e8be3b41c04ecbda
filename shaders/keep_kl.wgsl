// Stores the divergence of four latent dimensions, the `live` ones of them. Needs: buffer kl of f32. Gives: keep_divergence.

fn keep_divergence(place: u32, each: vec4f, live: vec4<bool>) {
  kl[place] = dot(select(vec4f(), each, live), vec4f(1.0));
}
