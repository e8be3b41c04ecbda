/** Files with known factors: the layouts of dSprites, 3D Shapes and SmallNORB, and arrays of one factor each. */

import h5wasm from "npm:h5wasm@0.10.3";
import { assertEquals, assertRejects } from "@std/assert";
import type { Dataset } from "../../core/dataset.ts";
import { FileError } from "../../core/bounds.ts";
import { readDataset } from "../../datasets/given_files.ts";
import { encodeNpz } from "../../datasets/npy.ts";
import { fileDataset } from "../../storage/file_dataset.ts";
import golden from "../golden/factors.json" with { type: "json" };
import { withFolder } from "./support.ts";

async function load(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<Dataset> {
  let dataset: Dataset | undefined;
  await withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/${name}`, bytes);
    dataset = await fileDataset(`${folder}/${name}`).load();
  });
  return dataset!;
}

/** Factors and label of each row, in the file's order. */
function known({ train, test, covariates }: Dataset): number[][] {
  const rows: number[][] = [];
  const width = covariates!.length;
  for (const part of [train, test]) {
    for (let i = 0; i < part.count; i++) {
      rows[part.rowNumbers![i]] = [
        ...part.covariates!.subarray(i * width, (i + 1) * width),
        ...part.labels ? [part.labels[i]] : [],
      ];
    }
  }
  return rows;
}

const bytesOf = (name: keyof typeof golden) => Uint8Array.fromBase64(golden[name]);
const rows = (of: (n: number) => number[]) => Array.from({ length: 12 }, (_, n) => of(n).map(Math.fround));

Deno.test("fileDataset() reads dSprites' layout: factors by their names, the shape as the label, black and white", async () => {
  const dataset = await load("dsprites.npz", bytesOf("dsprites.npz"));
  assertEquals([dataset.shape, dataset.classes], [[64, 64, 1], 3]);
  assertEquals(dataset.covariates, ["color", "shape", "scale", "orientation", "x", "y"]);
  assertEquals(known(dataset), rows((n) => [0, n % 3, n % 6, n % 4, n % 5, n % 2, n % 3]));
  const { rowNumbers, values, count } = dataset.train;
  for (let i = 0; i < count; i++) {
    const image = values.subarray(i * 4096, (i + 1) * 4096);
    assertEquals([image.findIndex((value) => value > 0), image.length], [65 * rowNumbers![i], 4096]);
  }
  assertEquals(dataset.reading?.values, ["imgs"]);
  assertEquals(dataset.reading?.passedOver, [
    { name: "metadata", why: "Python objects" },
    { name: "latents_values", why: "neither data nor labels" },
  ]);
});

Deno.test("readDataset() reads dSprites' layout as fileDataset() does", async () => {
  const name = "dsprites.npz";
  const [given, read] = [await readDataset([{ name, bytes: bytesOf(name) }]), await load(name, bytesOf(name))];
  assertEquals([given.covariates, known(given)], [read.covariates, known(read)]);
});

Deno.test("fileDataset() reads 3D Shapes' layout, an HDF5 file: six factors in one array called labels", async () => {
  const { FS } = await h5wasm.ready;
  const file = new h5wasm.File("shapes.h5", "w");
  const data = Uint8Array.from({ length: 12 * 64 * 64 * 3 }, (_, i) => i % 251);
  file.create_dataset({ name: "images", data, shape: [12, 64, 64, 3], chunks: [1, 64, 64, 3], compression: 4 });
  const labels = Float64Array.from(
    { length: 72 },
    (_, i) => [n(i) % 10 / 10, 0.3, 0.5, 0.75 + n(i) % 8 / 16, n(i) % 4, -30 + 5 * n(i)][i % 6],
  );
  file.create_dataset({ name: "labels", data: labels, shape: [12, 6] });
  file.close();
  const dataset = await load("3dshapes.h5", FS.readFile("shapes.h5").slice());
  assertEquals([dataset.shape, dataset.classes], [[64, 64, 3], 4]);
  assertEquals(dataset.covariates, ["floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation"]);
  assertEquals(known(dataset), rows((n) => [n % 10 / 10, 0.3, 0.5, 0.75 + n % 8 / 16, n % 4, -30 + 5 * n, n % 4]));
  assertEquals(dataset.reading?.passedOver, undefined);

  function n(i: number): number {
    return Math.floor(i / 6);
  }
});

Deno.test("fileDataset() reads SmallNORB by the names of its arrays, the category as the label", async () => {
  const dataset = await load("norb.npz", bytesOf("norb.npz"));
  assertEquals([dataset.shape, dataset.classes], [[4, 4, 1], 5]);
  assertEquals(dataset.covariates, ["category", "instance", "elevation", "azimuth", "lighting"]);
  assertEquals(known(dataset), rows((n) => [n % 5, n % 10, n % 9, n % 18, n % 6, n % 5]));
});

Deno.test("fileDataset() takes arrays whose names begin with c_ for one factor each, by their names", async () => {
  const dataset = await load("columns.npz", bytesOf("columns.npz"));
  assertEquals([dataset.shape, dataset.classes, dataset.covariates], [[1, 2, 1], 2, ["c_size", "c_turn"]]);
  assertEquals(known(dataset), rows((n) => [n % 3 / 2, n % 4, n % 2]));
});

Deno.test("fileDataset() refuses arrays of factors of different lengths, and leaves covariates that are there alone", async () => {
  const x = { shape: [12, 2], values: new Float32Array(24) };
  const [size, turn] = [12, 13].map((count) => ({ shape: [count], values: new Float32Array(count) }));
  await assertRejects(
    () => load("a.npz", encodeNpz({ x, c_size: size, c_turn: turn })),
    FileError,
    'expected 12 numbers in "c_turn", as in "c_size", found 13',
  );
  const { covariates } = await load("a.npz", encodeNpz({ x, c: { shape: [12, 2], values: x.values }, c_size: size }));
  assertEquals(covariates, ["c0", "c1"]);
});
