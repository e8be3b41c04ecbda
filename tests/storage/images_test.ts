/** Many images: decoded by workers, and kept for the next time. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { FileError } from "../../core/bounds.ts";
import type { LoadProgress } from "../../core/dataset.ts";
import { folderCache } from "../../storage/cache.ts";
import { fileDataset } from "../../storage/file_dataset.ts";
import { readImages } from "../../storage/image_workers.ts";
import { IMAGES } from "../datasets/images.ts";
import { greyPng, withFolder } from "../datasets/support.ts";

const plan = { shape: [4, 4, 3], fit: "cover", toGrey: false, background: "none" } as const;
const kinds = [IMAGES.jpeg, IMAGES.webp, IMAGES.greyJpeg, IMAGES.turned6, greyPng(9, 5, 77)];

Deno.test("workers give the rows that one thread gives, and tell how far they are", async () => {
  await withFolder(async (folder) => {
    const paths = Array.from({ length: 40 }, (_, n) => `${folder}/${n}`);
    for (const [n, path] of paths.entries()) await Deno.writeFile(path, kinds[n % kinds.length]);
    const rows = async (workers: number) => {
      const out = new Uint8Array(40 * 48);
      const told: LoadProgress[] = [];
      await readImages(paths, plan, (row, rows) => out.set(rows, row * 48), {
        workers,
        onProgress: (progress) => told.push(progress),
      });
      assertEquals(told.at(-1), { what: "images", done: 40, of: 40 });
      return out;
    };
    assertEquals(await rows(2), await rows(0));
    await Deno.writeFile(paths[20], IMAGES.jpeg.subarray(0, 300));
    const error = await assertRejects(() => readImages(paths, plan, () => {}, { workers: 2 }), FileError);
    assertEquals(
      error.message,
      `Cannot read "${paths[20]}": expected a whole JPEG file, found a damaged one (Premature end of JPEG file)`,
    );
    const signal = AbortSignal.abort(new Error("enough"));
    await assertRejects(() => readImages(paths, plan, () => {}, { workers: 2, signal }), Error, "enough");
  });
});

Deno.test("decoded images are kept, until a file changes or the kept ones are damaged", async () => {
  await withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/photos`);
    for (let n = 0; n < 200; n++) await Deno.writeFile(`${folder}/photos/${n}.png`, greyPng(2, 2, n));
    const cache = folderCache(`${folder}/kept`);
    const load = async (settings: object = {}) => {
      let decoded = 0;
      const onProgress = () => decoded++;
      const { train, test } = await fileDataset(`${folder}/photos`).load({ cache, settings, onProgress });
      return {
        decoded,
        values: [...train.values, ...test.values],
        numbers: [...train.rowNumbers!, ...test.rowNumbers!],
      };
    };
    const first = await load();
    assert(first.decoded > 0);
    assertEquals(await load(), { ...first, decoded: 0 });
    // Each row is the file of its number.
    assertEquals(first.values.filter((_, i) => i % 4 === 0), first.numbers);

    assert((await load({ imageSize: "1" })).decoded > 0);
    assertEquals((await load()).decoded, 0);
    const kept = [...Deno.readDirSync(`${folder}/kept`)].map(({ name }) => `${folder}/kept/${name}`);
    assertEquals(kept.length, 2);

    for (const path of kept) {
      const bytes = await Deno.readFile(path);
      bytes[bytes.length - 1] ^= 1;
      await Deno.writeFile(path, bytes);
    }
    const { decoded, values } = await load();
    assertEquals([decoded > 0, values], [true, first.values]);

    await Deno.writeFile(`${folder}/photos/0.png`, greyPng(2, 2, 255));
    await Deno.utime(`${folder}/photos/0.png`, 1, 1);
    assert((await load()).values.includes(255));
    await Deno.writeFile(kept[0], new Uint8Array(3));
    await Deno.writeFile(kept[1], new Uint8Array(3));
    assert((await load()).decoded > 0);
  });
});
