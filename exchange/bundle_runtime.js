// What follows is the same for every model: a graph of operations, run in the order that it is written in, on arrays of float32.

const unary = {
  abs: Math.abs,
  ceil: Math.ceil,
  cos: Math.cos,
  exp: Math.exp,
  floor: Math.floor,
  log: Math.log,
  neg: (x) => -x,
  sign: Math.sign,
  sin: Math.sin,
  sqrt: Math.sqrt,
  tanh: Math.tanh,
  // To the even one of two that are as near, as shaders do.
  round: (x) => {
    const whole = Math.round(x);
    return whole - x === 0.5 && whole % 2 ? whole - 1 : whole;
  },
  // Abramowitz and Stegun, 7.1.26.
  erf: (x) => {
    const t = 1 / (1 + 0.3275911 * Math.abs(x));
    const sum = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return Math.sign(x) * (1 - sum * Math.exp(-x * x));
  },
  elu: (x) => x > 0 ? x : Math.expm1(x),
  gelu: (x) => 0.5 * x * (1 + unary.erf(x * Math.SQRT1_2)),
  leaky_relu: (x) => x > 0 ? x : 0.01 * x,
  relu: (x) => x > 0 ? x : 0,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  silu: (x) => x / (1 + Math.exp(-x)),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
};

const binary = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  min: Math.min,
  max: Math.max,
  pow: Math.pow,
  less: (a, b) => +(a < b),
  lessOrEqual: (a, b) => +(a <= b),
  greater: (a, b) => +(a > b),
  greaterOrEqual: (a, b) => +(a >= b),
  equal: (a, b) => +(a === b),
  and: (a, b) => +(a && b),
  or: (a, b) => +(a || b),
};

const sizeOf = (shape) => shape.reduce((product, size) => product * size, 1);
const array = (shape, data = new Float32Array(sizeOf(shape))) => ({ shape, data });

/** f of elements, where an axis of one element counts for all. */
function elementwise(f, operands) {
  const rank = Math.max(...operands.map(({ shape }) => shape.length));
  const padded = operands.map(({ shape }) => [...Array(rank - shape.length).fill(1), ...shape]);
  const shape = Array.from({ length: rank }, (_, axis) => Math.max(...padded.map((sizes) => sizes[axis])));
  const out = array(shape);
  const steps = padded.map((sizes) => {
    let step = 1;
    return sizes.map((_, i) => {
      const size = sizes[rank - 1 - i];
      const own = size === 1 ? 0 : step;
      step *= size;
      return own;
    }).reverse();
  });
  const inner = rank ? shape[rank - 1] : 1;
  const places = operands.map(() => 0);
  const at = Array(rank).fill(0);
  const given = operands.map(({ data }) => data);
  const stride = steps.map((all) => rank ? all[rank - 1] : 0);
  for (let first = 0; first < out.data.length; first += inner) {
    operands.forEach((_, o) => {
      places[o] = 0;
      for (let axis = 0; axis < rank - 1; axis++) places[o] += at[axis] * steps[o][axis];
    });
    const [a, b, c] = places;
    const [p, q, r] = stride;
    if (given.length === 1) { for (let i = 0; i < inner; i++) out.data[first + i] = f(given[0][a + i * p]); }
    else if (given.length === 2) {
      for (let i = 0; i < inner; i++) out.data[first + i] = f(given[0][a + i * p], given[1][b + i * q]);
    } else {
      for (let i = 0; i < inner; i++) {
        out.data[first + i] = f(given[0][a + i * p], given[1][b + i * q], given[2][c + i * r]);
      }
    }
    for (let axis = rank - 2; axis >= 0 && ++at[axis] === shape[axis]; axis--) at[axis] = 0;
  }
  return out;
}

/** a b, of [N, K] and [K, M], and a bias [M]. */
function product(a, b, bias) {
  const [rows, depth] = a.shape;
  const columns = b.shape[1];
  const out = array([rows, columns]);
  const [given, weights] = [a.data, b.data];
  const row = new Float32Array(columns);
  for (let n = 0; n < rows; n++) {
    if (bias) row.set(bias.data);
    else row.fill(0);
    for (let k = 0; k < depth; k++) {
      const x = given[n * depth + k];
      if (x === 0) continue;
      for (let m = 0, at = k * columns; m < columns; m++, at++) row[m] += x * weights[at];
    }
    out.data.set(row, n * columns);
  }
  return out;
}

