/** Joining shader parts: the repeat blocks, the parameters, the declarations, and what a compiled kernel may bind. */

import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { GpuError } from "../../core/gpu/device.ts";
import { type Dispatch, expand, type Fragment, join, prepare, read, write } from "../../core/gpu/kernel.ts";
import { createBuffer, createTensor, download } from "../../core/gpu/tensor.ts";
import { dispatch, gpu } from "../support/gpu.ts";

Deno.test("expand() leaves a text without repeats and parameters as it is", () => {
  const text = "fn f() -> u32 {\n  return 1u; // repeat, $, end\n}\n";
  assertEquals(expand(text), text);
});

Deno.test("expand() writes a repeat once for each number, the last excluded", () => {
  assertEquals(expand("a\n  //: repeat i 1..3\n  b$i + $iu;\n  //: end\nc"), "a\n  b1 + 1u;\n  b2 + 2u;\nc");
});

Deno.test("expand() nests repeats, each with its own name", () => {
  const text = "//: repeat i 0..2\nx$i\n//: repeat j 0..2\n$i$j\n//: end\ny$i\n//: end";
  assertEquals(expand(text).split("\n"), ["x0", "00", "01", "y0", "x1", "10", "11", "y1"]);
});

Deno.test("expand() writes nothing for a repeat from a number to itself", () => {
  assertEquals(expand("a\n//: repeat i 0..0\nb\n//: repeat j 0..4\nc\n//: end\n//: end\nd"), "a\nd");
});

Deno.test("expand() replaces parameters, the longest name first, also in the bounds of a repeat", () => {
  assertEquals(expand("$start_row $start $n", { start: "s", start_row: "r", n: 3 }), "r s 3");
  assertEquals(expand("//: repeat i 0..$n\n$m$i\n//: end", { n: 2, m: "load_" }), "load_0\nload_1");
});

Deno.test("expand() refuses a repeat without end, an end without repeat, and what it cannot read", () => {
  assertThrows(() => expand("//: repeat i 0..2\na"), SyntaxError, 'no end for "//: repeat i 0..2"');
  assertThrows(() => expand("//: repeat i 0..2\n//: repeat j 0..2\n//: end"), SyntaxError, 'no end for "//: repeat i');
  assertThrows(() => expand("a\n//: end"), SyntaxError, 'unexpected line "//: end"');
  assertThrows(() => expand("//: repeat i 0..$n\n//: end"), SyntaxError, 'unexpected line "//: repeat i 0..$n"');
  assertThrows(() => expand("//: unroll 3"), SyntaxError, 'unexpected line "//: unroll 3"');
});

const joined = (...fragments: Fragment[]) => join({ label: "test", fragments, workgroups: [1] });

Deno.test("join() declares constants, floats and buffers in binding order, then the parts", () => {
  const x = createTensor(gpu, "x", 1, 1);
  const y = createTensor(gpu, "y", 1, 1, { type: "u8" });
  const z = createBuffer(gpu, "z", 16);
  const { code, bindings } = joined(
    {
      parts: ["fn f() {}"],
      constants: { N: 5, YES: true },
      floats: { HALF: 0.5 },
      buffers: { x: write(x), y: read(y) },
    },
    { parts: [{ text: "fn g_$m() {}", parameters: { m: "a" } }], buffers: { z: read(z), s: read(z, "State") } },
  );
  assertEquals(code.split("\n"), [
    "const N = 5u;",
    "const YES = true;",
    "const HALF = f32(0.5);",
    "@group(0) @binding(0) var<storage, read_write> x: array<vec4f>;",
    "@group(0) @binding(1) var<storage, read> y: array<u32>;",
    "@group(0) @binding(2) var<storage, read> z: array<f32>;",
    "@group(0) @binding(3) var<storage, read> s: State;",
    "fn f() {}",
    "fn g_a() {}",
  ]);
  assertEquals(bindings.map(({ buffer }) => buffer.label), ["x", "y", "z", "z"]);
  for (const buffer of [x.buffer, y.buffer, z]) buffer.destroy();
});

