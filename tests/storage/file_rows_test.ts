/** Data larger than memory: rows that stay in their file give what the same rows in memory give, bit for bit. */

import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { FileError } from "../../core/bounds.ts";
import { type Dataset, type Split, storedSplit, withBesides } from "../../core/dataset.ts";
import { digestOf } from "../../core/training/digest.ts";
import type { Model } from "../../core/model.ts";
import type { Placement } from "../../core/ops/gather.ts";
import { train } from "../../core/training/trainer.ts";
import { settle } from "../../core/values.ts";
import { encodeNpy } from "../../datasets/npy.ts";
import { scores } from "../../evaluation/scores.ts";
import { gmm } from "../../models/gmm.ts";
import { vae } from "../../models/vae.ts";
import { folderCache } from "../../storage/cache.ts";
import { fileDataset } from "../../storage/file_dataset.ts";
import { greyPng, idx, withFolder } from "../datasets/support.ts";
import { gpu } from "../support/gpu.ts";

/** 60 rows of a dataset: what each value is follows from its place. */
const bytes = (count: number, most = 256) =>
  Uint8Array.from({ length: count }, (_, i) => (i * 2654435761 >>> 7) % most);
const floats = (count: number) => Float32Array.from(bytes(count), (value, i) => value / 7 - 11 + i % 5);

