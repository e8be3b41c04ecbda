/** Datasets from files that a page is given: the rows that the same files have on disk, and the same words where one is damaged. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { crc32, gzipSync } from "node:zlib";
import { FileError } from "../../core/bounds.ts";
import { type DataFile, fetchFiles, readDataset } from "../../datasets/given_files.ts";
import { crc32ByTable, inflateStream } from "../../datasets/packed.ts";
import { fileDataset } from "../../storage/file_dataset.ts";
import { load } from "../../models/mod.ts";
import arrays from "../golden/arrays.json" with { type: "json" };

const bytesOf = (text: string) => new TextEncoder().encode(text);
const archive = (name: keyof typeof arrays) => Uint8Array.fromBase64(arrays[name] as string);
const idx = (shape: readonly number[]) => {
  const header = Uint8Array.of(0, 0, 8, shape.length, ...shape.flatMap((size) => [0, 0, 0, size]));
  const count = shape.reduce((product, size) => product * size, 1);
  return Uint8Array.from([...header, ...Array.from({ length: count }, (_, i) => i * 7 % 10)]);
};
const table = bytesOf("a,b,c_x,label\n1,2,9,cat\n3,4,8,dog\n5,6,7,cat\n7,8,6,dog\n");

/** Files of one dataset, the one that names it first. */
const GIVEN: Readonly<Record<string, readonly (readonly [name: string, bytes: Uint8Array])[]>> = {
  "a table": [["table.csv", table]],
  "an array": [["bytes.npy", archive("bytes.npy")]],
  "a stored archive": [["stored.npz", archive("stored.npz")]],
  "a packed archive": [["deflated.npz", archive("deflated.npz")]],
  "an archive of two parts": [["parts.npz", archive("parts.npz")]],
  "four files as MNIST's": [
    ["train-images-idx3-ubyte", idx([6, 2, 2])],
    ["train-labels-idx1-ubyte", idx([6])],
    ["t10k-images-idx3-ubyte", idx([3, 2, 2])],
    ["t10k-labels-idx1-ubyte", idx([3])],
  ],
};

