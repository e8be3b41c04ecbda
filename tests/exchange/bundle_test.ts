/** Models as modules for pages. */

import { assert, assertRejects, assertThrows } from "@std/assert";
import { gzipped } from "../../packaging/bundle.ts";
import { withFolder } from "../support/folder.ts";
import { cases, given, image, imported, type Module, untrained } from "./support.ts";

Deno.test("a module for pages is below 45 kB, gzipped, imports nothing, and has types that fit", () =>
  withFolder(async (folder) => {
    using trained = untrained(...cases["conv residual"], image);
    const vae = await imported(trained, folder);
    const text = await Deno.readTextFile(`${folder}/vae.js`);
    const size = await gzipped(text);
    assert(size < 45_000, `${size} bytes`);
    assert(!/^import |\bimport\(/m.test(text));
    const { x, condition } = given(trained);
    assertThrows(
      () => vae.encode(x.subarray(1), condition),
      RangeError,
      "expected rows of 30 numbers as x, found 149",
    );
    assertThrows(() => vae.encode(x), RangeError, "expected rows of 3 numbers as condition, 5 of them, found none");
    const { load } = await import(`file://${folder}/vae.js`) as Module;
    await assertRejects(() => load(new ArrayBuffer(3)), RangeError);
    await Deno.writeTextFile(
      `${folder}/use.ts`,
      `// @ts-types="./vae.d.ts"
      import { load } from "./vae.js";
      const vae = await load();
      const { mean, logVariance }: { mean: Float32Array; logVariance: Float32Array } = vae.encode([1, 2], [1, 0, 0]);
      const images: Float32Array = vae.sample(3, { condition: vae.decode(mean, logVariance) });
      console.log(images.length);`,
    );
    const check = ["check", "--no-lock", "--no-config", `${folder}/use.ts`];
    const { success, stderr } = await new Deno.Command(Deno.execPath(), { args: check, cwd: folder }).output();
    assert(success, new TextDecoder().decode(stderr));
  }));
