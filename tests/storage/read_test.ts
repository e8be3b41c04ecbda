/** Only what is a file is read, and no more than fits into memory. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { FileError } from "../../core/bounds.ts";
import { readIfThere, readWhole } from "../../storage/read.ts";
import { withFolder } from "../datasets/support.ts";

Deno.test("readWhole() refuses a file larger than memory before it reads it", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a.npy`;
    await Deno.writeFile(path, new Uint8Array(1));
    // Sparse: it takes no space.
    await Deno.truncate(path, 2 ** 42);
    await assertRejects(() => readWhole(path), FileError, "found a file of 4,194,304 MiB");
  }));

Deno.test("readWhole() reads files and nothing else: no folder, no device, no pipe, no link to nothing", {
  ignore: Deno.build.os === "windows",
}, () =>
  withFolder(async (folder) => {
    await new Deno.Command("mkfifo", { args: [`${folder}/pipe`] }).output();
    await Deno.symlink(`${folder}/gone`, `${folder}/link`);
    await Deno.symlink(`${folder}/circle`, `${folder}/circle`);
    for (
      const [path, found] of [
        [folder, "a folder"],
        [`${folder}/pipe`, "a pipe"],
        ["/dev/zero", "a device"],
        [`${folder}/link`, "nothing there"],
        [`${folder}/link/further`, "nothing there"],
      ]
    ) {
      const { message } = await assertRejects(() => readWhole(path), FileError);
      assertEquals(message, `Cannot read "${path}": expected a file, found ${found}`);
    }
    for (const path of [`${folder}/circle`, `${folder}/${"long".repeat(100)}`, "a\0b"]) {
      const { message } = await assertRejects(() => readWhole(path), FileError);
      assertStringIncludes(message, `Cannot read "${path}": expected a file or folder that can be read, found: `);
    }
    assertEquals(await readIfThere(`${folder}/link`), undefined);
  }));
