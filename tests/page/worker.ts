/**
 * A module worker that trains.
 *
 * @module
 */

/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

import { hundredSteps } from "./hundred_steps.ts";

self.postMessage(await hundredSteps());
