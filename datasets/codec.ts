/**
 * Decoders in WebAssembly, npm packages fetched at the first image of their format. What a file declares is checked before they see it.
 *
 * @module
 */

import { FileError } from "../core/bounds.ts";

/** What such a package gives. */
interface Package {
  init(options: { readonly printErr: (line: string) => void }): Promise<void>;
  default(bytes: ArrayBuffer): Promise<{
    readonly width: number;
    readonly height: number;
    readonly data: Uint8ClampedArray;
  }>;
}

/** The pixels of a file, and what the decoder warned of. */
export type Codec = (
  bytes: Uint8Array<ArrayBuffer>,
  file: string,
) => Promise<
  { readonly rgba: Uint8ClampedArray; readonly height: number; readonly width: number; readonly warnings: string[] }
>;

/**
 * Fetches a decoder (first use) and gives it.
 *
 * @param name The package and version, as pinned in deno.lock.
 * @param format For messages: `JPEG`.
 */
export async function codecOf(name: string, format: string): Promise<Codec> {
  // Computed, so that the package is fetched by those who read such images only.
  const codec: Package = await import(`${["npm", name].join(":")}/decode.js`).catch((cause) => {
    throw new Error(
      `Cannot read ${format} files: npm package ${name} is not in Deno's cache and could not be fetched; ` +
        "the first use needs an npm registry",
      { cause },
    );
  });
  let warnings: string[] = [];
  const begin = () => codec.init({ printErr: (line) => warnings.push(line) });
  await begin();
  return async (bytes, file) => {
    warnings = [];
    // The whole buffer is what is decoded.
    const whole = bytes.byteOffset === 0 && bytes.length === bytes.buffer.byteLength ? bytes : bytes.slice();
    try {
      const { data, width, height } = await codec.default(whole.buffer);
      return { rgba: data, width, height, warnings };
    } catch (cause) {
      // Its memory may be in any state.
      await begin();
      const [reason] = warnings;
      throw new FileError(file, `expected a whole ${format} file, found a damaged one${reason ? ` (${reason})` : ""}`, {
        cause,
      });
    }
  };
}
