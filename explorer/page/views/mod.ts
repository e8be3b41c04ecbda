/**
 * The views, in the order of the tabs. Adding one is one file and one line here.
 *
 * @module
 */

import type { View } from "../app.ts";
import { plane } from "./plane.ts";
import { samples } from "./samples.ts";

/** Every view. */
export const views: readonly View[] = [plane, samples];
