/**
 * The files of a known dataset: that they are there, and the right ones. Who reads them is told to `load()`.
 *
 * @module
 */

import { FileError } from "../core/bounds.ts";
import type { ReadSource, SourceFile } from "../core/dataset.ts";

/** A file of known content. */
export interface KnownFile {
  readonly name: string;
  /** SHA-256 of its bytes, unpacked, in hexadecimal. */
  readonly sha256: string;
}

/**
 * @throws {Error} If the bytes are not those of the known file.
 */
export async function requireSha256({ bytes, path }: SourceFile, { sha256 }: KnownFile): Promise<void> {
  const digest = hex(await crypto.subtle.digest("SHA-256", bytes));
  if (digest === sha256) return;
  throw new Error(
    `Cannot use "${path}": expected SHA-256 ${sha256}, found ${digest}; ` +
      "the file is damaged or another dataset's: delete it and load again, or replace it by the original",
  );
}

/** Node 24 has no `toHex()`. */
function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The error when a folder lacks a file. */
export function noSuchFile(path: string, names: readonly string[]): FileError {
  return new FileError(path, `no such file; expected the files ${names.join(", ")}, or each with .gz`);
}

/**
 * @throws {TypeError} If nothing reads the dataset's files.
 */
export function requireReader(name: string, read: ReadSource | undefined): ReadSource {
  if (read) return read;
  throw new TypeError(
    `Cannot load "${name}": expected \`read\`, which gives its files, found none; ` +
      `findDataset("${name}") of @elbo/elbo/files brings it`,
  );
}
