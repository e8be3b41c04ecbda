/**
 * The benchmark's step in TensorFlow.js on WebGPU. Run: deno run -A bench/peers/tfjs.ts 500 20 100 2
 *
 * @module
 */

import { layersOf, measure, subjectOf } from "./step.ts";

// It asks for a list of features within the list, which browsers take and Deno refuses.
const request = GPUAdapter.prototype.requestDevice;
GPUAdapter.prototype.requestDevice = function (descriptor) {
  const requiredFeatures = ([...descriptor?.requiredFeatures ?? []] as (GPUFeatureName | GPUFeatureName[])[]).flat();
  return request.call(this, { ...descriptor, requiredFeatures });
};
// Not in the import map: every task would download what is there.
const tf = await import(["npm:", "@tensorflow/tfjs@4.22.0"].join(""));
await import(["npm:", "@tensorflow/tfjs-backend-webgpu@4.22.0"].join(""));
// The fastest of its settings here: few submits, and nothing of the step on the processor.
tf.env().set("WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE", 1000);
tf.env().set("WEBGPU_CPU_FORWARD", false);
if (!await tf.setBackend("webgpu")) throw new Error("tfjs finds no WebGPU");
await tf.ready();

const subject = subjectOf(Deno.args);
const { hidden: { length: hidden }, latents, batch } = subject;
const layers = layersOf(subject).map(({ inputs, outputs, weight, bias }) => ({
  weight: tf.variable(tf.tensor2d(weight, [inputs, outputs])),
  bias: tf.variable(tf.tensor1d(bias)),
}));
const optimizer = tf.train.adam(1e-3, 0.9, 0.999, 1e-8);
type Tensor = ReturnType<typeof tf.tensor2d>;

function loss(x: Tensor, noise: Tensor): Tensor {
  let k = 0;
  const dense = (input: Tensor): Tensor => input.matMul(layers[k].weight).add(layers[k++].bias);
  let h = x;
  for (let i = 0; i < hidden; i++) h = dense(h).tanh();
  const mean = dense(h);
  const logVariance = dense(h);
  h = mean.add(logVariance.mul(0.5).exp().mul(noise));
  for (let i = 0; i < hidden; i++) h = dense(h).tanh();
  const logits = dense(h);
  const nll = logits.softplus().sub(logits.mul(x)).sum();
  const kl = mean.square().add(logVariance.exp()).sub(logVariance).sub(1).sum().mul(0.5);
  return nll.add(kl).div(batch);
}

let last: Tensor | undefined;
await measure(subject, {
  step(values, noises) {
    const x = tf.tensor2d(values, [batch, 784]);
    const noise = tf.tensor2d(noises, [batch, latents]);
    const value = optimizer.minimize(() => loss(x, noise), true);
    x.dispose();
    noise.dispose();
    last?.dispose();
    return last = value;
  },
  loss: async (value) => (await value.data())[0],
});
Deno.exit();
