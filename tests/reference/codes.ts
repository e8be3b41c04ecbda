/**
 * Vector quantization with its codebook's learning, and the likelihood of codes from those before them, as plain loops in float64. The oracle
 * that kernels are held against; made to be read, not to be fast.
 *
 * N data of P positions, D numbers of a code, K codes; z and e [N P, D], codes [N P], codebook [D, K], all row-major.
 *
 * @module
 */

/** P, D and K. */
export interface CodeSizes {
  readonly positions: number;
  readonly depth: number;
  readonly count: number;
}

/**
 * The nearest code of each row, the first of equal ones; |z - e|² of each datum.
 *
 * @returns margins: how much further the second nearest is, squared.
 */
export function quantizeForward(
  z: Float64Array,
  codebook: Float64Array,
  { positions, depth, count }: CodeSizes,
): { codes: number[]; e: Float64Array; distances: Float64Array; margins: number[] } {
  const rows = z.length / depth;
  const codes: number[] = [];
  const margins: number[] = [];
  const e = new Float64Array(z.length);
  const distances = new Float64Array(rows / positions);
  for (let m = 0; m < rows; m++) {
    const apart = Array.from({ length: count }, (_, k) => {
      let sum = 0;
      for (let d = 0; d < depth; d++) sum += (z[m * depth + d] - codebook[d * count + k]) ** 2;
      return sum;
    });
    const code = apart.indexOf(Math.min(...apart));
    codes.push(code);
    margins.push(Math.min(...apart.filter((_, k) => k !== code)) - apart[code]);
    for (let d = 0; d < depth; d++) e[m * depth + d] = codebook[d * count + code];
    distances[Math.floor(m / positions)] += apart[code];
  }
  return { codes, e, distances, margins };
}

/** dz = de + 2 β (z - e); dE[:, k] = 2 α Σ (e_k - z) over the rows of code k. */
export function quantizeBackward(
  z: Float64Array,
  codebook: Float64Array,
  codes: ArrayLike<number>,
  upstream: Float64Array,
  { depth, count }: CodeSizes,
  { commitment, weight }: { readonly commitment: number; readonly weight: number },
): { z: Float64Array; codebook: Float64Array } {
  const gradient = { z: upstream.slice(), codebook: new Float64Array(codebook.length) };
  for (let i = 0; i < z.length; i++) {
    const at = i % depth * count + codes[Math.floor(i / depth)];
    gradient.z[i] += 2 * commitment * (z[i] - codebook[at]);
    gradient.codebook[at] += 2 * weight * (codebook[at] - z[i]);
  }
  return gradient;
}

/** What moving averages keep: N [K] and m [D, K]. */
export interface Averages {
  readonly codebook: Float64Array;
  readonly usage: Float64Array;
  readonly sums: Float64Array;
}

/**
 * N_k = γ N_k + (1 - γ) n_k, m_k = γ m_k + (1 - γ) Σ z, e_k = m_k / ((N_k + ε) / (Σ N + K ε) Σ N); a code with N_k below `dead` becomes
 * row origin(k), with an even share of the rows.
 *
 * @param averaged Whether the codes are averages; else only dead ones change.
 */
export function updateAverages(
  { codebook, usage, sums }: Averages,
  z: Float64Array,
  codes: ArrayLike<number>,
  { depth, count }: CodeSizes,
  { decay, dead, averaged, origin }: {
    readonly decay: number;
    readonly dead: number;
    readonly averaged: boolean;
    readonly origin: (code: number) => number;
  },
): Averages & { readonly revived: number } {
  const rows = z.length / depth;
  const even = rows / count;
  const after = { codebook: codebook.slice(), usage: usage.map((n) => decay * n), sums: sums.map((m) => decay * m) };
  for (let m = 0; m < rows; m++) {
    after.usage[codes[m]] += 1 - decay;
    for (let d = 0; d < depth; d++) after.sums[d * count + codes[m]] += (1 - decay) * z[m * depth + d];
  }
  const isDead = after.usage.map((n) => n < dead ? 1 : 0);
  for (let k = 0; k < count; k++) if (isDead[k]) after.usage[k] = even;
  const total = after.usage.reduce((sum, n) => sum + n, 0);
  for (let k = 0; k < count; k++) {
    const size = (after.usage[k] + 1e-5) / (total + count * 1e-5) * total;
    for (let d = 0; d < depth; d++) {
      const at = d * count + k;
      if (averaged) after.codebook[at] = after.sums[at] / size;
      if (!isDead[k]) continue;
      after.codebook[at] = z[origin(k) * depth + d];
      after.sums[at] = even * after.codebook[at];
    }
  }
  return { ...after, revived: isDead.reduce((sum, n) => sum + n, 0) };
}

