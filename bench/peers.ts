/**
 * Other libraries on the same training step, each in a process of its own: `deno task bench --peers`.
 *
 * @module
 */

/** Another library. */
export interface Peer {
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const script = (name: string) => new URL(`./peers/${name}`, import.meta.url).pathname;

/** Those that are measured where they can be had: packages of npm, and PyTorch with $PYTHON, python3 if left out. */
export const PEERS: readonly Peer[] = [
  { name: "jax-js 0.1.25, WebAssembly", command: [Deno.execPath(), "run", "-A", script("jax_js.ts"), "wasm"] },
  { name: "jax-js 0.1.25, WebGPU", command: [Deno.execPath(), "run", "-A", script("jax_js.ts"), "webgpu"] },
  { name: "tfjs 4.22, WebGPU", command: [Deno.execPath(), "run", "-A", script("tfjs.ts")] },
  {
    name: "PyTorch, eager",
    command: [Deno.env.get("PYTHON") ?? "python3", script("torch_step.py")],
    // Threads that spin while they wait keep each other from work on few processors.
    env: { OMP_WAIT_POLICY: "passive" },
  },
];

/** What came of a peer. */
export type PeerResult = { readonly samplesPerSecond: number } | { readonly missing: string };

/** Runs a peer for about so many seconds, and two to warm up. */
export async function runPeer(
  { command, env }: Peer,
  { widths, batch }: { readonly widths: readonly number[]; readonly batch: number },
  seconds: number,
  signal?: AbortSignal,
): Promise<PeerResult> {
  const subject = [widths.slice(0, -1).join(), `${widths.at(-1)}`, `${batch}`, `${seconds}`];
  // Vulkan, as for the project's own kernels.
  const environment = { DENO_WEBGPU_BACKEND: "vulkan", ...env };
  try {
    const process = new Deno.Command(command[0], {
      args: [...command.slice(1), ...subject],
      env: environment,
      stdout: "piped",
      stderr: "piped",
      ...signal ? { signal } : {},
    });
    const { success, stdout, stderr } = await process.output();
    const line = new TextDecoder().decode(stdout).trim().split("\n").at(-1) ?? "";
    if (success && line.startsWith("{")) return JSON.parse(line);
    const lines = new TextDecoder().decode(stderr).trim().split("\n");
    return { missing: lines.find((text) => /error/i.test(text) && !/XDG_RUNTIME/.test(text)) ?? lines.at(-1)! };
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  }
}