Deno.test("join() takes a part, a constant or a buffer that two fragments name alike once", () => {
  const x = createBuffer(gpu, "x", 16);
  const fragment: Fragment = { parts: ["fn f() {}"], constants: { N: 5 }, floats: { F: 1 }, buffers: { x: read(x) } };
  assertEquals(joined(fragment, fragment), joined(fragment));
  assertEquals(joined(fragment, fragment).bindings.length, 1);
  x.destroy();
});

Deno.test("join() refuses two values for a constant, and one buffer name for two buffers or two kinds of access", () => {
  const x = createBuffer(gpu, "x", 16);
  const y = createBuffer(gpu, "y", 16);
  assertThrows(
    () => joined({ parts: [], constants: { N: 5 } }, { parts: [], constants: { N: 6 } }),
    Error,
    'Cannot join the kernel "test": "N" is declared twice, as const N = 5u; and const N = 6u;',
  );
  assertThrows(
    () => joined({ parts: [], floats: { N: 5 } }, { parts: [], constants: { N: 5 } }),
    Error,
    '"N" is declared twice',
  );
  assertThrows(
    () => joined({ parts: [], buffers: { x: read(x) } }, { parts: [], buffers: { x: read(y) } }),
    Error,
    'Cannot join the kernel "test": two buffers are named "x"',
  );
  assertThrows(
    () => joined({ parts: [], buffers: { x: read(x) } }, { parts: [], buffers: { x: write(x) } }),
    Error,
    '"x" is declared twice',
  );
  x.destroy();
  y.destroy();
});

Deno.test("join() refuses to write a buffer that is bound under another name too, which WebGPU forbids", () => {
  const x = createBuffer(gpu, "x", 16);
  for (const other of [read(x), write(x)]) {
    assertThrows(
      () => joined({ parts: [], buffers: { one: write(x), other } }),
      Error,
      'Cannot join the kernel "test": "one" and "other" are the same buffer, and one of them is written',
    );
  }
  x.destroy();
});

Deno.test("a kernel of joined parts runs", async () => {
  const x = createTensor(gpu, "x", 2, 32);
  const fill: Dispatch = {
    label: "fill",
    fragments: [
      { parts: ["fn value(i: u32) -> f32 {\n  return f32(i) * SCALE + f32(OFFSET);\n}"], floats: { SCALE: 0.25 } },
      {
        parts: [
          "@compute @workgroup_size(64)\nfn main(@builtin(local_invocation_index) i: u32) {\n  x[i] = value(i);\n}",
        ],
        constants: { OFFSET: 3 },
        buffers: { x: write(x, "array<f32>") },
      },
    ],
    workgroups: [1],
  };
  await dispatch(fill);
  assertEquals([...await download(gpu, x)], Array.from({ length: 64 }, (_, i) => i / 4 + 3));
  x.buffer.destroy();
});

Deno.test("prepare() says which kernel cannot be compiled, and why", async () => {
  const broken: Dispatch = {
    label: "broken",
    fragments: [{ parts: ["@compute @workgroup_size(1)\nfn main() {\n  missing();\n}"] }],
    workgroups: [1],
  };
  const error = await assertRejects(() => prepare(gpu, broken), GpuError, 'Cannot compile the kernel "broken"');
  assertStringIncludes(error.message, "missing");
  gpu.check();
});

Deno.test("prepare() compiles one text once", async () => {
  const x = createBuffer(gpu, "x", 16);
  const y = createBuffer(gpu, "y", 16);
  const kernel = (label: string, buffer: GPUBuffer): Dispatch => ({
    label,
    fragments: [{
      parts: ["@compute @workgroup_size(1)\nfn main() {\n  x[0] = 1.0;\n}"],
      buffers: { x: write(buffer) },
    }],
    workgroups: [1],
  });
  const [one, two] = await Promise.all([prepare(gpu, kernel("one", x)), prepare(gpu, kernel("two", y))]);
  assert(one.pipeline === two.pipeline);
  assert(one.bindGroup !== two.bindGroup);
  x.destroy();
  y.destroy();
});