/** H, W, M (1 where left out), R and E. */
export interface ContextSizes {
  readonly height: number;
  readonly width: number;
  readonly each?: number;
  readonly radius: number;
  readonly channels: number;
}

const neighboursOf = (radius: number) => 2 * radius * (radius + 1);

/** Columns of a context: the neighbours', with several items those of its own pixel, and the places'. */
const contextColumns = ({ height, width, each = 1, radius, channels }: ContextSizes) =>
  (neighboursOf(radius) + (each > 1 ? 1 : 0)) * channels + height * width * each;

/** Calls `visit` with a column of an item's context and each of what is summed in it; the place's column has no source. */
function forEachColumn(
  rows: number,
  sizes: ContextSizes,
  visit: (at: number, source: number | undefined) => void,
): void {
  const { height, width, each = 1, radius, channels } = sizes;
  const columns = contextColumns(sizes);
  for (let row = 0; row < rows; row++) {
    const item = row % (height * width * each);
    const pixel = Math.floor(item / each);
    const [y, x] = [Math.floor(pixel / width), pixel % width];
    const first = row - item;
    const sum = (number: number, from: number, items: number) => {
      for (let c = 0; c < channels; c++) {
        for (let m = 0; m < items; m++) {
          visit(row * columns + number * channels + c, (first + from * each + m) * channels + c);
        }
      }
    };
    let number = 0;
    for (let dy = -radius; dy <= 0; dy++) {
      for (let dx = -radius; dx <= radius; dx++) {
        if (dy === 0 && dx >= 0) continue;
        const inside = y + dy >= 0 && x + dx >= 0 && x + dx < width;
        if (inside) sum(number, pixel + dy * width + dx, each);
        number++;
      }
    }
    if (each > 1) sum(number++, pixel, item % each);
    visit(row * columns + number * channels + item, undefined);
  }
}

/** The channels of the pixels before each item, summed over their items, of its own pixel's before it, and its place. x [N H W M, E] */
export function contextForward(x: Float64Array, sizes: ContextSizes): Float64Array {
  const rows = x.length / sizes.channels;
  const y = new Float64Array(rows * contextColumns(sizes));
  forEachColumn(rows, sizes, (at, source) => y[at] += source === undefined ? 1 : x[source]);
  return y;
}

/** dx */
export function contextBackward(upstream: Float64Array, rows: number, sizes: ContextSizes): Float64Array {
  const gradient = new Float64Array(rows * sizes.channels);
  forEachColumn(rows, sizes, (at, source) => {
    if (source !== undefined) gradient[source] += upstream[at];
  });
  return gradient;
}

/** -Σ log softmax(a)_k of each datum, and its gradient. logits [N P, K] */
export function softmaxNll(
  logits: Float64Array,
  codes: ArrayLike<number>,
  { positions, count }: Pick<CodeSizes, "positions" | "count">,
): { nll: Float64Array; gradient: Float64Array } {
  const rows = logits.length / count;
  const nll = new Float64Array(rows / positions);
  const gradient = new Float64Array(logits.length);
  for (let m = 0; m < rows; m++) {
    const a = logits.subarray(m * count, (m + 1) * count);
    const largest = Math.max(...a);
    const logSum = largest + Math.log(a.reduce((sum, value) => sum + Math.exp(value - largest), 0));
    nll[Math.floor(m / positions)] += logSum - a[codes[m]];
    for (let k = 0; k < count; k++) gradient[m * count + k] = Math.exp(a[k] - logSum) - (k === codes[m] ? 1 : 0);
  }
  return { nll, gradient };
}

/** A prior over codes: the embeddings [E, M K], and its dense layers, the last of which gives the logits. */
export interface CodePrior {
  readonly embedding: ArrayLike<number>;
  readonly layers: readonly { readonly weight: ArrayLike<number>; readonly bias: ArrayLike<number> }[];
}

/** softmax(a / T) of a code of an image [P M], given those before it. */
export function codeProbabilities(
  { embedding, layers }: CodePrior,
  image: ArrayLike<number>,
  item: number,
  sizes: ContextSizes & { readonly count: number },
  temperature = 1,
): Float64Array {
  const { height, width, each = 1, channels, count } = sizes;
  const embedded = Float64Array.from({ length: height * width * each * channels }, (_, i) => {
    const other = Math.floor(i / channels);
    return embedding[(i % channels * each + other % each) * count + image[other]];
  });
  const contexts = contextForward(embedded, sizes);
  const columns = contextColumns(sizes);
  let h = contexts.slice(item * columns, (item + 1) * columns);
  layers.forEach(({ weight, bias }, l) => {
    const x = l === 0 ? h : h.map((a) => a / (1 + Math.exp(-a)));
    h = Float64Array.from(bias, (b, o) => x.reduce((sum, value, i) => sum + value * weight[i * bias.length + o], b));
  });
  const largest = Math.max(...h);
  const shares = h.map((a) => Math.exp((a - largest) / temperature));
  const total = shares.reduce((sum, share) => sum + share);
  return shares.map((share) => share / total);
}

