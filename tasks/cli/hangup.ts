/**
 * SIGHUP, which a closed terminal sends. Whoever started a task by `nohup` wants it to go on then, and listening to the signal would undo
 * that.
 *
 * @module
 */

/** The variable by which launch.ts tells a task, which may not find out by itself, that it is to outlive its terminal. */
export const OUTLIVES = "ELBO_NOHUP";

/** Whether SIGHUP was ignored when this process was started: /proc/self/status says so on Linux. */
export function outlivesTerminal(): boolean {
  try {
    if (Deno.env.get(OUTLIVES) === "1") return true;
    return ignoresHangup(Deno.readTextFileSync("/proc/self/status"));
  } catch {
    return false; // not Linux, or not permitted to know
  }
}

/** Whether the status of a process says that it ignores SIGHUP: the lowest bit of a hexadecimal mask. */
export function ignoresHangup(status: string): boolean {
  const [, mask] = /^SigIgn:\s*([0-9a-f]+)$/m.exec(status) ?? [];
  return mask !== undefined && Number.parseInt(mask.slice(-1), 16) % 2 === 1;
}
