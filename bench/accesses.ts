/**
 * What it costs to read and to write four floats, by where they lie: `deno run -A bench/accesses.ts`. One invocation after another of
 * a subgroup takes the next four, as the matrix kernels do, in a loop. On a processor the nanoseconds are those of all invocations of a
 * subgroup on one core, where two cores work.
 *
 * @module
 */

import { Gpu } from "../core/gpu/device.ts";
import { type Binding, prepare, read, uniform, write } from "../core/gpu/kernel.ts";
import { timeDispatch } from "../core/graph/inspection.ts";
import { lanesOf } from "../core/gpu/lavapipe/strategy.ts";
import { textureCopy } from "../core/gpu/lavapipe/texture_copy.ts";
import { createBuffer, createTensor, type Tensor } from "../core/gpu/tensor.ts";

/** Accesses of an invocation. */
const [ROUNDS, EACH] = [200, 50];

if (import.meta.main) {
  using gpu = await Gpu.open();
  const lanes = lanesOf(gpu.adapter) || 32;
  const tensor = createTensor(gpu, "values", 128, 32);
  const bytes = createTensor(gpu, "bytes", 512, 32, { type: "u8" });
  const uniforms = createBuffer(gpu, "uniforms", 16 * 1024, GPUBufferUsage.UNIFORM);
  const written = createBuffer(gpu, "written", 16 * 1024);
  const place = "(i * LANES + lane)";
  const texel = (name: string) => `textureLoad(${name}, vec2u(${place} & 1023u, ${place} >> 10u))`;
  const texels = ({ buffer, type }: Tensor): Binding => {
    const format = type === "u8" ? "r32uint" : "rgba32float";
    const copy = textureCopy(gpu.device, buffer, format);
    return { buffer, access: "read", type: `texture_storage_2d<${format}, read>`, copy };
  };
  const accesses: Record<string, { readonly text: string; readonly buffers: Record<string, Binding> }> = {
    "nothing": { text: "sum += vec4f(f32(i));", buffers: {} },
    "read from a storage buffer": { text: `sum += a[${place}];`, buffers: { a: read(tensor) } },
    "read as bytes": { text: `sum += unpack4x8unorm(a[${place}]);`, buffers: { a: read(bytes) } },
    "read from a uniform buffer": {
      text: `sum += a[${place}];`,
      buffers: { a: uniform(uniforms, "array<vec4f, 1024>") },
    },
    "read from a storage texture": { text: `sum += ${texel("a")};`, buffers: { a: texels(tensor) } },
    "read from a storage texture, as bytes": {
      text: `sum += unpack4x8unorm(${texel("a")}.x);`,
      buffers: { a: texels(bytes) },
    },
    "written to a storage buffer": {
      text: `sum += vec4f(f32(i)); b[${place}] = sum;`,
      buffers: { b: write(written, "array<vec4f>") },
    },
  };
  console.log(gpu.adapter);
  const result = createBuffer(gpu, "result", 16 * 1024);
  let nothing = 0;
  for (const [name, { text, buffers }] of Object.entries(accesses)) {
    const main = `@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = vec4f();
  for (var round = 0u; round < ${ROUNDS}u; round++) {
    for (var i = 0u; i < ${EACH}u; i++) {
      ${text}
    }
  }
  result[lane] = sum;
}`;
    const dispatch = {
      label: name,
      fragments: [{
        parts: [main],
        constants: { LANES: lanes },
        buffers: { ...buffers, result: write(result, "array<vec4f>") },
      }],
      workgroups: [80] as const,
    };
    const prepared = await prepare(gpu, dispatch);
    await timeDispatch(gpu, prepared, 1);
    const times: number[] = [];
    for (let i = 0; i < 9; i++) times.push(await timeDispatch(gpu, prepared, 1));
    const ns = times.toSorted((a, b) => a - b)[4] * 1e6 / (ROUNDS * EACH * 40);
    if (name === "nothing") nothing = ns;
    else console.log(`${name.padEnd(40)} ${(ns - nothing).toFixed(1).padStart(7)} ns`);
  }
}
