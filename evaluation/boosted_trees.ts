/**
 * Gradient-boosted trees that classify rows of few numbers, and say how much each number matters.
 *
 * @module
 */

/** What {@linkcode boostedTrees} gives. */
export interface BoostedTrees {
  /** Part of the squared error that the splits on each number removed, over all trees, [K]; their sum is 1, or 0 without a split. */
  readonly importance: Float64Array<ArrayBuffer>;
  /** The class of each row to test on. */
  readonly predicted: Int32Array<ArrayBuffer>;
}

/** scikit-learn's defaults. */
const [STAGES, DEPTH, RATE] = [100, 3, 0.1];

/** Numbers nearer to each other than this are not told apart. */
const NEAR = 1e-7;

/** A node: rows with a number of at most `threshold` go left. */
interface Node {
  code: number;
  threshold: number;
  left: number;
  right: number;
  value: number;
}

/**
 * F_c ← F_c + 0.1 tree_c(x), 100 times, tree_c of depth 3 on the residuals y_c - softmax(F)_c, each leaf with one Newton step of the deviance
 *
 * Of two classes there is one F, and the logistic function for the softmax. Every split is the one that removes most of the squared error;
 * of several that part the rows alike, the codes take turns from tree to tree, where scikit-learn draws one.
 *
 * Source: Friedman, "Greedy function approximation", Annals of Statistics 29, 2001, algorithm 6; scikit-learn's
 * GradientBoostingClassifier with its defaults.
 *
 * @param codes K columns of N numbers.
 * @param labels [N], classes from 0.
 * @param train The first rows are to train on, the others to test on.
 */
export function boostedTrees(codes: readonly Float64Array[], labels: Int32Array, train: number): BoostedTrees {
  const count = labels.length;
  const classes = [...new Set(labels.subarray(0, train))].sort((a, b) => a - b);
  const importance = new Float64Array(codes.length);
  if (classes.length === 1) return { importance, predicted: new Int32Array(count - train).fill(classes[0]) };
  const orders = codes.map((column) =>
    Uint32Array.from({ length: train }, (_, n) => n).sort((a, b) => column[a] - column[b])
  );
  const workshop = {
    orders: orders.map((order) => order.slice()),
    aside: new Uint32Array(train),
    goesLeft: new Uint8Array(train),
    leafOf: new Uint8Array(train),
  };
  const two = classes.length === 2;
  const raised = two ? [classes[1]] : classes;
  const shares = raised.map((c) => labels.subarray(0, train).filter((label) => label === c).length / train);
  const scores = shares.map((share) =>
    new Float64Array(count).fill(two ? Math.log(share / (1 - share)) : Math.log(share))
  );
  const probability = (n: number, norm: number, i: number) =>
    two ? 1 / (1 + Math.exp(-scores[0][n])) : Math.exp(scores[i][n] - norm);
  const norms = new Float64Array(train);
  const residual = new Float64Array(train);
  const newton = two ? 1 : (classes.length - 1) / classes.length;
  for (let stage = 0; stage < STAGES; stage++) {
    if (!two) {
      for (let n = 0; n < train; n++) {
        let largest = -Infinity;
        for (const score of scores) if (score[n] > largest) largest = score[n];
        let sum = 0;
        for (const score of scores) sum += Math.exp(score[n] - largest);
        norms[n] = largest + Math.log(sum);
      }
    }
    const additions = raised.map((c, i) => {
      for (let n = 0; n < train; n++) residual[n] = (labels[n] === c ? 1 : 0) - probability(n, norms[n], i);
      workshop.orders.forEach((order, code) => order.set(orders[code]));
      const nodes = grow(codes, residual, (stage * raised.length + i) % codes.length, importance, workshop);
      const leafOf = workshop.leafOf.slice();
      const [above, below] = [new Float64Array(nodes.length), new Float64Array(nodes.length)];
      for (let n = 0; n < train; n++) {
        const r = residual[n];
        const y = labels[n] === c ? 1 : 0;
        above[leafOf[n]] += r;
        below[leafOf[n]] += (y - r) * (1 - y + r);
      }
      nodes.forEach((node, i) => node.value = below[i] < 1e-150 ? 0 : newton * above[i] / below[i]);
      return { nodes, leafOf };
    });
    // All trees of a stage are of the scores before it.
    additions.forEach(({ nodes, leafOf }, i) => {
      for (let n = 0; n < train; n++) scores[i][n] += RATE * nodes[leafOf[n]].value;
      for (let n = train; n < count; n++) {
        let node = nodes[0];
        while (node.left > 0) node = nodes[codes[node.code][n] <= node.threshold ? node.left : node.right];
        scores[i][n] += RATE * node.value;
      }
    });
  }
  const predicted = Int32Array.from({ length: count - train }, (_, i) => {
    if (two) return classes[scores[0][train + i] > 0 ? 1 : 0];
    let best = 0;
    scores.forEach((score, c) => {
      if (score[train + i] > scores[best][train + i]) best = c;
    });
    return classes[best];
  });
  const total = importance.reduce((sum, part) => sum + part, 0);
  return { importance: total > 0 ? importance.map((part) => part / total) : importance, predicted };
}

