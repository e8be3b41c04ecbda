/**
 * `deno task models`: the models there are, with their sources and settings.
 *
 * @module
 */

import { models } from "../models/mod.ts";
import { listingTask } from "./cli/listing.ts";
import { main } from "./cli/run.ts";

/** The task. */
export const modelsTask = listingTask({
  name: "models",
  summary: "Lists the models with their sources and settings.",
  flag: "--model",
  listed: models,
  hints: ["Train one: deno task train --model NAME; a model of your own: deno task train --model ./my_vae.ts"],
});

if (import.meta.main) await main(modelsTask);
