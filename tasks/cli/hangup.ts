/**
 * SIGHUP, which a closed terminal sends. Whoever started a task by `nohup` wants it to go on then, and listening to the signal would undo
 * that. `deno task` hides it from what it starts: there the variable {@linkcode OUTLIVES} says so.
 *
 * @module
 */

/** The variable that is 1 where a task is to outlive its terminal: set by users, and by launch.ts where it finds that out. */
export const OUTLIVES = "ELBO_NOHUP";

/**
 * Whether SIGHUP is to be ignored: by the variable, or since it was ignored when this process was started, as the status says on Linux.
 *
 * @param status Gives /proc/self/status.
 */
export function outlivesTerminal(status = () => Deno.readTextFileSync("/proc/self/status")): boolean {
  try {
    return Deno.env.get(OUTLIVES) === "1" || ignoresHangup(status());
  } catch {
    return false; // not Linux, or not permitted to know
  }
}

/** Listens to SIGHUP, or ignores it. */
export function listenToHangup(outlives: boolean, listener: () => void): void {
  if (Deno.build.os === "windows") return;
  Deno.addSignalListener("SIGHUP", outlives ? () => {} : listener);
}

/** Whether the status of a process says that it ignores SIGHUP: the lowest bit of a hexadecimal mask. */
function ignoresHangup(status: string): boolean {
  const [, mask] = /^SigIgn:\s*([0-9a-f]+)$/m.exec(status) ?? [];
  return mask !== undefined && Number.parseInt(mask.slice(-1), 16) % 2 === 1;
}
