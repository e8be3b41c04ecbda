// The bias -½ |e_k|² of the product z e_k. Needs: buffer half_norms of vec4f. Gives: bias_of.

fn bias_of(column4: u32) -> vec4f {
  return half_norms[column4];
}
