/**
 * The versions of what a run is made by.
 *
 * @module
 */

/** elbo's version, that of deno.json: files of a package cannot read it there. */
export const VERSION = "0.1.0";

/** elbo's version, the commit of a checkout, and Deno's version. */
export async function versions(): Promise<Readonly<Record<string, string>>> {
  const commit = await commitOf(new URL("../.git", import.meta.url));
  return { elbo: VERSION, ...(commit ? { commit } : {}), deno: Deno.version.deno };
}

/**
 * The commit that a checkout is at, read from git's own files; undefined where there is none.
 *
 * @param git Its `.git`: a folder, or for a worktree a file that names one.
 */
export async function commitOf(git: URL): Promise<string | undefined> {
  if (git.protocol !== "file:") return undefined;
  const read = async (folder: URL, name: string) =>
    (await Deno.readTextFile(new URL(name, folder)).catch(() => "")).trim();
  const folderOf = (url: URL, path: string) => new URL(`${path}/`, url);
  const elsewhere = /^gitdir: (.+)$/.exec((await Deno.readTextFile(git).catch(() => "")).trim())?.[1];
  const folder = folderOf(git, elsewhere ?? git.href);
  const head = await read(folder, "HEAD");
  const reference = /^ref: (.+)$/.exec(head)?.[1];
  if (!reference) return hash(head);
  // Branches of a worktree are those of the repository.
  const common = folderOf(folder, await read(folder, "commondir") || ".");
  const packed = (await read(common, "packed-refs")).split("\n").find((line) => line.endsWith(` ${reference}`));
  return hash(await read(common, reference)) ?? hash(packed?.split(" ", 1)[0] ?? "");
}

const hash = (text: string) => /^[0-9a-f]{40,64}$/.exec(text)?.[0];
