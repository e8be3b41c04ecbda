// dgain = Σ da x̂, doffset = Σ da over all pixels, x̂ = (x - mean) scale: a workgroup for each vector of four channels.
// Needs: tree_sum, sets.wgsl, store, buffers norm_upstream (da) and norm_moments of vec4f, const ROWS_norm_upstream, ALL_PIXELS,
// ROW_norm_offset. Gives: main.

@compute @workgroup_size($invocations)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let channel4 = group.x;
  var gain = vec4f();
  var offset = vec4f();
  for (var q = index; q < ALL_PIXELS; q += $invocationsu) {
    let number = select(0u, q / COUNT * BLOCKS, IMAGE_SETS) + channel4 / WIDTH4;
    let mean = of_sets(norm_moments[2u * number], channel4);
    let scale = of_sets(norm_moments[2u * number + 1u], channel4);
    let upstream = norm_upstream[at(ROWS_norm_upstream, row_of(q), column4_of(q, channel4))];
    gain += upstream * ((x_of(q, channel4) - mean) * scale);
    offset += upstream;
  }
  let gain_sum = tree_sum(gain, index);
  let offset_sum = tree_sum(offset, index);
  if (index == 0u) {
    store(0u, channel4, gain_sum);
    store(ROW_norm_offset, channel4, offset_sum);
  }
}
