/**
 * A folder that keeps what takes long to make.
 *
 * @module
 */

import { writeFileAtomically } from "./write.ts";

/** Keeps bytes by name in a folder, which is made at the first write. What cannot be read counts as not there. */
export function folderCache(folder: string): {
  read(name: string): Promise<Uint8Array | undefined>;
  write(name: string, bytes: Uint8Array): Promise<void>;
  path(name: string): Promise<string>;
} {
  return {
    async path(name) {
      await Deno.mkdir(folder, { recursive: true });
      return `${folder}/${name}`;
    },
    read: (name) => Deno.readFile(`${folder}/${name}`).catch(() => undefined),
    async write(name, bytes) {
      await Deno.mkdir(folder, { recursive: true });
      await writeFileAtomically(`${folder}/${name}`, bytes);
    },
  };
}