/** A convolution of [N, C, H, W], or one transposed. */
function convolved(x, kernel, bias, { size: K, stride, padding, transposed, beyond }) {
  const [count, channels, height, width] = x.shape;
  const outputs = kernel.shape[transposed ? 1 : 0];
  const to = [height, width].map((size, axis) =>
    transposed
      ? (size - 1) * stride - 2 * padding + K + beyond[axis]
      : Math.floor((size + 2 * padding - K) / stride) + 1
  );
  const out = array([count, outputs, ...to]);
  const [read, written, weights] = [x.data, out.data, kernel.data];
  // Of a coarse pixel and a fine one that a weight joins, each is read or written.
  const [coarse, fine] = transposed ? [[height, width], to] : [to, [height, width]];
  for (let n = 0; n < count; n++) {
    for (let o = 0; o < outputs; o++) {
      const first = (n * outputs + o) * to[0] * to[1];
      written.fill(bias.data[o], first, first + to[0] * to[1]);
      for (let c = 0; c < channels; c++) {
        const from = (n * channels + c) * height * width;
        const taps = (transposed ? c * outputs + o : o * channels + c) * K * K;
        for (let ky = 0; ky < K; ky++) {
          for (let kx = 0; kx < K; kx++) {
            const w = weights[taps + ky * K + kx];
            for (let cy = 0; cy < coarse[0]; cy++) {
              const fy = cy * stride + ky - padding;
              if (fy < 0 || fy >= fine[0]) continue;
              for (let cx = 0; cx < coarse[1]; cx++) {
                const fx = cx * stride + kx - padding;
                if (fx < 0 || fx >= fine[1]) continue;
                const one = cy * coarse[1] + cx;
                const other = fy * fine[1] + fx;
                if (transposed) written[first + other] += w * read[from + one];
                else written[first + one] += w * read[from + other];
              }
            }
          }
        }
      }
    }
  }
  return out;
}

function permuted(x, order) {
  const shape = order.map((axis) => x.shape[axis]);
  const out = array(shape);
  const steps = order.map((axis) => sizeOf(x.shape.slice(axis + 1)));
  const at = shape.map(() => 0);
  let from = 0;
  for (let i = 0; i < out.data.length; i++) {
    out.data[i] = x.data[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += steps[axis];
      if (++at[axis] < shape[axis]) break;
      from -= steps[axis] * shape[axis];
      at[axis] = 0;
    }
  }
  return out;
}

/** f of each row [N, D], to [N, 1]. */
function byRow({ shape: [rows, columns], data }, f) {
  return array(
    [rows, 1],
    Float32Array.from({ length: rows }, (_, n) => f(data.subarray(n * columns, (n + 1) * columns))),
  );
}