/** What a tree is grown in: taken again for each. */
interface Workshop {
  /** The rows in the order of each code; while a tree grows, those of each node lie together. */
  readonly orders: readonly Uint32Array[];
  readonly aside: Uint32Array;
  readonly goesLeft: Uint8Array;
  readonly leafOf: Uint8Array;
}

/** The rows of a node, at the same places in every order. */
interface Segment {
  readonly node: number;
  readonly from: number;
  readonly to: number;
}

/**
 * A tree of the residuals, level by level, and the leaf of each row; adds what its splits removed to `importance`.
 *
 * @param firstCode The code that is looked at first, and so taken where several are as good.
 */
function grow(
  codes: readonly Float64Array[],
  residual: Float64Array,
  firstCode: number,
  importance: Float64Array,
  { orders, aside, goesLeft, leafOf }: Workshop,
): Node[] {
  const leaf = (): Node => ({ code: 0, threshold: 0, left: 0, right: 0, value: 0 });
  const nodes = [leaf()];
  leafOf.fill(0);
  let segments: readonly Segment[] = [{ node: 0, from: 0, to: residual.length }];
  for (let depth = 0; depth < DEPTH; depth++) {
    const next: Segment[] = [];
    for (const { node, from, to } of segments) {
      let [sum, square] = [0, 0];
      for (let i = from; i < to; i++) {
        const r = residual[orders[0][i]];
        sum += r;
        square += r * r;
      }
      const count = to - from;
      // All residuals are the same.
      if (square / count - (sum / count) ** 2 <= 2 ** -52) continue;
      let [gain, split, threshold] = [-Infinity, -1, 0];
      for (let at = 0; at < codes.length; at++) {
        const code = (firstCode + at) % codes.length;
        const found = bestSplit(codes[code], residual, orders[code], from, to, sum, gain);
        if (!found) continue;
        split = code;
        ({ gain, threshold } = found);
      }
      if (split < 0) continue;
      importance[split] += gain / count;
      const [left, right] = [nodes.length, nodes.length + 1];
      Object.assign(nodes[node], { code: split, threshold, left, right });
      nodes.push(leaf(), leaf());
      let middle = from;
      for (let i = from; i < to; i++) {
        const n = orders[0][i];
        const goes = codes[split][n] <= threshold;
        goesLeft[n] = goes ? 1 : 0;
        leafOf[n] = goes ? left : right;
        if (goes) middle++;
      }
      next.push({ node: left, from, to: middle }, { node: right, from: middle, to });
      if (depth + 1 < DEPTH) { for (const order of orders) part(order, from, to, goesLeft, aside); }
    }
    segments = next;
  }
  return nodes;
}

/** The split of a node by one code that gains more than so much, if there is any. Where nearly all the time is spent. */
function bestSplit(
  column: Float64Array,
  residual: Float64Array,
  order: Uint32Array,
  from: number,
  to: number,
  sum: number,
  atLeast: number,
): { readonly gain: number; readonly threshold: number } | undefined {
  let gain = atLeast;
  let threshold = NaN;
  let before = column[order[from]];
  let leftSum = residual[order[from]];
  for (let i = from + 1; i < to; i++) {
    const n = order[i];
    const value = column[n];
    if (value > before + NEAR) {
      const left = i - from;
      const right = to - i;
      const apart = right * leftSum - left * (sum - leftSum);
      const square = apart * apart;
      if (square > gain * (left * right)) {
        gain = square / (left * right);
        threshold = before / 2 + value / 2;
      }
    }
    leftSum += residual[n];
    before = value;
  }
  return gain > atLeast ? { gain, threshold } : undefined;
}

/** Brings the rows that go left before those that go right, each in the order that they were in. */
function part(order: Uint32Array, from: number, to: number, goesLeft: Uint8Array, aside: Uint32Array): void {
  let [left, right] = [from, 0];
  for (let i = from; i < to; i++) {
    const n = order[i];
    if (goesLeft[n]) order[left++] = n;
    else aside[right++] = n;
  }
  order.set(aside.subarray(0, right), left);
}
