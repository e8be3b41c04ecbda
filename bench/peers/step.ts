/**
 * What the scripts of peers share: the layers of the benchmark's VAE, its data, and how the rate of a step is taken.
 *
 * @module
 */

/** A training step of a peer: the loss it gives may be read later, which waits for the step. */
export interface PeerStep<L> {
  step(x: Float32Array<ArrayBuffer>, noise: Float32Array<ArrayBuffer>): L;
  loss(handle: L): Promise<number>;
}

/** A dense layer's parameters. */
export interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly weight: Float32Array<ArrayBuffer>;
  readonly bias: Float32Array<ArrayBuffer>;
}

/** What is measured. */
export interface Subject {
  readonly hidden: readonly number[];
  readonly latents: number;
  readonly batch: number;
  readonly seconds: number;
}

const PIXELS = 784;

/** The subject of the command line: ... 500,500 3 128 2 for hidden widths, latents, batch and seconds. */
export function subjectOf(args: readonly string[]): Subject {
  const [hidden, latents, batch, seconds] = args.slice(-4);
  return { hidden: hidden.split(",").map(Number), latents: +latents, batch: +batch, seconds: +seconds };
}

/** Encoder layers, mean, log-variance, decoder layers, logits; weights uniform by Glorot. */
export function layersOf({ hidden, latents }: Subject): Layer[] {
  const encoder = [PIXELS, ...hidden];
  const decoder = [latents, ...hidden.toReversed(), PIXELS];
  const top = hidden.at(-1)!;
  const pairs = [...pairsOf(encoder), [top, latents], [top, latents], ...pairsOf(decoder)];
  return pairs.map(([inputs, outputs]) => {
    const limit = Math.sqrt(6 / (inputs + outputs));
    const weight = Float32Array.from({ length: inputs * outputs }, () => limit * (2 * Math.random() - 1));
    return { inputs, outputs, weight, bias: new Float32Array(outputs) };
  });
}

function pairsOf(sizes: readonly number[]): number[][] {
  return sizes.slice(1).map((outputs, i) => [sizes[i], outputs]);
}

/** Runs a peer's step, first to warm up, and prints its rate as a line of JSON. */
export async function measure<L>({ latents, batch, seconds }: Subject, peer: PeerStep<L>): Promise<void> {
  const batches = Array.from(
    { length: 8 },
    () => Float32Array.from({ length: batch * PIXELS }, () => Number(Math.random() < 0.13)),
  );
  const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  const noises = batches.map(() => Float32Array.from({ length: batch * latents }, normal));
  let done = 0;
  const steps = async (count: number) => {
    const begin = performance.now();
    let last: L | undefined;
    for (let i = 0; i < count; i++, done++) last = peer.step(batches[done % 8], noises[done % 8]);
    // One read for many steps, as of a user who prints the loss now and then.
    const loss = await peer.loss(last!);
    if (!Number.isFinite(loss)) throw new Error(`the loss is ${loss}`);
    return (performance.now() - begin) / 1000;
  };
  const firstStepMs = 1000 * await steps(1);
  const until = performance.now() + 2000;
  let each = Infinity;
  while (performance.now() < until || done < 4) each = await steps(1);
  const count = Math.max(1, Math.round(0.4 / each));
  const rates: number[] = [];
  for (const end = performance.now() + 1000 * seconds; performance.now() < end || rates.length < 3;) {
    rates.push(count * batch / await steps(count));
  }
  rates.sort((a, b) => a - b);
  console.log(JSON.stringify({ samplesPerSecond: rates[rates.length >> 1], firstStepMs }));
}