const operations = {
  vector: (_, { values }) => array([1, values.length], Float32Array.from(values)),
  number: (_, { value }) => array([], Float32Array.of(value)),
  tensor: (_, { shape, name }, weights) => array(shape, weights[name].data),
  unary: ([x], { f }) => elementwise(unary[f], [x]),
  binary: (given, { f }) => elementwise(binary[f], given),
  where: (given) => elementwise((c, a, b) => c ? a : b, given),
  linear: ([x], { name }, weights) => product(x, weights[name + ".weight"], weights[name + ".bias"]),
  matmul: ([a, b]) => product(a, b),
  conv: ([x], how, weights) => convolved(x, weights[how.name + ".kernel"], weights[how.name + ".bias"], how),
  batchNorm: ([x], { name, running, epsilon }, weights) => {
    const [gain, offset] = [weights[name + ".weight"].data, weights[name + ".bias"].data];
    const [variance, mean] = [weights[running + ".weight"].data, weights[running + ".bias"].data];
    const columns = x.shape[1];
    return array(
      x.shape,
      x.data.map((v, i) => {
        const c = i % columns;
        return (v - mean[c]) / Math.sqrt(variance[c] + epsilon) * gain[c] + offset[c];
      }),
    );
  },
  reshape: ([x], { rest }) => array([x.data.length / sizeOf(rest), ...rest], x.data),
  permute: ([x], { order }) => permuted(x, order),
  columns: ([x], { first, count }) => {
    const [rows, columns] = x.shape;
    const out = array([rows, count]);
    for (let n = 0; n < rows; n++) {
      out.data.set(x.data.subarray(n * columns + first, n * columns + first + count), n * count);
    }
    return out;
  },
  concat: (parts) => {
    const width = parts.reduce((sum, { shape }) => sum + shape[1], 0);
    const out = array([parts[0].shape[0], width]);
    let first = 0;
    for (const { shape: [rows, columns], data } of parts) {
      for (let n = 0; n < rows; n++) out.data.set(data.subarray(n * columns, (n + 1) * columns), n * width + first);
      first += columns;
    }
    return out;
  },
  repeat: ([x], { times }) => {
    const [rows, columns] = x.shape;
    const out = array([rows * times, columns]);
    for (let n = 0; n < rows * times; n++) {
      const from = Math.floor(n / times) * columns;
      out.data.set(x.data.subarray(from, from + columns), n * columns);
    }
    return out;
  },
  sum: ([x]) => byRow(x, (row) => row.reduce((sum, v) => sum + v, 0)),
  most: ([x]) => byRow(x, (row) => row.reduce((most, v) => Math.max(most, v), -Infinity)),
  largest: ([x]) => byRow(x, (row) => row.indexOf(row.reduce((most, v) => Math.max(most, v), -Infinity))),
  cumulated: ([x]) => {
    const out = array(x.shape, x.data.slice());
    for (let i = 0; i < out.data.length; i++) if (i % x.shape[1]) out.data[i] += out.data[i - 1];
    return out;
  },
  rowsOf: ([table, places]) => {
    const columns = table.shape[1];
    const out = array([places.data.length, columns]);
    places.data.forEach((at, n) => out.data.set(table.data.subarray(at * columns, (at + 1) * columns), n * columns));
    return out;
  },
  same: ([x]) => x,
  second: ([, y]) => y,
};

/** Runs a graph on inputs by name, each Float32Array or array of numbers, row by row. */
function run({ inputs, nodes, outputs }, given, weights) {
  const values = [];
  let rows;
  for (const [name, columns] of Object.entries(inputs)) {
    const data = given[name];
    const count = data?.length / columns;
    if (!(count >= 1) || count % 1 || (rows ?? count) !== count) {
      throw new RangeError(
        `Cannot run the model: expected rows of ${columns} numbers as ${name}${
          rows ? `, ${rows} of them` : ""
        }, found ${data?.length ?? "none"}`,
      );
    }
    rows = count;
    values.push(array([rows, columns], Float32Array.from(data)));
  }
  for (const [op, from, attributes] of nodes) {
    values.push(operations[op](from.map((i) => values[i]), attributes, weights));
  }
  return Object.fromEntries(Object.entries(outputs).map(([name, i]) => [name, values[i].data.slice()]));
}

/** Tensors of float32 out of safetensors. */
function readTensors(bytes) {
  const length = Number(new DataView(bytes).getBigUint64(0, true));
  const { __metadata__: _, ...header } = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 8, length)));
  return Object.fromEntries(
    Object.entries(header).map(([name, { shape, data_offsets: [begin, end] }]) => [
      name,
      array(shape, new Float32Array(bytes.slice(8 + length + begin, 8 + length + end))),
    ]),
  );
}

/** A normal random number. */
const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());

export async function load(source = new URL("./vae.safetensors", import.meta.url)) {
  let bytes = source;
  if (!(source instanceof ArrayBuffer)) {
    const response = source instanceof Response ? source : await fetch(source);
    if (!response.ok) throw new Error(`Cannot load ${response.url}: found ${response.status}`);
    bytes = await response.arrayBuffer();
  }
  const weights = readTensors(bytes);
  const graph = (name) => {
    if (!model.graphs[name]) throw new TypeError(`Cannot use the ${name}: the model was exported without one`);
    return model.graphs[name];
  };
  const vae = {
    ...about,
    encode: (x, condition) => run(graph("encoder"), { x, condition }, weights),
    decode: (z, condition) => run(graph("decoder"), { z, condition }, weights).mean,
    sample(count, { condition, temperature = 1 } = {}) {
      const width = about.latents + 1;
      const noise = Float32Array.from(
        { length: count * width },
        (_, i) => i % width === about.latents ? Math.random() : temperature * normal(),
      );
      const z = model.standard
        ? noise.filter((_, i) => i % width !== about.latents)
        : run(graph("prior"), { noise, condition }, weights).z;
      return vae.decode(z, condition);
    },
  };
  return vae;
}
