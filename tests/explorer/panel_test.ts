/** What the panel asks an engine to train is what the models take. */

import { assertThrows } from "@std/assert";
import { requestOf, TRAINABLE } from "../../explorer/page/panel.ts";
import { findModel } from "../../models/mod.ts";
import { train } from "../../mod.ts";

const rows = { values: new Uint8Array(60 * 784), count: 60, labels: new Uint8Array(60) };
const digits = { name: "digits", shape: [28, 28, 1], classes: 10, train: rows, test: rows } as const;
const fields = { hidden: "8", latents: "2", prior: "standard", optimizer: "adam", learningRate: "0.001" };
const loss = { beta: 1, freeBits: 0, capacity: 0 };

Deno.test("every model that the panel offers takes the configuration of its fields", () => {
  // A training checks all of it before it computes anything.
  const begin = (model: string, more: object = {}) => {
    const { model: name, config } = requestOf({ ...fields, model, ...more }, loss, rows.count);
    return train(findModel(name), digits, config);
  };
  for (const model of Object.keys(TRAINABLE)) begin(model);
  assertThrows(() => begin("iaf_vae", { prior: "vamp" }), RangeError, "its components are Gaussians");
});