for (const [what, files] of Object.entries(GIVEN)) {
  Deno.test(`readDataset() gives the rows of ${what} as on disk, packed by gzip or not`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "elbo" });
    try {
      for (const [name, bytes] of files) await Deno.writeFile(`${folder}/${name}`, bytes);
      const { name: _, settings: __, reading: ___, ...onDisk } = await fileDataset(`${folder}/${files[0][0]}`).load({
        seed: 3,
      });
      const given = files.map(([name, bytes], i) =>
        i % 2 ? { name, bytes } : { name: `${name}.gz`, bytes: gzipSync(bytes) }
      );
      const { name, reading: ____, ...read } = await readDataset(given, { seed: 3 });
      assertEquals(read, onDisk);
      assertEquals(name, files[0][0]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("readDataset() takes a File and a Response as it does bytes, and leaves the caller's bytes as they are", async () => {
  const before = table.slice();
  const expected = await readDataset([{ name: "table.csv", bytes: table }]);
  assertEquals(table, before);
  assertEquals(await readDataset([new File([table], "table.csv")]), expected);
  const response = new Response(table);
  Object.defineProperty(response, "url", { value: "http://localhost/data/table.csv?x=/y" });
  assertEquals(await readDataset([response]), expected);
  assertEquals((await readDataset([new File([table], "table.csv")], { name: "mine" })).name, "mine");
});

Deno.test("readDataset() is told which column has the classes, and what becomes of missing cells", async () => {
  const bytes = new TextEncoder().encode("a,b,kind\n1,2,x\n3,,y\n5,6,x\n7,8,y\n");
  const read = (options: Parameters<typeof readDataset>[1]) => readDataset([{ name: "table.csv", bytes }], options);
  await assertRejects(() => read({ missing: "mean" }), FileError, "found text in kind");
  await assertRejects(() => read({ labelColumn: "kind" }), FileError, "b");
  const dropped = await read({ labelColumn: "3", missing: "drop" });
  assertEquals([dropped.classNames, dropped.train.count + dropped.test.count], [["x", "y"], 3]);
  const filled = await read({ dropColumn: ["kind"], missing: "mean" });
  assertEquals([filled.columns, filled.classes, filled.train.count + filled.test.count], [["a", "b"], undefined, 4]);
  assert([filled.train, filled.test].every(({ values }) => values.every(Number.isFinite)));
});

Deno.test("readDataset() says what is wrong with a file, and which", async () => {
  const labelled = GIVEN["four files as MNIST's"];
  const cut = gzipSync(idx([6, 2, 2]));
  const broken = cut.with(-6, cut.at(-6)! ^ 1);
  const lying = cut.with(-1, 0x7f);
  const cases: readonly (readonly [readonly DataFile[], string])[] = [
    [
      [{ name: "a.csv", bytes: table }, { name: "b.csv", bytes: table }],
      'Cannot read "b.csv": expected files of one dataset',
    ],
    [
      [{ name: "a.csv", bytes: table }, { name: "a.csv.gz", bytes: gzipSync(table) }],
      'Cannot read "a.csv": expected files of different',
    ],
    [[{ name: "x.gz", bytes: cut.subarray(0, 12) }], 'Cannot read "x.gz": expected a gzip file'],
    [[{ name: "x.gz", bytes: broken }], 'Cannot read "x.gz": expected'],
    [[{ name: "x.gz", bytes: lying }], "too few for that (cut short?)"],
    [
      [{ name: labelled[0][0], bytes: idx([6, 2, 2]) }, { name: "t10k-images-idx3-ubyte", bytes: idx([3, 2, 3]) }],
      "expected test rows of [2,2,1]",
    ],
    [[{ name: "what.bin", bytes: bytesOf("no data") }], 'Cannot read "what.bin"'],
    [
      [new Response("", { status: 404, statusText: "Not Found" })],
      'Cannot read "data": expected a file, found the answer 404 Not Found',
    ],
  ];
  for (const [files, message] of cases) await assertRejects(() => readDataset(files), FileError, message);
  await assertRejects(() => readDataset([]), RangeError, "expected at least one file");
});

Deno.test("inflateStream() unpacks no more than is declared", async () => {
  const zeros = gzipSync(new Uint8Array(2 ** 20));
  const packed = new Uint8Array(zeros.buffer as ArrayBuffer, zeros.byteOffset, zeros.length);
  await assertRejects(() => inflateStream(packed, "gzip", 1000, "z"), FileError, "found more");
  await assertRejects(() => inflateStream(packed, "gzip", 2 ** 20 + 1, "z"), FileError, "found");
  assertEquals((await inflateStream(packed, "gzip", 2 ** 20, "z")).length, 2 ** 20);
});

Deno.test("crc32() is the same where there is no zlib", () => {
  for (const text of ["", "a", "123456789"]) assertEquals(crc32ByTable(bytesOf(text)), crc32(text));
});

Deno.test("fetchFiles() finds a file by its name or packed, and load() a checkpoint by its address", async () => {
  const checkpoint = await Deno.readFile(new URL("../golden/bits_vae.safetensors", import.meta.url));
  const files: Record<string, Uint8Array<ArrayBuffer>> = {
    "/data/plain": idx([6]),
    "/data/packed.gz": new Uint8Array(gzipSync(idx([7]))),
    "/model.safetensors": checkpoint,
  };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
    const found = files[new URL(url).pathname];
    return found ? new Response(found) : new Response("nothing", { status: 404 });
  });
  try {
    const address = `http://127.0.0.1:${server.addr.port}`;
    const read = fetchFiles(`${address}/data/`);
    assertEquals((await read("plain")).bytes, idx([6]));
    assertEquals((await read("packed")).bytes, idx([7]));
    await assertRejects(() => read("none"), FileError, "found the answer 404, and 404 with .gz");
    using trained = await load(await fetch(`${address}/model.safetensors`));
    using same = await load(new File([checkpoint], "mine.safetensors"));
    assertEquals(await trained.sample({ count: 1 }), await same.sample({ count: 1 }));
    await assertRejects(
      async () => await load(await fetch(`${address}/other.safetensors`)),
      FileError,
      'Cannot read "other.safetensors": expected a file, found the answer 404',
    );
    await assertRejects(() => load(new File(["{}"], "mine.safetensors")), FileError, "mine.safetensors");
  } finally {
    await server.shutdown();
  }
});
