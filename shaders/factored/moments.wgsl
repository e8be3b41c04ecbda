// Sums over the features that count, one an invocation: (Wᵀ S⁻¹ W)_ij for j <= i at i RANK + j, S = diag(σ²); (Wᵀ S⁻¹ (x - μ))_i at
// RANK² + i; and Σ (log 2π + log σ² + (x - μ)² / σ²) at RANK² + RANK. Needs: factor_at, log_variance_at, apart_at, counts_at, buffer moments
// of f32, const STORED, VALID (rows, padding left out), FEATURES, RANK. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.y * groups.x * 64u + id.x;
  let row = index % STORED;
  let place = index / STORED;
  let i = place / RANK;
  let j = place % RANK;
  if (place <= RANK * RANK + RANK && row < VALID && (i >= RANK || j <= i)) {
    var sum = 0.0;
    for (var d = 0u; d < FEATURES; d++) {
      if (counts_at(row, d)) {
        let log_variance = log_variance_at(row, d).value.x;
        let inverse = exp(-log_variance);
        if (i < RANK) {
          sum += factor_at(row, d, i) * factor_at(row, d, j) * inverse;
        } else if (place < RANK * RANK + RANK) {
          sum += factor_at(row, d, j) * apart_at(row, d) * inverse;
        } else {
          let apart = apart_at(row, d);
          sum += 1.8378770664093453 + log_variance + apart * apart * inverse;
        }
      }
    }
    moments[place * STORED + row] = sum;
  }
}
