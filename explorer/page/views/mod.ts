/**
 * The views, in the order of the tabs. Adding one is one file and one line here.
 *
 * @module
 */

import type { View } from "../app.ts";
import { compare } from "./compare.ts";
import { draw } from "./draw.ts";
import { keep } from "./keep.ts";
import { morph } from "./morph.ts";
import { outliers } from "./outliers.ts";
import { plane } from "./plane.ts";
import { samples } from "./samples.ts";
import { scatter } from "./scatter.ts";
import { tour } from "./tour.ts";
import { traversal } from "./traversal.ts";

/** Every view. */
export const views: readonly View[] = [plane, samples, scatter, traversal, morph, draw, outliers, compare, tour, keep];
