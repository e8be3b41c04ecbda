/** Models as modules for pages. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { bundleFiles } from "../../exchange/bundle.ts";
import { graphsOf } from "../../exchange/graphs.ts";
import type { Trained } from "../../core/training/trained.ts";
import { gzipped } from "../../packaging/bundle.ts";
import { withFolder } from "../support/folder.ts";
import { assertClose, cases, COUNT, expected, given, image, untrained } from "./support.ts";

/** A module as its types have it, of any model. */
interface Module {
  load(source?: ArrayBuffer): Promise<{
    readonly features: number;
    readonly latents: number;
    encode(x: Float32Array, condition?: Float32Array): Record<string, Float32Array>;
    decode(z: Float32Array, condition?: Float32Array): Float32Array;
    sample(count: number, options?: { condition?: Float32Array }): Float32Array;
  }>;
}

/** The module of a model, written to a folder and imported. */
async function imported(trained: Trained, folder: string) {
  const files = await bundleFiles(trained, graphsOf(trained));
  for (const { name, bytes } of files) await Deno.writeFile(`${folder}/${name}`, bytes);
  const { load } = await import(`file://${folder}/vae.js`) as Module;
  return await load();
}

for (const [what, [model, settings]] of Object.entries(cases)) {
  Deno.test(`a module for pages gives what elbo gives within 1e-5: ${what}`, () =>
    withFolder(async (folder) => {
      using trained = untrained(model, settings, image);
      const vae = await imported(trained, folder);
      const { x, z, condition } = given(trained);
      const { z: _, ...here } = await expected(trained);
      assertClose({ ...vae.encode(x, condition), decoded: vae.decode(z, condition) }, here);
      // Of these z is drawn as elbo alone can.
      if (!trained.hasStandardPrior && !trained.model.prior?.(trained.config)) {
        assertThrows(() => vae.sample(1), TypeError, "Cannot use the prior");
        return;
      }
      const samples = vae.sample(COUNT, { condition });
      assertEquals(samples.length, COUNT * vae.features);
      assert(samples.every(Number.isFinite));
    }));
}

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
