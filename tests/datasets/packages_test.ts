/** Files that npm packages read: HDF5, MATLAB's of version 7.3, and Parquet. */

import h5wasm, { type Dataset as StoredDataset } from "npm:h5wasm@0.10.3";
import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { FileError } from "../../core/bounds.ts";
import { type Dataset, features } from "../../core/dataset.ts";
import { defaults } from "../../core/settings.ts";
import { readParquet } from "../../datasets/parquet.ts";
import { requirePages } from "../../datasets/parquet_pages.ts";
import { tableSettings } from "../../datasets/table.ts";
import { fileDataset } from "../../storage/file_dataset.ts";
import { withFolder } from "./support.ts";

/** Small files by hyparquet-writer 0.17.0. */
const parquet: Record<string, string> = JSON.parse(
  await Deno.readTextFile(new URL("../golden/parquet.json", import.meta.url)),
);

async function load(name: string, bytes: Uint8Array<ArrayBuffer>, settings = {}): Promise<Dataset> {
  let dataset: Dataset | undefined;
  await withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/${name}`, bytes);
    dataset = await fileDataset(`${folder}/${name}`).load({ settings }).catch((error) => {
      error.message = error.message.replace(folder, "data");
      throw error;
    });
  });
  return dataset!;
}

/** All rows in the file's order, each with its label. */
function rowsOf({ shape, train, test }: Dataset): number[][] {
  const width = features(shape);
  const rows: number[][] = [];
  for (const { values, labels, rowNumbers, count } of [train, test]) {
    for (let i = 0; i < count; i++) {
      rows[rowNumbers![i]] = [...values.subarray(i * width, (i + 1) * width), ...labels ? [labels[i]] : []];
    }
  }
  return rows.filter(Boolean);
}

interface Written {
  readonly data: Float64Array | Uint8Array | Uint16Array | Int32Array;
  readonly shape: readonly number[];
  readonly matlab?: string;
}

/** An HDF5 file; with MATLAB's header before it, version 7.3. */
async function hdf5(arrays: Readonly<Record<string, Written>>, header = 0): Promise<Uint8Array<ArrayBuffer>> {
  const { FS } = await h5wasm.ready;
  const file = new h5wasm.File("written.h5", "w");
  for (const [name, { data, shape, matlab }] of Object.entries(arrays)) {
    file.create_dataset({ name, data, shape: [...shape], chunks: [...shape], compression: 4 });
    if (matlab) (file.get(name) as StoredDataset).create_attribute("MATLAB_class", matlab);
  }
  file.create_group("notes").create_attribute("MATLAB_sparse", 4);
  file.close();
  const bytes = FS.readFile("written.h5");
  const out = new Uint8Array(header + bytes.length);
  if (header) out.set(new TextEncoder().encode("MATLAB 7.3 MAT-file".padEnd(124)));
  out.set(bytes, header);
  return out;
}

const codes = (text: string) => Uint16Array.from(text, (letter) => letter.charCodeAt(0));

Deno.test("fileDataset() reads MATLAB's files of version 7.3", async () => {
  // MATLAB's x(n, d) = 10 n + d, [4, 3]: HDF5 has [3, 4].
  const x = Float64Array.from({ length: 12 }, (_, i) => 10 * (i % 4) + Math.floor(i / 4) + 0.5);
  const expected = Array.from({ length: 4 }, (_, n) => [0.5, 1.5, 2.5].map((d) => 10 * n + d));
  const bytes = await hdf5({
    x: { data: x, shape: [3, 4], matlab: "double" },
    y: { data: codes("cdbcaoaotgtt"), shape: [3, 4], matlab: "char" },
    flags: { data: Uint8Array.of(1, 0), shape: [1, 2], matlab: "logical" },
  }, 512);
  const dataset = await load("a.mat", bytes);
  assertEquals([dataset.shape, dataset.classNames], [[1, 3, 1], ["bat", "cat", "cot", "dog"]]);
  assertEquals(rowsOf(dataset), expected.map((row, n) => [...row, [1, 3, 0, 2][n]]));
  assertEquals(dataset.reading?.passedOver, [
    { name: "flags", why: "neither data nor labels" },
    { name: "notes", why: "a sparse matrix" },
  ]);
});

Deno.test("fileDataset() reads HDF5 files, whose order is that of rows", async () => {
  const x = Uint8Array.from({ length: 40 }, (_, i) => i);
  const bytes = await hdf5({
    images: { data: x, shape: [5, 4, 2] },
    labels: { data: Int32Array.of(0, 1, 2, 1, 0), shape: [5] },
  });
  const dataset = await load("a.h5", bytes);
  assertEquals([dataset.shape, dataset.classes], [[4, 2, 1], 3]);
  assertEquals(rowsOf(dataset)[3], [24, 25, 26, 27, 28, 29, 30, 31, 1]);
});

Deno.test("fileDataset() names a damaged HDF5 file, in one line", async () => {
  const bytes = await hdf5({ x: { data: new Float64Array(12), shape: [3, 4], matlab: "double" } }, 512);
  for (const part of [0.2, 0.5, 0.9]) {
    const cut = bytes.slice(0, Math.floor(part * bytes.length));
    const { message } = await assertRejects(() => load("a.mat", cut), Error);
    assertStringIncludes(message, 'Cannot read "data/a.mat": expected an HDF5 file, found a damaged one');
    assertEquals(message.split("\n").length, 1);
  }
});

Deno.test("fileDataset() reads Parquet files as tables: numbers, truth values, classes by name", async () => {
  const bytes = Uint8Array.fromBase64(parquet["plain.parquet"]);
  const dataset = await load("a.parquet", bytes);
  assertEquals([dataset.columns, dataset.classNames], [["size", "count", "on"], ["bird", "cat", "dog"]]);
  assertEquals(rowsOf(dataset), Array.from({ length: 6 }, (_, i) => [i / 4, 10 * i, i % 2, [1, 2, 0][i % 3]]));
  assertEquals(dataset.reading?.labels, "species");
  const some = await load("a.pq", bytes, { columns: ["count"], labelColumn: "on" });
  assertEquals(rowsOf(some).slice(0, 3), [[0, 0], [10, 1], [20, 0]]);
});

Deno.test("fileDataset() names missing cells and dates of a Parquet file by their columns", async () => {
  const bytes = Uint8Array.fromBase64(parquet["gaps.parquet"]);
  const dates = await assertRejects(() => load("a.parquet", bytes), Error);
  assertStringIncludes(dates.message, 'found dates in day ("2026-01-01T00:00:00.000Z" in row 0, 6 cells)');
  const gaps = await assertRejects(() => load("a.parquet", bytes, { dropColumn: ["day"] }), Error);
  assertStringIncludes(gaps.message, "found 2 missing cells in 2 of 6 rows: a (2, first in row 1)");
  const kept = await load("a.parquet", bytes, { dropColumn: ["day"], missing: "drop" });
  assertEquals(rowsOf(kept), [[1, 0], [3, 4], [4, 6], [6, 10]]);
});

Deno.test("fileDataset() names a damaged Parquet file", async () => {
  const bytes = Uint8Array.fromBase64(parquet["plain.parquet"]);
  for (const cut of [0, 20, bytes.length - 30, bytes.length - 1]) {
    const { message } = await assertRejects(() => load("a.parquet", bytes.slice(0, cut)), Error);
    assertStringIncludes(message, 'Cannot read "data/a.parquet": expected a Parquet file, found');
  }
});

Deno.test("a Parquet file comes to an end whatever a byte of its page headers is, and is refused in words or read", async () => {
  const bytes = Uint8Array.fromBase64(parquet["plain.parquet"]);
  let refused = 0;
  // The pages come before all else.
  for (let at = 4; at < 450; at++) {
    for (const value of [0x00, 0x15, bytes[at] ^ 0x10, 0xff]) {
      const damaged = bytes.slice();
      damaged[at] = value;
      const outcome = await readParquet(damaged, "a.parquet", defaults(tableSettings)).catch((error) => error);
      if (!(outcome instanceof Error)) continue;
      assert(outcome instanceof FileError, `${at} ${value}: ${outcome}`);
      refused++;
    }
  }
  assert(refused > 500, `${refused} refused`);
});

Deno.test("requirePages() names what a page header lacks, and a page that ends beyond its column", () => {
  // Field 1 is the type, 3 (data, version 2); 2 and 3 are sizes, 8; field 8 has the lengths 1, 0, 1, 0, 0, 0.
  const lengths = [0x15, 2, 0x15, 0, 0x15, 2, 0x15, 0, 0x15, 0, 0x15, 0, 0];
  const header = [0x15, 6, 0x15, 16, 0x15, 16, 0x5c, ...lengths, 0];
  const about = { data_page_offset: 0n, path_in_schema: ["a"] };
  const check = (bytes: readonly number[], rows = 1) => {
    const page = Uint8Array.from([...bytes, 1, 2, 3, 4, 5, 6, 7, 8]);
    requirePages(page, { meta_data: { ...about, total_compressed_size: BigInt(page.length) } }, rows);
  };
  check(header);
  assertThrows(() => check(header, 0), Error, "1 values of 0 rows");
  assertThrows(() => check(header.toSpliced(17, 2)), Error, "a data page without its lengths");
  assertThrows(() => check(header.with(5, 18)), Error, "a page that ends beyond its column");
  assertThrows(() => check(header.with(5, 15)), Error, "a page without its size");
  assertThrows(() => check(header.with(16, 18)), Error, "levels that end beyond their page");
  assertThrows(() => check(Array(40).fill(0x1c)), Error, "nested too deeply");
  assertThrows(() => check(Array(40).fill(0xff)), Error, "a page header with");
});
