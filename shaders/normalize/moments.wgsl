// Mean of each set of a block, and the sum of squares about it, by a second pass. Needs: tree_sum, sets.wgsl. Gives: Moments, moments_of.

struct Moments {
  mean: vec4f,
  squares: vec4f,
}

fn moments_of(block: Block, counted: u32, index: u32) -> Moments {
  let size = f32(counted * SET_CHANNELS);
  var sum = vec4f();
  for (var i = index; i < counted * block.width4; i += $invocationsu) {
    let channel4 = channel4_in(block, i);
    let v = x_of(pixel_in(block, i), channel4);
    sum += into_sets(in_channels(v, channel4), channel4);
  }
  let mean = tree_sum(sum, index) / size;
  sum = vec4f();
  for (var i = index; i < counted * block.width4; i += $invocationsu) {
    let channel4 = channel4_in(block, i);
    let v = x_of(pixel_in(block, i), channel4) - of_sets(mean, channel4);
    sum += into_sets(in_channels(v * v, channel4), channel4);
  }
  return Moments(mean, tree_sum(sum, index));
}
