/**
 * Files that survive: a write leaves either the old file or the new one.
 *
 * @module
 */

/**
 * Writes a file so that its path holds the whole old content or the whole new one, whenever the program, the disk or
 * the power fails: a temporary file in the same folder is written, flushed and renamed, and the folder is flushed. Only
 * a kill in the middle leaves the temporary file behind, one of {@linkcode temporaryNames}. A symbolic link at the path is replaced, and
 * what it points to is left alone.
 *
 * @param path Where; a file there is replaced.
 * @param bytes The whole content.
 * @throws {Error} If it cannot be written (no such folder, no permission, disk full). The old file is as it was, and
 * the cause is in the message and in `cause`.
 */
export async function writeFileAtomically(path: string, bytes: Uint8Array): Promise<void> {
  await fillAtomically(path, (file) => writeAll(file, bytes).catch((cause) => unwritten(path, cause)));
}

/**
 * As {@linkcode writeFileAtomically}, of a file that is written piece by piece.
 *
 * @param fill Writes it. What it throws is thrown as it is: it may be of what was to be written.
 */
export async function fillAtomically(path: string, fill: (file: Deno.FsFile) => Promise<void>): Promise<void> {
  const fail = (cause: unknown) => unwritten(path, cause);
  const { name, file } = await openTemporary(path).catch(fail);
  try {
    await fillFlushed(file, fill, fail);
    await Deno.rename(name, path).catch(fail);
  } catch (error) {
    await Deno.remove(name).catch(() => {});
    throw error;
  }
  await syncFolder(path.replace(/[^/\\]*$/, "") || ".");
}

/** @throws {Error} That a file could not be written. */
export function unwritten(path: string, cause: unknown): never {
  const reason = cause instanceof Error ? cause.message : cause;
  throw new Error(`Cannot write "${path}": ${reason}; what was there is unchanged`, { cause });
}

/**
 * What the temporary files of {@linkcode writeFileAtomically} may be called: as many names as files of one path can be under way at a
 * time, or left behind. They are known beforehand, so that a program can be permitted to write just these.
 */
export function temporaryNames(path: string): string[] {
  return Array.from({ length: 8 }, (_, i) => `${path}.${i}.tmp`);
}

/** Makes the first temporary file that is not there yet. */
async function openTemporary(path: string): Promise<{ readonly name: string; readonly file: Deno.FsFile }> {
  const names = temporaryNames(path);
  for (const name of names) {
    try {
      return { name, file: await Deno.open(name, { read: true, write: true, createNew: true }) };
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
  throw new Error(`expected one of ${names.join(", ")} not to be there; remove what a killed program left`);
}

async function fillFlushed(
  opened: Deno.FsFile,
  fill: (file: Deno.FsFile) => Promise<void>,
  fail: (cause: unknown) => never,
): Promise<void> {
  using file = opened;
  await fill(file);
  await file.sync().catch(fail);
}

/** Writes all bytes where the file stands. */
export async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
}

/** Makes a rename last through a power failure. Where a folder cannot be opened (Windows), the rename itself is all there is. */
async function syncFolder(folder: string): Promise<void> {
  try {
    using directory = await Deno.open(folder, { read: true });
    await directory.sync();
  } catch {
    // The file is complete and in its place; only how soon the disk knows of it is open.
  }
}

/** The same for text. */
export async function writeText(path: string, text: string): Promise<void> {
  await writeFileAtomically(path, new TextEncoder().encode(text));
}

/**
 * @throws {Error} If the path is a symbolic link: what is written there would end up elsewhere.
 */
export async function requireNoLink(path: string): Promise<void> {
  const info = await Deno.lstat(path).catch(() => undefined);
  if (info?.isSymlink) {
    throw new Error(`Cannot write to "${path}": expected no symbolic link in a run folder, found one; remove it`);
  }
}
