// z = μ + σ ε and KL(N(μ, σ²) ‖ N(0, I)) = ½ (σ² + μ² - 1 - log σ²) summed over the latent dimensions, four at a time.
// Needs: mean_at, log_variance_at, noise_at, buffers z of vec4f and kl of f32, const ROWS, LATENTS. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x % ROWS;
  let column4 = id.x / ROWS;
  if (4u * column4 < LATENTS) {
    let mean = mean_at(row, column4);
    let log_variance = log_variance_at(row, column4);
    let live = columns_below(LATENTS, column4);
    let drawn = mean + exp(0.5 * log_variance) * noise_at(row, column4);
    z[at(ROWS, row, column4)] = select(vec4f(), drawn, live);
    kl[column4 * ROWS + row] = 0.5 * dot(exp(log_variance) + mean * mean - 1.0 - log_variance, select(vec4f(), vec4f(1.0), live));
  }
}
