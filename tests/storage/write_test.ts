/** Writes that leave the old file or the new one. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { temporaryNames, writeFileAtomically } from "../../storage/write.ts";
import { withFolder } from "../datasets/support.ts";

const MODULE = new URL("../../storage/write.ts", import.meta.url).href;

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
