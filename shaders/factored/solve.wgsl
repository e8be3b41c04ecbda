// From the sums of moments.wgsl, a row an invocation: M = I + Wᵀ S⁻¹ W = L Lᵀ, and with u = Wᵀ S⁻¹ (x - μ)
//   -log p(x) = ½ (Σ (log 2π + log σ² + (x - μ)² / σ²) - uᵀ M⁻¹ u + log |M|),
// by the lemmas of Woodbury and of the determinant. Leaves M⁻¹ where Wᵀ S⁻¹ W was, and M⁻¹ u where u was. Needs: buffers moments and nll of f32,
// const STORED, VALID, RANK. Gives: main.

const SECOND = RANK * RANK + RANK + 1u;

fn place(i: u32, j: u32, row: u32) -> u32 {
  return (i * RANK + j) * STORED + row;
}

/// Where L⁻¹ is formed, beside L.
fn inverse_place(i: u32, j: u32, row: u32) -> u32 {
  return (SECOND + i * RANK + j) * STORED + row;
}

fn solved_place(i: u32, row: u32) -> u32 {
  return (RANK * RANK + i) * STORED + row;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row < VALID) {
    var log_determinant = 0.0;
    for (var j = 0u; j < RANK; j++) {
      for (var i = j; i < RANK; i++) {
        var left = moments[place(i, j, row)] + select(0.0, 1.0, i == j);
        for (var k = 0u; k < j; k++) {
          left -= moments[place(i, k, row)] * moments[place(j, k, row)];
        }
        // M is at least I, and so is every pivot but for rounding.
        moments[place(i, j, row)] = select(left / moments[place(j, j, row)], sqrt(max(left, 1e-6)), i == j);
      }
      log_determinant += 2.0 * log(moments[place(j, j, row)]);
    }
    // y = L⁻¹ u
    var square = 0.0;
    for (var i = 0u; i < RANK; i++) {
      var left = moments[solved_place(i, row)];
      for (var k = 0u; k < i; k++) {
        left -= moments[place(i, k, row)] * moments[solved_place(k, row)];
      }
      left /= moments[place(i, i, row)];
      moments[solved_place(i, row)] = left;
      square += left * left;
    }
    nll[row] = 0.5 * (moments[(RANK * RANK + RANK) * STORED + row] - square + log_determinant);
    //: repeat _ 0..$inverts
    for (var j = 0u; j < RANK; j++) {
      moments[inverse_place(j, j, row)] = 1.0 / moments[place(j, j, row)];
      for (var i = j + 1u; i < RANK; i++) {
        var sum = 0.0;
        for (var k = j; k < i; k++) {
          sum -= moments[place(i, k, row)] * moments[inverse_place(k, j, row)];
        }
        moments[inverse_place(i, j, row)] = sum / moments[place(i, i, row)];
      }
    }
    // M⁻¹ u = L⁻ᵀ y: what a row needs of y is still there.
    for (var i = 0u; i < RANK; i++) {
      var sum = 0.0;
      for (var k = i; k < RANK; k++) {
        sum += moments[inverse_place(k, i, row)] * moments[solved_place(k, row)];
      }
      moments[solved_place(i, row)] = sum;
    }
    for (var i = 0u; i < RANK; i++) {
      for (var j = 0u; j <= i; j++) {
        var sum = 0.0;
        for (var k = i; k < RANK; k++) {
          sum += moments[inverse_place(k, i, row)] * moments[inverse_place(k, j, row)];
        }
        moments[place(i, j, row)] = sum;
        moments[place(j, i, row)] = sum;
      }
    }
    //: end
  }
}
