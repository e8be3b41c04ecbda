/**
 * Programs that are run for what they do.
 *
 * @module
 */

/** Runs a program; what it says is told only if it fails. */
export async function run(program: string, args: readonly string[], cwd: URL): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args], cwd }).output();
  const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (success) return out;
  throw new Error(`Cannot run ${program} ${args[0]}: ${(error || out).trim()}`);
}
