/**
 * All that is loaded by need, from the start: for programs, which have it at hand. Nothing is exported, so that bundlers leave it out of pages.
 *
 * @module
 */

import { more } from "../core/by_need.ts";
import * as everythingMore from "../core/more.ts";
import * as everyPart from "./composed_parts.ts";
import { parts } from "./plain.ts";

more.provide(everythingMore);
parts.provide(everyPart);
