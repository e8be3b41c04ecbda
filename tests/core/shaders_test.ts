/** A lint of the shaders: each is used, says what it gives, and holds to what every compiler takes. */

import { assertEquals } from "@std/assert";

const root = new URL("../../", import.meta.url);

/** Paths below a folder that end so, from the root. */
function* files(folder: string, end: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, root))) {
    if (isDirectory) yield* files(`${folder}/${name}`, end);
    else if (name.endsWith(end)) yield `${folder}/${name}`;
  }
}

const read = (path: string) => Deno.readTextFileSync(new URL(path, root));
const shaders = new Map([...files("shaders", ".wgsl")].map((path) => [path, read(path)]));

/** The comment that a file opens with, as one line. */
function header(text: string): string {
  const lines = text.split("\n");
  const end = lines.findIndex((line) => !line.startsWith("//"));
  return lines.slice(0, end).map((line) => line.slice(2).trim()).join(" ");
}

/** The names after "Gives:". */
function given(text: string): string[] {
  const [, list] = /\bGives: ([^.]+)\./.exec(header(text)) ?? [];
  return list?.replace(/\([^)]*\)/g, "").split(",").map((name) => name.trim()) ?? [];
}

const isActivation = (path: string) => path.startsWith("shaders/activations/");

Deno.test("every shader is imported by some TypeScript file", () => {
  const imported = new Set<string>();
  for (const path of files("core", ".ts")) {
    for (const [, specifier] of read(path).matchAll(/from "([^"]+\.wgsl)"/g)) {
      imported.add(new URL(specifier, new URL(path, root)).href);
    }
  }
  assertEquals([...shaders.keys()].filter((path) => !imported.has(new URL(path, root).href)), []);
});

Deno.test("every shader opens by saying what it gives, and declares it", () => {
  const wrong = [...shaders].filter(([path]) => !isActivation(path)).flatMap(([path, text]) => {
    const names = given(text);
    if (!names.length) return [`${path} gives nothing`];
    const declares = (name: string) =>
      ["fn ", "struct ", "var<private> ", "const "].some((kind) =>
        new RegExp(`^${RegExp.escape(kind + name)}[ (:]`, "m").test(text)
      );
    return names.filter((name) => !declares(name)).map((name) => `${path} does not declare ${name}`);
  });
  assertEquals(wrong, []);
});

Deno.test("every activation opens with its formula, and gives itself and its derivative", () => {
  const wrong = [...shaders].filter(([path]) => isActivation(path)).filter(([, text]) =>
    !header(text).startsWith("y = ") || !/^fn activation\(x: vec4f\) -> vec4f/m.test(text) ||
    !/^fn derivative\([xy]: vec4f\) -> vec4f/m.test(text)
  );
  assertEquals(wrong.map(([path]) => path), []);
});

// https://github.com/gfx-rs/wgpu/issues/8202
Deno.test("no shader enables subgroups, which naga refuses, and none is unfinished", () => {
  for (const words of [/\benable\s+subgroups/, /\bTODO\b|\bFIXME\b|\bXXX\b/]) {
    assertEquals([...shaders].filter(([, text]) => words.test(text)).map(([path]) => path), [], `${words}`);
  }
});
