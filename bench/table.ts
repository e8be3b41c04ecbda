/**
 * A table of what `bench/gpu.sh` measured: samples/s of whole steps, the share of the adapter's limit, and PyTorch's figures beside them.
 *
 * @module
 */

interface Step {
  readonly architecture: string;
  readonly batch: number;
  readonly samplesPerSecond: number;
  readonly gflops: number;
  readonly dispatches: number;
  readonly jsMicroseconds: number;
  /** The share of the time that the GPU waited between submits; none where it has no clock. */
  readonly idle?: number;
  readonly firstStepMs: number;
}

interface Limits {
  readonly roofline: { readonly unrolled: number; readonly looped: number; readonly bandwidth: number };
}

/** What torch_vae.py prints of one mode. */
interface Torch {
  readonly mode: string;
  readonly architecture: string;
  readonly batch: number;
  /** None where a mode failed. */
  readonly samples_per_s?: number;
}

const lines = <T>(file: string): T[] =>
  Deno.readTextFileSync(file).split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));

if (import.meta.main) {
  const [own, torch] = Deno.args;
  const all = lines<Step | Limits>(own);
  const limits = all.find((line): line is Limits => "roofline" in line);
  const steps = all.filter((line): line is Step => "samplesPerSecond" in line);
  const peers = torch ? lines<Torch>(torch) : [];
  const modes = [...new Set(peers.map(({ mode }) => mode))];
  const most = limits ? Math.max(limits.roofline.unrolled, limits.roofline.looped) : NaN;
  const heads = ["step", "samples/s", "GFLOP/s", "of limit", "dispatches", "js µs", "idle", "first ms", ...modes];
  console.log(heads.join(" | "));
  for (const step of steps) {
    const { architecture, batch, samplesPerSecond, gflops, dispatches, jsMicroseconds, idle, firstStepMs } = step;
    const beside = modes.map((mode) => {
      const rate = peers.find((peer) =>
        peer.mode === mode && peer.batch === batch && architecture === `784-${peer.architecture}`
      )?.samples_per_s;
      return rate ? `${rate} (x ${(samplesPerSecond / rate).toFixed(2)})` : "";
    });
    console.log(
      [
        `${architecture}, ${batch}`,
        samplesPerSecond,
        gflops.toFixed(1),
        `${(100 * gflops / most).toFixed(0)} %`,
        dispatches,
        jsMicroseconds.toFixed(1),
        idle === undefined ? "" : `${(100 * idle).toFixed(1)} %`,
        firstStepMs,
        ...beside,
      ].join(" | "),
    );
  }
}
