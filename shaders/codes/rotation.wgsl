// The gradient λ Rᵀ g of a row z, from that g of what it is turned to, e, as a combination of g, z and e:
// λ g + λ (2 ê·g - c) ẑ - λ c ê, c = (ẑ·g + ê·g) / (1 + ẑ·ê). Here its factors, one invocation a row; 0 in the padding.
// Needs: at_scalar, buffers z, e, gradient of f32, factors of vec4f; const ROWS_z, ROWS_gradient, VALID, DEPTH. Gives: main.

/// Vectors as short as this have no direction, and those that point away from each other no plane.
const SMALLEST = 1.0e-6;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= ROWS_z) {
    return;
  }
  // z·z, e·e, z·e; then z·g, e·g.
  var products = vec3f();
  var slopes = vec2f();
  for (var d = 0u; d < DEPTH; d++) {
    let zd = z[at_scalar(ROWS_z, row, d)];
    let ed = e[at_scalar(ROWS_z, row, d)];
    products += vec3f(zd * zd, ed * ed, zd * ed);
    slopes += vec2f(zd, ed) * gradient[at_scalar(ROWS_gradient, row, d)];
  }
  let lengths = max(sqrt(products.xy), vec2f(SMALLEST));
  slopes /= lengths;
  let between = (slopes.x + slopes.y) / max(1.0 + products.z / (lengths.x * lengths.y), SMALLEST);
  let scale = lengths.y / lengths.x;
  let along = vec2f(2.0 * slopes.y - between, -between) / lengths;
  factors[row] = select(vec4f(), vec4f(scale, scale * along, 0.0), row < VALID);
}
