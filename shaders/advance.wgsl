// Moves on by STRIDE steps: the same rows with other draws, where STRIDE is the number of batches. One invocation.
// Needs: buffer state, const STRIDE. Gives: main.

@compute @workgroup_size(1)
fn main() {
  state.step += STRIDE;
}