/** An .npy file of any type. */
function npy(descr: string, shape: readonly number[], content: Uint8Array): Uint8Array<ArrayBuffer> {
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(", ")},), }`.padEnd(117) + "\n";
  const out = new Uint8Array(10 + text.length + content.length);
  out.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, text.length & 255, text.length >> 8]);
  out.set(new TextEncoder().encode(text), 10);
  out.set(content, 10 + text.length);
  return out;
}

function bigEndian(values: Float32Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * values.length));
  values.forEach((value, i) => view.setFloat64(8 * i, value / 3));
  return new Uint8Array(view.buffer);
}

const everything = (dataset: Dataset) => {
  const of = ({ values, count, labels, rowNumbers }: Split) => ({ values, count, labels, rowNumbers });
  const { reading: _, settings: __, train, test, ...rest } = dataset;
  return { ...rest, train: of(train), test: of(test), digest: digestOf(dataset), range: settle(dataset).range };
};

const labels = encodeNpy({ shape: [60], values: Uint8Array.from({ length: 60 }, (_, i) => i % 3) });
const oneHot = encodeNpy({ shape: [60, 3], values: Uint8Array.from({ length: 180 }, (_, i) => +(i % 3 === 1)) });
const counted = Float32Array.from({ length: 60 * 4 }, (_, i) => i % 4 ? floats(240)[i] : i / 4);

const files: Record<
  string,
  { name?: string; content: Uint8Array<ArrayBuffer>; labels?: Uint8Array; settings?: object }
> = {
  "bytes [N, H, W]": { content: encodeNpy({ shape: [60, 4, 5], values: bytes(1200) }) },
  "bytes beside labels": { name: "images.npy", content: encodeNpy({ shape: [60, 20], values: bytes(1200) }), labels },
  "bytes beside one-hot labels": {
    name: "images.npy",
    content: encodeNpy({ shape: [60, 20], values: bytes(1200) }),
    labels: oneHot,
  },
  "floats of a table": { content: encodeNpy({ shape: [60, 4], values: floats(240) }) },
  "a table, standardized": {
    content: encodeNpy({ shape: [60, 4], values: floats(240) }),
    settings: { standardize: true },
  },
  "a table whose first column counts": { content: encodeNpy({ shape: [60, 4], values: counted }) },
  "float64, big-endian, [N, C, H, W]": { content: npy(">f8", [60, 3, 2, 4], bigEndian(floats(1440))) },
  "booleans": { content: npy("|b1", [60, 4, 4], bytes(960, 2)) },
  "bytes that are masks": { content: encodeNpy({ shape: [60, 4, 4], values: bytes(960, 2) }) },
  "floats that are bytes": {
    content: encodeNpy({ shape: [60, 4, 4], values: Float32Array.from(bytes(960)) }),
  },
  "flat rows in a shape": { content: encodeNpy({ shape: [60, 20], values: bytes(1200) }), settings: { shape: "4x5" } },
  idx: { name: "all-idx3-ubyte", content: idx([60, 4, 4], bytes(960)) },
};

for (const [what, { name = "x.npy", content, labels, settings }] of Object.entries(files)) {
  Deno.test(`rows that stay in their file are those in memory: ${what}`, () =>
    withFolder(async (folder) => {
      await Deno.writeFile(`${folder}/${name}`, content);
      if (labels) await Deno.writeFile(`${folder}/${name.replace("images", "labels")}`, labels);
      for (const undivided of [false, true]) {
        const load = (read: string) =>
          fileDataset(`${folder}/${name}`).load({ seed: 3, undivided, settings: { ...settings, read } as object });
        const [whole, pieces] = [await load("whole"), await load("pieces")];
        assert(pieces.train.stored && !whole.train.stored);
        assertEquals(everything(pieces), everything(whole));
        assertEquals(settle(pieces).dataset.train.values, settle(whole).dataset.train.values);
      }
    }));
}

Deno.test("images of a folder stay in the file where they are kept decoded", () =>
  withFolder(async (folder) => {
    for (const name of ["a", "b"]) await Deno.mkdir(`${folder}/photos/${name}`, { recursive: true });
    for (let n = 0; n < 70; n++) {
      await Deno.writeFile(`${folder}/photos/${n % 2 ? "a" : "b"}/${n}.png`, greyPng(3, 2, n));
    }
    const cache = folderCache(`${folder}/kept`);
    let decoded = 0;
    const onProgress = ({ what }: { what: string }) => what === "images" && decoded++;
    const load = async (read: string) => {
      decoded = 0;
      return await fileDataset(`${folder}/photos`).load({ seed: 1, cache, onProgress, settings: { read } as object });
    };
    const pieces = await load("pieces");
    assert(pieces.train.stored && decoded > 0);
    const before = everything(pieces);
    assertEquals(before, everything(await load("whole")));
    assertEquals(everything(await load("pieces")), before);
    assertEquals(decoded, 0);
    // What is damaged is decoded anew.
    const [{ name }] = [...Deno.readDirSync(`${folder}/kept`)];
    const kept = await Deno.readFile(`${folder}/kept/${name}`);
    kept[kept.length - 1] ^= 1;
    await Deno.writeFile(`${folder}/kept/${name}`, kept);
    assertEquals(everything(await load("pieces")), before);
    assert(decoded > 0);
    // What is wrong with an image is said of that image, and what was kept stays.
    await Deno.writeFile(`${folder}/photos/b/20.png`, greyPng(3, 2, 20).subarray(0, 30));
    const { message } = await assertRejects(() => load("pieces"), FileError);
    assert(message.startsWith(`Cannot read "${folder}/photos/b/20.png": `), message);
    assertEquals([...Deno.readDirSync(`${folder}/kept`)].map((entry) => entry.name), [name]);
    const error = await assertRejects(
      () => fileDataset(`${folder}/photos`).load({ settings: { read: "pieces" } as object }),
      RangeError,
    );
    assertStringIncludes(error.message, "expected a cache that keeps decoded images in files");
  }));

Deno.test("a file that cannot be read in pieces, or has changed since, is named", () =>
  withFolder(async (folder) => {
    const path = `${folder}/x.npy`;
    const load = () => fileDataset(path).load({ settings: { read: "pieces" } as object });
    const refuse = async (content: Uint8Array, words: string) => {
      await Deno.writeFile(path, content);
      assertStringIncludes((await assertRejects(load, FileError)).message, words);
    };
    const values = floats(240);
    values[17] = NaN;
    await refuse(
      encodeNpy({ shape: [60, 4], values }),
      `"${path}": expected finite numbers, found NaN in row 4, column 1`,
    );
    const whole = encodeNpy({ shape: [60, 4], values: floats(240) });
    await refuse(whole.slice(0, -1), "expected 1088 bytes for 60 rows, found 1087 (cut short?)");
    const turned = whole.slice();
    const place = new TextDecoder().decode(whole.subarray(10, 100)).indexOf("False");
    turned.set(new TextEncoder().encode("True "), 10 + place);
    await refuse(turned, "found Fortran order");
    await Deno.writeFile(path, whole);
    const { test } = await load();
    await Deno.utime(path, 1, 1);
    const error = assertThrows(() => test.values, FileError);
    assertStringIncludes(error.message, "expected the file that was begun with, found that it has changed since");
    await Deno.remove(path);
    assertStringIncludes(assertThrows(() => test.values, FileError).message, path);
  }));

Deno.test("a training on rows that stay in their file has the bits of one on rows in memory, and never asks for all", async () => {
  await withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/images.npy`, encodeNpy({ shape: [600, 4, 5], values: bytes(12000) }));
    const load = (read: string) => fileDataset(`${folder}/images.npy`).load({ settings: { read } as object });
    const [whole, pieces] = [await load("whole"), await load("pieces")];
    const guarded = (split: Split): Split => {
      const { stored, rowNumbers } = split;
      const guard = {
        ...stored!,
        read: (count: number, at: (i: number) => number, out: Split["values"]) => {
          assert(count <= 256, `${count} rows at a time`);
          stored!.read(count, at, out);
        },
      };
      return withBesides(storedSplit(guard, { rowNumbers }), {});
    };
    const lean = { ...pieces, train: guarded(pieces.train), test: guarded(pieces.test) };
    const run = async (model: Model<object>, config: object, dataset: Dataset, rows: Placement) => {
      const options = { ...config, epochs: 2, batchSize: 32, validation: 64, rows, learningRate: 0.01 };
      const training = train(model, dataset, options, { gpu });
      const losses: unknown[] = [];
      for await (const event of training) if (event.event === "epoch") losses.push(event.train, event.validation);
      using trained = training.trained;
      return {
        losses,
        tensors: await trained.parameters.read(),
        measured: await trained.evaluate(dataset.test),
        scores: (await scores(trained, dataset.test, { samples: 10 })).values,
      };
    };
    for (const [model, config] of [[vae, { hidden: [16], latents: 3 }], [gmm, { components: 3 }]] as const) {
      const expected = await run(model as Model<object>, config, whole, "resident");
      assertEquals(await run(model as Model<object>, config, lean, "streamed"), expected);
      if (model === vae) assertEquals(await run(model as Model<object>, config, pieces, "resident"), expected);
    }
  });
});

