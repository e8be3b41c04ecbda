import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { type CheckpointTensor, decodeSafetensors, encodeSafetensors } from "../../core/training/safetensors.ts";
import { temporaryNames, writeFileAtomically } from "../../storage/write.ts";

const MODULE = new URL("../../storage/write.ts", import.meta.url).href;

function example(): Map<string, CheckpointTensor> {
  return new Map<string, CheckpointTensor>([
    ["seeds", { shape: [3], data: new Uint8Array([1, 2, 255]) }],
    ["head.weight", { shape: [2, 2], data: new Float32Array([0.1, -Infinity, -0, 1e-45]) }],
    ["step", { shape: [], data: new Uint32Array([4294967295]) }],
    ["none", { shape: [0, 7], data: new Float32Array(0) }],
  ]);
}

Deno.test("decodeSafetensors() gives back what encodeSafetensors() wrote", () => {
  const metadata = { model: "vae", config: '{"hidden":[500]}', note: "β" };
  const decoded = decodeSafetensors(encodeSafetensors(example(), metadata), "x");
  assertEquals(decoded.metadata, metadata);
  assertEquals(new Map([...decoded.tensors].toSorted()), new Map([...example()].toSorted()));
});

Deno.test("encodeSafetensors() gives equal bytes whatever the order of names", () => {
  const reversed = new Map([...example()].reverse());
  assertEquals(encodeSafetensors(example(), { a: "1", b: "2" }), encodeSafetensors(reversed, { b: "2", a: "1" }));
});

Deno.test("encodeSafetensors() pads its header so that every tensor is aligned", () => {
  for (const name of ["a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefg", "abcdefgh"]) {
    const bytes = encodeSafetensors(new Map([[name, { shape: [1], data: new Float32Array([1]) }]]), {});
    assertEquals(bytes.length % 8, 4);
    assertEquals(new DataView(bytes.buffer).getFloat32(bytes.length - 4, true), 1);
  }
});

Deno.test("encodeSafetensors() writes the part of the buffer that a view shows", () => {
  const data = new Float32Array([9, 1, 2, 9]).subarray(1, 3);
  const { tensors } = decodeSafetensors(encodeSafetensors(new Map([["x", { shape: [2], data }]]), {}), "x");
  assertEquals([...tensors.get("x")!.data], [1, 2]);
});

Deno.test("encodeSafetensors() refuses a shape of another count, and the name of the strings", () => {
  const data = new Float32Array(5);
  assertThrows(
    () => encodeSafetensors(new Map([["x", { shape: [2, 3], data }]]), {}),
    RangeError,
    'Cannot write tensor "x": expected 6 values for shape [2,3], found 5',
  );
  assertThrows(() => encodeSafetensors(new Map([["__metadata__", { shape: [5], data }]]), {}), RangeError);
});

Deno.test("decodeSafetensors() reads what golden/small_safetensors.py wrote", async () => {
  const bytes = await Deno.readFile(new URL("../golden/small.safetensors", import.meta.url));
  const { tensors, metadata } = decodeSafetensors(bytes, "small");
  assertEquals(metadata, { model: "vae", note: "β = 1" });
  assertEquals(
    tensors,
    new Map<string, CheckpointTensor>([
      ["step", { shape: [], data: new Uint32Array([4294967295]) }],
      ["empty", { shape: [0, 4], data: new Float32Array(0) }],
      ["weight", { shape: [2, 3], data: new Float32Array([0, -1.5, 3.140625, 1e-45, 3.4028234663852886e38, 0.1]) }],
      ["bytes", { shape: [3], data: new Uint8Array([1, 128, 255]) }],
    ]),
  );
});

