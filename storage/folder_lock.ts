/**
 * One training a folder: an advisory lock of the operating system (flock), which goes when its holder does, however it ends. The file
 * that carries it may stay behind; only the lock counts.
 *
 * @module
 */

import { requireNoLink } from "./write.ts";

/** Milliseconds between two tries: whoever looks whether a folder is locked has it locked for that moment. */
const AGAIN = 100;

/** The file in a folder that is locked. */
export const LOCK_FILE = ".lock";

/** A locked folder. */
export class FolderLock implements Disposable {
  #file: Deno.FsFile | undefined;

  private constructor(readonly folder: string, file: Deno.FsFile) {
    this.#file = file;
  }

  /**
   * Makes the folder where there is none, and locks it.
   *
   * @throws {Error} If something else has it locked, in this process or another one, or it cannot be written to.
   */
  static async take(folder: string): Promise<FolderLock> {
    const path = lockFile(folder);
    const fail = (reason: string, cause?: unknown): never => {
      throw new Error(`Cannot write to the folder "${folder}": ${reason}`, { cause });
    };
    try {
      await Deno.mkdir(folder, { recursive: true });
      for (;;) {
        const file = await open(path);
        try {
          if (!await locked(file)) {
            await new Promise((resolve) => setTimeout(resolve, AGAIN));
            if (!await locked(file)) return fail("a training is running in it; wait for it, or name another folder");
          }
          // Whoever had the lock before has taken the file away.
          if (await isAt(path, file)) return new FolderLock(folder, file);
        } catch (error) {
          file.close();
          throw error;
        }
        file.close();
      }
    } catch (cause) {
      if (cause instanceof Error && cause.message.startsWith("Cannot write to ")) throw cause;
      return fail(cause instanceof Error ? cause.message : String(cause), cause);
    }
  }

  /** Whether something has a folder locked, as far as its file system tells. */
  static async isTaken(folder: string): Promise<boolean> {
    try {
      await requireNoLink(lockFile(folder));
      if (!(await Deno.lstat(lockFile(folder))).isFile) return false;
      using file = await Deno.open(lockFile(folder), { write: true });
      return !await locked(file);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }

  /** Gives the folder free. */
  [Symbol.dispose](): void {
    const file = this.#file;
    this.#file = undefined;
    if (!file) return;
    try {
      // While it is still locked: nobody else can have it by then.
      Deno.removeSync(lockFile(this.folder));
    } catch {
      // Left behind, it locks nothing.
    }
    file.close();
  }
}

function lockFile(folder: string): string {
  return `${folder.replace(/[/\\]+$/, "")}/${LOCK_FILE}`;
}

/** Opens the file, and makes it where there is none. Nothing is written to it: it may be a hard link to another one. */
async function open(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { write: true, createNew: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  await requireNoLink(path);
  const info = await Deno.lstat(path).catch(() => undefined);
  // Opening a pipe waits for someone at its other end.
  if (info && !info.isFile) {
    throw new Error(`expected ${LOCK_FILE} in it to be a file, found something else; remove it`);
  }
  return await Deno.open(path, { write: true, create: true });
}

/** Locks a file; false where someone else has. A file system without locks must not keep anyone from training. */
async function locked(file: Deno.FsFile): Promise<boolean> {
  return await file.tryLock(true).catch(() => true);
}

/** Whether the file at a path is the one that is open. */
async function isAt(path: string, file: Deno.FsFile): Promise<boolean> {
  const [there, opened] = await Promise.all([Deno.lstat(path).catch(() => undefined), file.stat()]);
  return there?.ino === opened.ino && there.dev === opened.dev;
}
