// A random order of `count` rows without a table: a bijection of [0, 2^bits) made of steps that are each invertible (multiply
// by an odd number, xor with a key, xor-shift), walked until it lands below `count`. Equal to core/graph/random.ts.
// Needs: random_bits. Gives: permuted.

fn permuted(position: u32, count: u32, seed: u32, epoch: u32) -> u32 {
  let keys = random_bits(seed, epoch, 0x5f0fu, 0u);
  let more_keys = random_bits(seed, epoch, 0x5f0fu, 1u);
  // Not below 3: with two bits the last shift would be by 0, and v ^ v is 0.
  let bits = max(3u, 32u - countLeadingZeros(count - 1u));
  let mask = select((1u << bits) - 1u, 0xffffffffu, bits == 32u);
  let half = (bits + 1u) / 2u;
  var v = position;
  loop {
    //: repeat r 0..4
    v = ((v ^ keys[$r]) * 0x9e3779b1u + more_keys[$r]) & mask;
    v ^= v >> half;
    v = (v * 0x85ebca6bu) & mask;
    v ^= v >> (half - 1u);
    //: end
    if (v < count) {
      break;
    }
  }
  return v;
}
