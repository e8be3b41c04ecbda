// Loader: the gradient λ Rᵀ g of a row z from the factors of rotation.wgsl. Needs: load_z, load_e, load_dy, buffer factors of vec4f.
// Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  let by = factors[row];
  return by.x * load_dy(row, column4) + by.y * load_z(row, column4) + by.z * load_e(row, column4);
}
