// What changes from step to step, kept on the GPU so that nothing is uploaded per step. Gives: State.

struct State {
  // Number of the step in progress, from 0. Every random draw and every schedule follows from it; the last dispatch of a step moves it on.
  step: u32,
  seed: u32,
  // Rows in the dataset.
  count: u32,
  // 1: rows come in a new random order every epoch; 0: in the order stored.
  shuffle: u32,
}