/** A file of a header, given as it stands, and as many bytes of data. */
function file(header: unknown, dataLength: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const entry = (begin: number, end: number, shape = [(end - begin) / 4], dtype = "F32") => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

const broken: [string, Uint8Array, string | RegExp][] = [
  ["an empty file", new Uint8Array(0), "expected 8 bytes with the length of the header, found 0 (cut short?)"],
  ["a file cut in its header", file({}, 0).subarray(0, 9), "expected a header of 2 bytes, found 1 (cut short?)"],
  [
    "a header longer than any",
    new Uint8Array(64).fill(255),
    /^expected a header of at most 100000000 bytes, found a length of 18446744073709552000 \(not a safetensors file\?\)$/,
  ],
  ["a header that is not JSON", file("{nothing", 0), /^expected a header in JSON, found /],
  ["a header that is not UTF-8", file("{}", 0).fill(0xff, 8), /^expected a header in JSON, found /],
  ["a header that is a list", file([], 0), "expected a header with one entry per tensor, found another kind of JSON"],
  [
    "strings that are none",
    file({ __metadata__: { step: 3 } }, 0),
    'expected __metadata__ to map names to strings, found {"step":3}',
  ],
  [
    "a tensor without a shape",
    file({ x: { dtype: "F32", data_offsets: [0, 4] } }, 4),
    'expected dtype, shape and data_offsets of tensor "x", found {"dtype":"F32","data_offsets":[0,4]}',
  ],
  [
    "a negative size",
    file({ x: entry(0, 4, [-1]) }, 4),
    'expected dtype, shape and data_offsets of tensor "x", found {"dtype":"F32","shape":[-1],"data_offsets":[0,4]}',
  ],
  [
    "another type of element",
    file({ x: entry(0, 4, [2], "F16") }, 4),
    'expected tensor "x" to be one of F32, U32, U8, found F16',
  ],
  [
    "a shape of another count",
    file({ x: entry(0, 8, [3]) }, 8),
    'expected 12 bytes for tensor "x" (F32 [3]), found offsets 0 to 8',
  ],
  [
    "overlapping tensors",
    file({ x: entry(0, 8), y: entry(4, 12) }, 12),
    'expected tensor "y" to start at offset 8, found 4 (an overlap)',
  ],
  [
    "a gap between tensors",
    file({ x: entry(0, 8), y: entry(12, 16) }, 16),
    'expected tensor "y" to start at offset 8, found 12 (a gap)',
  ],
  [
    "a file cut in its data",
    file({ x: entry(0, 8), y: entry(8, 16) }, 15),
    'expected the data of tensor "y" to end at offset 16, found 15 bytes of data (cut short?)',
  ],
  ["bytes after its data", file({ x: entry(0, 8) }, 9), "expected 8 bytes of data, found 1 more after them"],
];

for (const [what, bytes, message] of broken) {
  Deno.test(`decodeSafetensors() refuses ${what} and names the file`, () => {
    const error = assertThrows(() => decodeSafetensors(bytes, "runs/a/checkpoint.safetensors"), Error);
    const prefix = 'Cannot read "runs/a/checkpoint.safetensors": ';
    assert(error.message.startsWith(prefix), error.message);
    const rest = error.message.slice(prefix.length);
    if (typeof message === "string") assertEquals(rest, message);
    else assertMatch(rest, message);
  });
}

Deno.test("decodeSafetensors() refuses a checkpoint cut anywhere", () => {
  const bytes = encodeSafetensors(example(), { model: "vae" });
  for (let length = 0; length < bytes.length; length++) {
    assertThrows(() => decodeSafetensors(bytes.subarray(0, length), "x"), Error, 'Cannot read "x": expected');
  }
});

/** Runs a test with a folder of its own. */
async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "elbo-checkpoint-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function names(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).toSorted();
}

Deno.test("writeFileAtomically() writes a file, and replaces one", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/x.bin`;
    await writeFileAtomically(path, new Uint8Array([1, 2, 3]));
    assertEquals([...await Deno.readFile(path)], [1, 2, 3]);
    await writeFileAtomically(path, new Uint8Array(5_000_000).fill(7));
    assertEquals((await Deno.readFile(path)).filter((byte) => byte === 7).length, 5_000_000);
    assertEquals(await names(folder), ["x.bin"]);
  });
});

Deno.test("writeFileAtomically() writes one path several times at once, and past what a kill left", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/x.bin`;
    const [left, ...free] = temporaryNames(path);
    await Deno.writeTextFile(left, "half");
    await Promise.all(free.map((_, i) => writeFileAtomically(path, new Uint8Array(1_000_000).fill(i))));
    const bytes = await Deno.readFile(path);
    assertEquals([bytes.length, bytes.every((byte) => byte === bytes[0])], [1_000_000, true]);
    assertEquals(await names(folder), ["x.bin", "x.bin.0.tmp"]);
    for (const name of free) await Deno.writeTextFile(name, "half");
    await assertRejects(() => writeFileAtomically(path, bytes), Error, "remove what a killed program left");
    assertEquals(await Deno.readTextFile(left), "half");
  });
});

