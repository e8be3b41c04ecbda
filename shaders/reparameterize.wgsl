// z = μ + σ ε and the divergence from the prior summed over the latent dimensions, four at a time.
// Needs: mean_at, log_variance_at, noise_at, divergence, buffers z of vec4f and kl of f32, const ROWS, LATENTS. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x % ROWS;
  let column4 = id.x / ROWS;
  if (4u * column4 < LATENTS) {
    let mean = mean_at(row, column4);
    let log_variance = log_variance_at(row, column4);
    let live = columns_below(LATENTS, column4);
    let noise = noise_at(row, column4);
    let drawn = mean + exp(0.5 * log_variance) * noise;
    z[at(ROWS, row, column4)] = select(vec4f(), drawn, live);
    kl[column4 * ROWS + row] = dot(select(vec4f(), divergence(mean, log_variance, noise), live), vec4f(1.0));
  }
}
