/**
 * Models that are named on the command line: one of `models/`, or a module of somebody else's.
 *
 * @module
 */

import type { Model } from "../../core/model.ts";
import { models } from "../../models/mod.ts";
import { closestString } from "@std/text";
import { fileURLToPath, pathToFileURL } from "node:url";
import { UsageError } from "./flags.ts";

/** A model, and the module that it came from where it is not one of `models/`. */
export interface NamedModel {
  readonly model: Model;
  /** A URL: `file:///home/me/my_vae.ts`, `jsr:@me/my-vae`. */
  readonly module?: string;
}

/**
 * `vae`, `./my_vae.ts`, `jsr:@me/my-vae`, `https://...`: what has a scheme, a slash or a file extension is a module. Its
 * default export is the model, or the one export that has a model's shape.
 *
 * @throws {UsageError} If there is no such model.
 * @throws {Error} If the module cannot be loaded or holds no model.
 */
export async function findNamedModel(name: string): Promise<NamedModel> {
  const model = models.get(name);
  if (model) return { model };
  if (!/[:/\\]|\.[cm]?[jt]s$/.test(name)) {
    const known = [...models.keys()];
    throw new UsageError(
      `Cannot find a model "${name}": the nearest known one is ${closestString(name, known)} of ${known.join(", ")}; ` +
        "a module of your own is a path or URL, such as ./my_vae.ts",
    );
  }
  const module = /^[a-z][a-z+.-]+:/i.test(name) ? name : pathToFileURL(name).href;
  return { model: onlyModel(await load(name, module), name), module };
}

async function load(name: string, module: string): Promise<Record<string, unknown>> {
  if (module.startsWith("file:") && !await isFile(new URL(module))) {
    throw new UsageError(
      `Cannot load the model "${name}": there is no file ${fileURLToPath(module)}`,
    );
  }
  try {
    return await import(module);
  } catch (cause) {
    throw new Error(`Cannot load the model "${name}": ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

function isFile(url: URL): Promise<boolean> {
  return Deno.stat(url).then((info) => info.isFile, () => false);
}

function onlyModel(exports: Record<string, unknown>, name: string): Model {
  const { default: preferred, ...others } = exports;
  if (isModel(preferred)) return preferred;
  const found = Object.entries(others).filter(([, value]) => isModel(value));
  if (found.length === 1) return found[0][1] as Model;
  const what = found.length === 0
    ? `none; a model has a name, settings, parameters() and objectives(), the module exports ${
      Object.keys(exports).join(", ") || "nothing"
    }`
    : `${found.map(([key]) => key).join(", ")}; export the one meant as default`;
  throw new Error(`Cannot load the model "${name}": expected one export with a model's shape, found ${what}`);
}

function isModel(value: unknown): value is Model {
  if (typeof value !== "object" || value === null) return false;
  const { name, settings, parameters, objectives } = value as Record<string, unknown>;
  return typeof name === "string" && typeof settings === "object" && settings !== null &&
    typeof parameters === "function" && typeof objectives === "function";
}