Deno.test("writeFileAtomically() names the path and the cause where it may not write", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/none/x.bin`;
    const error = await assertRejects(
      () => writeFileAtomically(path, new Uint8Array(1)),
      Error,
      `Cannot write "${path}": `,
    );
    assert(error.cause instanceof Deno.errors.NotFound);
  });
});

Deno.test("writeFileAtomically() leaves nothing behind when the rename fails", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/x.bin`;
    await Deno.mkdir(`${path}/full`, { recursive: true });
    await assertRejects(() => writeFileAtomically(path, new Uint8Array(1)), Error, `Cannot write "${path}": `);
    assertEquals(await names(folder), ["x.bin"]);
  });
});

/** Writes x.bin in the working folder, first a byte, then 8 MB; prints the error and what the folder then holds. */
const FILL = `
  const { writeFileAtomically } = await import(${JSON.stringify(MODULE)});
  await writeFileAtomically("x.bin", new Uint8Array([42]));
  await writeFileAtomically("x.bin", new Uint8Array(8_000_000)).catch((error) => console.log(error.message));
  console.log(Deno.readFileSync("x.bin").join(), [...Deno.readDirSync(".")].map(({ name }) => name).join());
`;

/** Runs FILL in a folder, by a shell line that sets the scene and ends with `exec "$@"`. */
async function fill(folder: string, command: string, scene: string): Promise<string> {
  const script = `${folder}/fill.ts`;
  await Deno.writeTextFile(script, FILL);
  await Deno.mkdir(`${folder}/disk`);
  const run = [Deno.execPath(), "run", "--quiet", "--allow-all", "--no-config", "--no-lock", "--no-code-cache", script];
  const [program, ...args] = [...command.split(" "), "-c", scene, "sh", ...run];
  const { stdout } = await new Deno.Command(program, { args, cwd: `${folder}/disk`, stderr: "null" }).output();
  return new TextDecoder().decode(stdout);
}

Deno.test({
  name: "writeFileAtomically() keeps the old file when a write fails halfway",
  ignore: Deno.build.os === "windows",
  async fn() {
    await withFolder(async (folder) => {
      // A limit on the size of files (in blocks of 512 or 1,024 bytes) stands for the full disk: it needs no privilege.
      const printed = await fill(folder, "sh", `trap '' XFSZ; ulimit -f 4096; exec "$@"`);
      assertMatch(printed, /^Cannot write "x\.bin": .*File too large.*unchanged\n42 x\.bin\n$/);
    });
  },
});

/** A file system of 1 MB in a namespace of its own: for root, and for users where the kernel lets them. */
const NAMESPACE = "unshare --map-root-user --mount sh";
const MOUNT = "mount -t tmpfs -o size=1m none";

async function mayMount(): Promise<boolean> {
  if (Deno.build.os !== "linux") return false;
  const [program, ...args] = [...NAMESPACE.split(" "), "-c", `${MOUNT} /mnt`];
  const options = { args, stdout: "null", stderr: "null" } as const;
  return await new Deno.Command(program, options).output().then(({ success }) => success, () => false);
}

Deno.test({
  name: "writeFileAtomically() keeps the old file when the disk is full",
  ignore: !await mayMount(),
  async fn() {
    await withFolder(async (folder) => {
      const printed = await fill(folder, NAMESPACE, `${MOUNT} . && cd . && exec "$@"`);
      assertMatch(printed, /^Cannot write "x\.bin": .*No space left on device.*unchanged\n42 x\.bin\n$/);
    });
  },
});

Deno.test({
  name: "writeFileAtomically() leaves the old file or the new one when the program is killed",
  ignore: Deno.build.os === "windows",
  async fn() {
    await withFolder(async (folder) => {
      const path = `${folder}/x.bin`;
      await Deno.writeTextFile(
        `${folder}/loop.ts`,
        `const { writeFileAtomically } = await import(${JSON.stringify(MODULE)});
         for (let i = 0;; i = (i + 1) % 256) {
           await writeFileAtomically(${JSON.stringify(path)}, new Uint8Array(2_000_000).fill(i));
           if (i === 0) console.log("started");
         }`,
      );
      for (const wait of [0, 3, 7, 13]) {
        const child = new Deno.Command(Deno.execPath(), {
          args: ["run", "--quiet", "--allow-all", "--no-config", "--no-lock", `${folder}/loop.ts`],
          stdout: "piped",
          stderr: "null",
        }).spawn();
        const reader = child.stdout.getReader();
        await reader.read();
        await new Promise((resolve) => setTimeout(resolve, wait));
        child.kill("SIGKILL");
        await child.status;
        await reader.cancel();
        const bytes = await Deno.readFile(path);
        assertEquals(bytes.length, 2_000_000);
        assert(bytes.every((byte) => byte === bytes[0]));
      }
    });
  },
});
