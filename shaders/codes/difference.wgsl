// Loader: z - e, what quantizing leaves over. Needs: load_z, load_e. Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  return load_z(row, column4) - load_e(row, column4);
}
