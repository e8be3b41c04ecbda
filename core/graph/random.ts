/**
 * Counter-based random numbers and the shuffle, on the host: the same integers as shaders/random.wgsl and shaders/shuffle.wgsl.
 * Source: M. Jarzynski and M. Olano, "Hash Functions for GPU Rendering", JCGT 9(3), 2020 (PCG4D).
 *
 * @module
 */

/** Four random u32 for (seed, step, stream, index), written into `out`. */
export function randomBits(
  seed: number,
  step: number,
  stream: number,
  index: number,
  out = new Uint32Array(4),
): Uint32Array {
  out[0] = seed;
  out[1] = step;
  out[2] = stream;
  out[3] = index;
  for (let i = 0; i < 4; i++) out[i] = Math.imul(out[i], 1664525) + 1013904223;
  mix(out);
  for (let i = 0; i < 4; i++) out[i] ^= out[i] >>> 16;
  mix(out);
  return out;
}

function mix(v: Uint32Array): void {
  v[0] += Math.imul(v[1], v[3]);
  v[1] += Math.imul(v[2], v[0]);
  v[2] += Math.imul(v[0], v[1]);
  v[3] += Math.imul(v[1], v[2]);
}

/** Fills an array with uniforms in (0, 1), four to an index: multiples of 2^-24 that float32 holds exactly. */
export function uniforms<T extends Float64Array | Float32Array>(out: T, seed: number, step: number, stream: number): T {
  const bits = new Uint32Array(4);
  for (let i = 0; i < out.length; i++) {
    if (i % 4 === 0) randomBits(seed, step, stream, i / 4, bits);
    out[i] = ((bits[i % 4] >>> 9) + 0.5) * 2 ** -23;
  }
  return out;
}

/** Fills an array with standard normals, by Box and Muller's transform. */
export function normals<T extends Float64Array | Float32Array>(out: T, seed: number, step: number, stream: number): T {
  const u = uniforms(new Float64Array(Math.ceil(out.length / 4) * 4), seed, step, stream);
  for (let i = 0; i < out.length; i++) {
    const first = i - (i % 4);
    const radius = Math.sqrt(-2 * Math.log(u[first + (i % 2)]));
    const angle = 2 * Math.PI * u[first + 2 + (i % 2)];
    out[i] = radius * (i % 4 < 2 ? Math.cos(angle) : Math.sin(angle));
  }
  return out;
}

/** Which of some shares a uniform u in (0, 1) falls into: k with a probability of shares[k] over their sum. */
export function chosen(shares: ArrayLike<number>, u: number): number {
  let left = 0;
  for (let k = 0; k < shares.length; k++) left += shares[k];
  left *= u;
  let last = 0;
  for (let k = 0; k < shares.length; k++) {
    if (!(shares[k] > 0)) continue;
    last = k;
    if (left < shares[k]) break;
    left -= shares[k];
  }
  return last;
}

/** Where `position` lands in the random order of `count` rows in an epoch. */
export function permuted(position: number, count: number, seed: number, epoch: number): number {
  return permutation(count, seed, epoch)(position);
}

/** The random order of `count` rows in an epoch: where a position lands. */
export function permutation(count: number, seed: number, epoch: number): (position: number) => number {
  const keys = randomBits(seed, epoch, 0x5f0f, 0);
  const moreKeys = randomBits(seed, epoch, 0x5f0f, 1);
  // Not below 3: with two bits the last shift would be by 0, and v ^ v is 0.
  const bits = Math.max(3, 32 - Math.clz32(count - 1));
  const mask = bits === 32 ? 0xffffffff : 2 ** bits - 1;
  const half = (bits + 1) >>> 1;
  return (position) => {
    let v = position;
    do {
      for (let round = 0; round < 4; round++) {
        v = ((Math.imul(v ^ keys[round], 0x9e3779b1) + moreKeys[round]) & mask) >>> 0;
        v ^= v >>> half;
        v = (Math.imul(v, 0x85ebca6b) & mask) >>> 0;
        v ^= v >>> (half - 1);
        v = v >>> 0;
      }
    } while (v >= count);
    return v;
  };
}

/** A seed of other random numbers than those of the seed itself. */
export function otherSeed(seed: number): number {
  return (seed ^ 0x9e3779b9) >>> 0;
}