/**
 * An image of codes, position by position: the first code at which the summed probabilities are above the position's uniform number.
 *
 * @returns nearest: how near a uniform number came to such a sum.
 */
export function drawImage(
  prior: CodePrior,
  uniforms: ArrayLike<number>,
  sizes: ContextSizes & { readonly count: number },
  temperature: number,
): { codes: number[]; nearest: number } {
  const codes: number[] = Array(uniforms.length).fill(0);
  let nearest = Infinity;
  for (let position = 0; position < codes.length; position++) {
    let below = 0;
    let chosen = -1;
    codeProbabilities(prior, codes, position, sizes, temperature).forEach((probability, k) => {
      below += probability;
      if (chosen < 0 && uniforms[position] < below) chosen = k;
      if (k + 1 < sizes.count) nearest = Math.min(nearest, Math.abs(uniforms[position] - below));
    });
    codes[position] = chosen;
  }
  return { codes, nearest };
}

/** Rows, or columns, of length 1. */
export function unit(values: Float64Array, width: number, columns = false): Float64Array {
  const count = values.length / width;
  const at = (i: number, d: number) => columns ? d * count + i : i * width + d;
  const scaled = new Float64Array(values.length);
  for (let i = 0; i < count; i++) {
    let square = 0;
    for (let d = 0; d < width; d++) square += values[at(i, d)] ** 2;
    for (let d = 0; d < width; d++) scaled[at(i, d)] = values[at(i, d)] / Math.sqrt(square);
  }
  return scaled;
}

/** The rotation R [D, D] that turns ẑ to ê in their plane, I - 2 s sᵀ / |s|² + 2 ê ẑᵀ, s = ẑ + ê, and λ = |e| / |z|. */
export function rotation(z: ArrayLike<number>, e: ArrayLike<number>): { matrix: number[][]; scale: number } {
  const length = (v: ArrayLike<number>) => Math.hypot(...Array.from(v));
  const [from, to] = [z, e].map((v) => Array.from(v, (x) => x / length(v)));
  const s = from.map((x, d) => x + to[d]);
  const square = s.reduce((sum, x) => sum + x * x, 0);
  const matrix = s.map((si, i) => s.map((sj, j) => (i === j ? 1 : 0) - 2 * si * sj / square + 2 * to[i] * from[j]));
  return { matrix, scale: length(e) / length(z) };
}

/** dz = λ Rᵀ dy of each row. */
export function rotationBackward(
  z: Float64Array,
  e: Float64Array,
  upstream: Float64Array,
  depth: number,
): Float64Array {
  const gradient = new Float64Array(z.length);
  for (let m = 0; m < z.length / depth; m++) {
    const row = (v: Float64Array) => v.subarray(m * depth, (m + 1) * depth);
    const { matrix, scale } = rotation(row(z), row(e));
    for (let j = 0; j < depth; j++) {
      gradient[m * depth + j] = scale * row(upstream).reduce((sum, g, i) => sum + matrix[i][j] * g, 0);
    }
  }
  return gradient;
}

/**
 * round(f(z)) / ⌊L / 2⌋ and the codes [rows G]; the derivative of f(z) / ⌊L / 2⌋.
 *
 * @returns margins: how far f(z) is from where it would be rounded to another level.
 */
export function quantizeScalars(
  z: Float64Array,
  levels: readonly number[],
): { e: Float64Array; codes: number[]; slope: Float64Array; bounded: Float64Array; margins: Float64Array } {
  const [e, slope, bounded, margins] = [0, 1, 2, 3].map(() => new Float64Array(z.length));
  const codes: number[] = Array(z.length / levels.length).fill(0);
  const places = levels.map((_, i) => levels.slice(0, i).reduce((product, count) => product * count, 1));
  z.forEach((value, i) => {
    const d = i % levels.length;
    const count = levels[d];
    const half = (count - 1) * (1 - 1e-3) / 2;
    const offset = count % 2 === 1 ? 0 : 0.5;
    const width = Math.floor(count / 2);
    const y = Math.tanh(value + Math.tan(offset / half));
    const f = y * half - offset;
    const level = Math.round(f);
    e[i] = level / width;
    slope[i] = (1 - y * y) * half / width;
    bounded[i] = f / width;
    margins[i] = 0.5 - Math.abs(f - level);
    codes[Math.floor(i / levels.length)] += (level + width) * places[d];
  });
  return { e, codes, slope, bounded, margins };
}
