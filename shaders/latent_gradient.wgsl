// The gradients of μ and of log σ² of four latent dimensions. Gives: LatentGradient.

struct LatentGradient {
  mean: vec4f,
  log_variance: vec4f,
}
