// The sets of elements that a normalization gives mean 0 and variance 1. Pixels are counted through all images, q = image * PIXELS + pixel;
// a workgroup has a block of WIDTH4 vectors of four channels of each of its pixels, which holds up to four whole sets: what there is of
// each set is a component of a vector. Sums run in a fixed order.
// Needs: at, columns_below, load4_norm_x, const ROWS_norm_x, FLAT (a row for each image, not for each pixel), PIXELS, CHANNELS, CHANNELS4,
// SET_CHANNELS, BLOCK_SETS, WIDTH4, BLOCKS, IMAGE_SETS (a set for each image, not one for the batch), COUNT (pixels of a set or, padding
// included, of the batch). Gives: row_of, column4_of, x_of, set_of, into_sets, of_sets, in_channels, Block, block_of, channel4_in,
// pixel_in.

fn row_of(q: u32) -> u32 {
  return select(q, q / PIXELS, FLAT);
}

fn column4_of(q: u32, channel4: u32) -> u32 {
  return select(channel4, q % PIXELS * CHANNELS4 + channel4, FLAT);
}

/// x at a pixel, four channels.
fn x_of(q: u32, channel4: u32) -> vec4f {
  return load4_norm_x(at(ROWS_norm_x, row_of(q), column4_of(q, channel4)));
}

/// Which set of its block a channel is in.
fn set_of(channel: u32) -> u32 {
  return channel / SET_CHANNELS % BLOCK_SETS;
}

/// Four channels' values, each as a part of its set's.
fn into_sets(v: vec4f, channel4: u32) -> vec4f {
  var sets = vec4f();
  //: repeat c 0..4
  sets[set_of(4u * channel4 + $cu)] += v[$c];
  //: end
  return sets;
}

/// What sets have, for each of four channels.
fn of_sets(sets: vec4f, channel4: u32) -> vec4f {
  let first = 4u * channel4;
  return vec4f(sets[set_of(first)], sets[set_of(first + 1u)], sets[set_of(first + 2u)], sets[set_of(first + 3u)]);
}

/// Values of channels that exist; zero for padding.
fn in_channels(v: vec4f, channel4: u32) -> vec4f {
  return select(vec4f(), v, columns_below(CHANNELS, channel4));
}

/// What a workgroup has: a block of channels of the pixels of one image, or of the batch.
struct Block {
  pixel: u32,
  channel4: u32,
  width4: u32,
}

fn block_of(number: u32) -> Block {
  let channel4 = number % BLOCKS * WIDTH4;
  return Block(select(0u, number / BLOCKS * COUNT, IMAGE_SETS), channel4, min(WIDTH4, CHANNELS4 - channel4));
}

fn channel4_in(block: Block, i: u32) -> u32 {
  return block.channel4 + i % block.width4;
}

fn pixel_in(block: Block, i: u32) -> u32 {
  return block.pixel + i / block.width4;
}
