/**
 * HDF5 files (`.h5`), and MATLAB's .mat files of version 7.3, which are such. They are read by npm h5wasm (the HDF5 library in WebAssembly),
 * fetched at the first one; it sees a copy of the file in memory and nothing else.
 *
 * @module
 */

import { elementCount, FileError, requireMemory } from "../core/bounds.ts";
import { foundIn, linesOf } from "./mat4.ts";
import type { NumericArray, StoredArray } from "./rows.ts";

/** The package, as pinned in deno.lock. */
const PACKAGE = "h5wasm@0.10.3";

/** What is used of a dataset in a file. */
interface StoredDataset {
  readonly type: string;
  readonly attrs: Readonly<Record<string, { readonly value: unknown }>>;
  readonly metadata?: {
    readonly type: number;
    readonly size: number;
    readonly shape: readonly number[] | null;
    readonly chunks: readonly number[] | null;
  };
  readonly value?: unknown;
}

/** What is used of h5wasm. */
interface Library {
  readonly ready: Promise<Module>;
  readonly File: new (path: string, mode: "r") => {
    readonly file_id: bigint;
    keys(): string[];
    get(name: string): StoredDataset | null;
    close(): void;
  };
}

interface Module {
  readonly FS: { writeFile(path: string, bytes: Uint8Array): void; unlink(path: string): void };
  /** Its errors become exceptions, and are not printed. */
  activate_throwing_error_handler(): number;
}

/** Types of elements, as HDF5 numbers them. */
const [INTEGER, FLOAT, TEXT, ENUM] = [0, 1, 3, 8];
const HOLDS: Readonly<Record<number, string>> = {
  [TEXT]: "text",
  6: "a table of several types",
  7: "references",
  9: "lists",
};

/** Arrays that a file may hold; each is looked at. */
const MOST_ARRAYS = 10_000;

/** Whether a file is HDF5: its signature is at its start, or after a header of 512, 1024, ... bytes. */
export function isHdf5(bytes: Uint8Array): boolean {
  for (let at = 0; at + 8 <= bytes.length; at = at === 0 ? 512 : 2 * at) {
    if ([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a].every((byte, i) => bytes[at + i] === byte)) return true;
  }
  return false;
}

async function library(): Promise<{ readonly h5: Library; readonly module: Module }> {
  // Computed, so that the package is fetched by those who read such files only.
  const { default: h5 }: { readonly default: Library } = await import(["npm", PACKAGE].join(":")).catch((cause) => {
    throw new Error(
      `Cannot read HDF5 files: npm package ${PACKAGE} is not in Deno's cache and could not be fetched; ` +
        "the first use needs an npm registry (or save the .mat file with -v7)",
      { cause },
    );
  });
  const module = await h5.ready;
  module.activate_throwing_error_handler();
  return { h5, module };
}

/** Files have names of their own while they are open. */
let opened = 0;

/**
 * Opens a file and gives its arrays, to be read before `use` ends.
 *
 * @param matlab Whether MATLAB wrote it: then shapes are MATLAB's and the order is **column-major**; else it is row-major.
 * @throws {FileError} If it is damaged or cut short.
 */
export async function withHdf5<R>(
  bytes: Uint8Array<ArrayBuffer>,
  file: string,
  matlab: boolean,
  use: (arrays: ReadonlyMap<string, StoredArray>) => R,
): Promise<R> {
  const { h5, module } = await library();
  requireMemory(bytes.length, file, "a copy of the file");
  const path = `${++opened}.h5`;
  const sound = <T>(read: () => T): T => {
    try {
      return read();
    } catch (cause) {
      if (cause instanceof FileError) throw cause;
      const [reason] = (cause instanceof Error ? cause.message : String(cause)).split("\n", 1);
      throw new FileError(file, `expected an HDF5 file, found a damaged one (${reason.slice(0, 80)})`, { cause });
    }
  };
  module.FS.writeFile(path, bytes);
  try {
    const open = sound(() => new h5.File(path, "r"));
    try {
      const arrays = new Map<string, StoredArray>();
      const names = sound(() => open.keys());
      if (names.length > MOST_ARRAYS) {
        throw new FileError(file, `expected at most ${MOST_ARRAYS} arrays, found ${names.length}`);
      }
      for (const name of names) {
        // MATLAB's own: what cells refer to.
        if (name.startsWith("#")) continue;
        const array = sound(() => storedIn(open.get(name), name, file, matlab));
        arrays.set(name, {
          ...array,
          read: () => sound(array.read),
          ...(array.texts ? { texts: () => sound(array.texts!) } : {}),
        });
      }
      return use(arrays);
    } finally {
      open.close();
    }
  } finally {
    module.FS.unlink(path);
  }
}

/** What a name in a file stands for. */
function storedIn(found: StoredDataset | null, name: string, file: string, matlab: boolean): StoredArray {
  const attribute = (key: string) => found?.attrs?.[key]?.value;
  const { metadata } = found ?? {};
  const refuse = (holds: string) => (): never => {
    throw new FileError(file, `expected numbers, found ${foundIn(holds)} in "${name}"`);
  };
  if (!found || !metadata || found.type !== "Dataset") {
    const holds = attribute("MATLAB_sparse") !== undefined ? "a sparse matrix" : matlab ? "a structure" : "a group";
    return { shape: [], holds, read: refuse(holds) };
  }
  const kind = attribute("MATLAB_class");
  const stored = metadata.shape ?? [];
  const count = elementCount(stored, `${file}/${name}`);
  const shape = matlab ? stored.toReversed() : stored;
  const value = () => {
    // The values, and what they are unpacked from piece by piece.
    const chunk = (metadata.chunks ?? []).reduce((product, size) => product * size, 1);
    requireMemory(2 * metadata.size * Math.max(count, chunk), file, `numbers of "${name}"`);
    return found.value;
  };
  if (kind === "char" && metadata.type === INTEGER && shape.length === 2) {
    const texts = () => linesOf(value() as ArrayLike<number>, shape[0], shape[1]);
    return { shape, holds: "text", texts, read: refuse("text") };
  }
  const isNumber = [INTEGER, FLOAT, ENUM].includes(metadata.type);
  const holds = attribute("MATLAB_empty")
    ? "an empty array"
    : kind === "cell"
    ? "a cell array"
    : isNumber
    ? undefined
    : HOLDS[metadata.type] ?? `data of type ${metadata.type}`;
  if (!holds) {
    return { shape, read: () => ({ shape, values: numbersOf(value(), count, kind === "logical", name, file) }) };
  }
  const texts = metadata.type === TEXT ? () => Array.from(value() as string[], String) : undefined;
  return { shape, holds, ...(texts ? { texts } : {}), read: refuse(holds) };
}

function numbersOf(
  value: unknown,
  count: number,
  logical: boolean,
  name: string,
  file: string,
): NumericArray["values"] {
  const found = ArrayBuffer.isView(value) || Array.isArray(value)
    ? value as unknown as ArrayLike<number | bigint>
    : undefined;
  if (!found || found.length !== count) {
    throw new FileError(file, `expected ${count} numbers in "${name}", found ${found?.length ?? typeof value}`);
  }
  if (found instanceof Uint8Array) {
    return logical ? Uint8Array.from(found, (bit) => bit ? 255 : 0) : Uint8Array.from(found);
  }
  return Float32Array.from(found, Number);
}
