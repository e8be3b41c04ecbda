/** Recording dispatches: which copies into textures stand between them, in as few breaks of a compute pass as can be. */

import { assertEquals } from "@std/assert";
import { type Prepared, record } from "../../core/gpu/kernel.ts";
import { updates } from "../../core/gpu/lavapipe/texture_copy.ts";

/** An encoder that writes down what is recorded, a word for each command. */
function encoder(log: string[]): GPUCommandEncoder {
  const pass = {
    setPipeline: (label: string) => log.push(label),
    setBindGroup() {},
    dispatchWorkgroups() {},
    end: () => log.push("end"),
  };
  return {
    beginComputePass: () => (log.push("pass"), pass),
    clearBuffer: (buffer: string) => log.push(`copy ${buffer}`),
  } as unknown as GPUCommandEncoder;
}

/** Dispatches by name, with what each reads through a texture and what it writes. */
function list(dispatches: Record<string, readonly [reads: string, writes: string]>): Prepared[] {
  return Object.entries(dispatches).map(([label, [reads, writes]]) => ({
    label,
    pipeline: label,
    bindGroup: {},
    workgroups: [1, 1],
    macs: 0,
    bytes: 0,
    writes: writes.split(" ").filter(Boolean).map((buffer) => ({ buffer })),
    copies: reads.split(" ").filter(Boolean).map((buffer) => ({
      buffer,
      update: (encoder: GPUCommandEncoder) => encoder.clearBuffer(buffer as unknown as GPUBuffer),
    })),
  } as unknown as Prepared));
}

function recorded(dispatches: readonly Prepared[], times: number): string {
  const log: string[] = [];
  record({ strategy: { refresh: updates } }, encoder(log), dispatches, { times });
  return log.join(", ");
}

Deno.test("record() needs one pass where nothing is read through textures", () => {
  assertEquals(recorded(list({ a: ["", "x"], b: ["", "y"] }), 2), "pass, a, b, a, b, end");
});

Deno.test("record() copies what was written since before who reads it, and with it what will be read later", () => {
  // Two layers: V and W are weights, h and g what is formed between, and the last two update the weights.
  const step = list({
    first: ["V", "h"],
    second: ["h W", "g"],
    back: ["g W", "d"],
    update_W: ["g h", "W"],
    update_V: ["d V", "V"],
  });
  // W is copied for the next time as soon as a pass ends anyway.
  const round = (before: string) =>
    `${before}, pass, first, end, copy h, pass, second, end, copy g, pass, back, update_W, end, copy d, copy W, pass, update_V, end`;
  assertEquals(recorded(step, 1), round("copy V, copy W"));
  assertEquals(recorded(step, 3), [round("copy V, copy W"), round("copy V"), round("copy V")].join(", "));
});
