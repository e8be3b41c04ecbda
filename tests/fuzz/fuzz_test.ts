/** The fuzzer: it finds what is planted, repeats what it found, and finds nothing in ten seconds of all formats. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { FileError } from "../../core/bounds.ts";
import { withFolder } from "../support/folder.ts";
import { ascii, Case, concat, u } from "./case.ts";
import { examine, type Fault } from "./examine.ts";
import { type Format, formats, Inconsistent } from "./formats.ts";

const root = new URL("../../", import.meta.url);

/** Runs `deno task fuzz`. */
async function fuzz(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "fuzz", ...args],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

Deno.test("deno task fuzz finds no fault in any format, in ten seconds", async () => {
  const { code, stdout, stderr } = await fuzz("--minutes", "0.16667", "--seed", "1", "--json");
  const events = stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  assertEquals(events.filter(({ event }) => event === "fault"), []);
  assertEquals(code, 0, stderr);
  assertEquals(
    events.filter(({ event }) => event === "format").map(({ format }) => format),
    formats.map(({ name }) => name),
  );
  for (const { format, inputs } of events.filter(({ event }) => event === "format")) assert(inputs > 0, format);
});

Deno.test("deno task fuzz repeats one input, and refuses formats that it does not know with 2", async () => {
  const one = await fuzz("--only", "npz", "--case", "7");
  assertEquals(one.code, 0, one.stderr);
  assertStringIncludes(one.stdout, "1 inputs of seed 0");
  const unknown = await fuzz("--only", "tiff");
  assertEquals(unknown.code, 2);
  assertStringIncludes(unknown.stderr, "--only: expected npy, npz, mat, mat4,");
  assertEquals((await fuzz("--case", "7")).code, 2);
});

/** A format of three numbers, whose reader does what a test plants. */
const planted = (read: (first: number, bytes: Uint8Array) => void): Format => ({
  name: "planted",
  write: (c) => ({ "a.bin": concat(u(4)(c.integer(7, "first"), c.integer(8, "second"), c.integer(9, "third"))) }),
  read: (_, bytes) => Promise.resolve(read(new DataView(bytes.buffer).getUint32(0, true), bytes)),
});

/** The first fault among some hundred inputs. */
async function faultOf(format: Format): Promise<Fault | undefined> {
  for (let index = 0; index < 1000; index++) {
    const found = await examine(format, 5, index);
    if (typeof found !== "string") return found;
  }
  return undefined;
}

Deno.test("examine() finds a raw error, tells the one change that it takes, and gives the same again", async () => {
  const format = planted((first) => {
    if (first > 2 ** 31) throw new RangeError("Invalid array length");
  });
  const found = (await faultOf(format))!;
  assertEquals([found.format, found.kind, found.changes?.length], ["planted", "raw", 1]);
  assertStringIncludes(found.message, "RangeError: Invalid array length");
  assertStringIncludes(found.changes![0], "first: ");
  assertEquals(Uint8Array.fromBase64(found.input!).slice(4), u(4)(8, 9));
  assertEquals(await examine(format, 5, found.case), found);
});

Deno.test("examine() finds words that name no file, something inconsistent, and time", async () => {
  const changed = (what: () => void) => planted((first) => first === 7 || what());
  const kinds = [
    () => {
      throw new FileError("a.bin", "wrong");
    },
    () => {
      throw new Inconsistent("3 values");
    },
    () => {
      for (const end = performance.now() + 2100; performance.now() < end;);
    },
  ].map(changed);
  assertEquals((await Promise.all(kinds.map(faultOf))).map((found) => found?.kind), ["words", "accepted", "slow"]);
});

Deno.test("examine() finds a reader that does not look at a checksum", async () => {
  const format: Format = { ...planted(() => {}), covered: (bytes) => [0, bytes.length] };
  assertEquals((await faultOf(format))?.kind, "accepted");
});

Deno.test("Case writes a sound file where nothing may be changed, for every format", async () => {
  for (const format of formats.filter(({ name }) => name !== "corpus")) {
    for (let seed = 0; seed < 20; seed++) {
      const c = new Case(seed, new Set());
      const files = format.write(c);
      assertEquals(c.changes.size, 0);
      await withFolder(async (folder) => {
        for (const [name, bytes] of Object.entries(files)) {
          const path = `${folder}/case/${name}`;
          await Deno.mkdir(path.replace(/\/[^/]*$/, ""), { recursive: true });
          await Deno.writeFile(path, bytes);
        }
        const [[name, bytes]] = Object.entries(files);
        await format.read(`${folder}/case/${name}`, bytes);
      });
    }
  }
});

Deno.test("Case.json() changes parts of JSON and stays near it", () => {
  const texts = Array.from({ length: 200 }, (_, seed) => new Case(seed).json({ a: [1, { b: null }], c: "d" }));
  assert(texts.includes('{"a":[1,{"b":null}],"c":"d"}'));
  assert(new Set(texts).size > 50, `${new Set(texts).size}`);
  assertEquals(ascii("a"), Uint8Array.of(97));
});