Deno.test("a folder of .npy files has the rows of one file, in memory and on disk, and names a file that is another", async () => {
  await withFolder(async (folder) => {
    const values = bytes(1200);
    await Deno.writeFile(`${folder}/all.npy`, encodeNpy({ shape: [60, 4, 5], values }));
    await Deno.mkdir(`${folder}/shards`);
    const cuts = [0, 7, 40, 60];
    for (const [i, name] of ["a", "b", "c"].entries()) {
      const part = values.slice(20 * cuts[i], 20 * cuts[i + 1]);
      const file = encodeNpy({ shape: [cuts[i + 1] - cuts[i], 4, 5], values: part });
      await Deno.writeFile(`${folder}/shards/${name}.npy`, file);
    }
    const load = async (path: string, read: string) => {
      const { name: _, ...found } = everything(await fileDataset(path).load({ settings: { read } }));
      return found;
    };
    const expected = await load(`${folder}/all.npy`, "whole");
    assertEquals(await load(`${folder}/shards`, "whole"), expected);
    assertEquals(await load(`${folder}/shards`, "pieces"), expected);
    await Deno.writeFile(`${folder}/shards/d.npy`, encodeNpy({ shape: [3, 20], values: bytes(60) }));
    const error = await assertRejects(() => load(`${folder}/shards`, "auto"), FileError);
    assertStringIncludes(error.message, "d.npy");
    assertStringIncludes(error.message, "expected rows as in a.npy, [4,5] of u8, found [20] of u8");
  });
});
