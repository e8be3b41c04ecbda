/**
 * The benchmark's step in jax-js: loss, gradients and Adam in one compiled function.
 * Run: deno run -A bench/peers/jax_js.ts wasm|webgpu 500 20 100 2
 *
 * @module
 */

import { layersOf, measure, subjectOf } from "./step.ts";

// Not in the import map: every task would download what is there.
const jax = await import(["npm:", "@jax-js/jax@0.1.25"].join(""));
const { numpy: np, jit, valueAndGrad, nn } = jax;
const [device] = Deno.args;
await jax.init(device);
jax.defaultDevice(device);

const subject = subjectOf(Deno.args);
const { hidden: { length: hidden }, latents, batch } = subject;
const RATE = 1e-3, BETA1 = 0.9, BETA2 = 0.999;
type Arrays = ReturnType<typeof np.zeros>[];
const array = (values: Float32Array, shape: number[]) => np.array(values, { shape, dtype: np.float32, device });
const layers = layersOf(subject);
let parameters: Arrays = layers.flatMap((l) => [array(l.weight, [l.inputs, l.outputs]), array(l.bias, [l.outputs])]);
const zeros = () => layers.flatMap(({ inputs, outputs }) => [np.zeros([inputs, outputs]), np.zeros([outputs])]);
let first: Arrays = zeros();
let second: Arrays = zeros();

const loss = (all: Arrays, x: Arrays[number], noise: Arrays[number]) => {
  let k = 0;
  const dense = (input: Arrays[number]) => np.dot(input, all[k++]).add(all[k++]);
  let h = x.ref;
  for (let i = 0; i < hidden; i++) h = np.tanh(dense(h));
  const mean = dense(h.ref);
  const logVariance = dense(h);
  h = mean.ref.add(np.exp(logVariance.ref.mul(0.5)).mul(noise));
  for (let i = 0; i < hidden; i++) h = np.tanh(dense(h));
  const logits = dense(h);
  const nll = nn.softplus(logits.ref).sub(logits.mul(x)).sum();
  const kl = mean.ref.mul(mean).add(np.exp(logVariance.ref)).sub(logVariance).sub(1).sum().mul(0.5);
  return nll.add(kl).mul(1 / batch);
};
const gradient = valueAndGrad(loss);
const whole = jit((...[p, m, v, x, noise, rate, correction]: [Arrays, Arrays, Arrays, ...Arrays]) => {
  const [value, gradients] = gradient(p.map((each) => each.ref), x, noise);
  const next: [Arrays, Arrays, Arrays] = [[], [], []];
  p.forEach((each, i) => {
    const g = gradients[i];
    const mean = m[i].mul(BETA1).add(g.ref.mul(1 - BETA1));
    const square = v[i].mul(BETA2).add(g.ref.mul(g).mul(1 - BETA2));
    next[0].push(each.sub(mean.ref.mul(rate.ref).div(np.sqrt(square.ref.mul(correction.ref)).add(1e-8))));
    next[1].push(mean);
    next[2].push(square);
  });
  rate.dispose();
  correction.dispose();
  return [value, ...next];
});

let step = 0;
let last: Arrays[number] | undefined;
await measure(subject, {
  step(x, noise) {
    step++;
    const scalar = (value: number) => array(new Float32Array([value]), []);
    const given = [array(x, [batch, 784]), array(noise, [batch, latents])];
    const [value, ...next] = whole(
      ...[parameters, first, second, ...given],
      ...[scalar(RATE / (1 - BETA1 ** step)), scalar(1 / (1 - BETA2 ** step))],
    );
    [parameters, first, second] = next;
    last?.dispose();
    return last = value;
  },
  loss: async (value) => (await value.ref.data())[0],
});
Deno.exit();
