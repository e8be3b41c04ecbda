// What changes from step to step, kept on the GPU so that nothing is uploaded per step. Gives: State.

struct State {
  // Number of the step in progress, from 0. Every random draw and every schedule follows from it.
  step: u32,
  seed: u32,
  // Rows in the dataset.
  count: u32,
  // 1: rows come in a new random order every epoch; 0: in the order stored.
  shuffle: u32,
  // Values of the schedules at this step, as many as there are of 256: term weights, then each optimizer's scalars. Vectors, as a uniform buffer wants them.
  scalars: array<vec4f, 64>,
}
