/**
 * Models that are named on the command line: one of `models/`, or a module of somebody else's. This is the one place that loads code
 * by a name, and the name must come from the command line: never from a run folder or a file.
 *
 * @module
 */

import type { Model } from "../../core/model.ts";
import { models } from "../../models/mod.ts";
import { fileURLToPath, pathToFileURL } from "node:url";
import { UsageError } from "./flags.ts";
import { nearestOf } from "./nearest.ts";

/** A model, and the module that it came from where it is not one of `models/`. */
export interface NamedModel {
  readonly model: Model;
  /** A URL: `file:///home/me/my_vae.ts`, `jsr:@me/my-vae`. */
  readonly module?: string;
}

/** The models of `models/`. */
export const builtIn: readonly NamedModel[] = [...models.values()].map((model) => ({ model }));

/**
 * `vae`, `./my_vae.ts`, `file:///home/me/my_vae.ts`, `jsr:@me/my-vae`: what has a scheme, a slash or a file extension is a module. Its
 * default export is the model, or the one export that has a model's shape.
 *
 * @param name What `--model` says.
 * @throws {UsageError} If there is no such model, or the module is from elsewhere than a file or JSR.
 * @throws {Error} If the module cannot be loaded or holds no model.
 */
export async function findNamedModel(name: string): Promise<NamedModel> {
  const model = models.get(name);
  if (model) return { model };
  if (!namesModule(name)) {
    const known = [...models.keys()];
    throw new UsageError(
      `Cannot find a model "${name}": ${nearestOf(name, known)}; ` +
        "a module of your own is a path, such as ./my_vae.ts",
    );
  }
  const { module, exports } = await loadModule(name, "model");
  const own = onlyModel(exports, name);
  if (models.has(own.name)) {
    // Its runs would be opened with the built-in one.
    throw new Error(
      `Cannot load the model "${name}": expected a name of its own, found "${own.name}", a built-in model`,
    );
  }
  return { model: own, module };
}

/** Whether a name is that of a module: it has a scheme, a slash or a file extension. */
export function namesModule(name: string): boolean {
  return /[:/\\]|\.[cm]?[jt]s$/.test(name);
}

/** What a module may be for, and how such a one may be called. */
const EXAMPLES = { model: "my_vae", tracker: "mine" } as const;

/**
 * Loads a module that was named on the command line.
 *
 * @throws {UsageError} If it is from elsewhere than a file or JSR, or there is no such file.
 * @throws {Error} If it cannot be loaded.
 */
export async function loadModule(
  name: string,
  what: keyof typeof EXAMPLES,
): Promise<{ readonly module: string; readonly exports: Record<string, unknown> }> {
  const module = addressOf(name, what);
  if (module.startsWith("file:") && !await isFile(new URL(module))) {
    throw new UsageError(`Cannot load the ${what} "${name}": there is no file ${fileURLToPath(module)}`);
  }
  try {
    return { module, exports: await import(module) };
  } catch (cause) {
    throw new Error(`Cannot load the ${what} "${name}": ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

/** The URL of a module: of a file on this machine, or of a package of JSR. */
function addressOf(name: string, what: keyof typeof EXAMPLES): string {
  const scheme = /^[a-z][a-z\d+.-]+:/i.exec(name)?.[0];
  if (scheme?.toLowerCase() === "jsr:") return name;
  const isFile = scheme === undefined || scheme.toLowerCase() === "file:";
  const url = !isFile ? undefined : scheme ? URL.parse(name) : pathToFileURL(name);
  if (url?.host === "") return url.href;
  const example = EXAMPLES[what];
  throw new UsageError(
    `Cannot load the ${what} "${name}": expected a file, as ./${example}.ts, or a package of JSR, as jsr:@me/${
      example.replace("_", "-")
    }, found ${isFile ? "a file of another machine" : `an address that begins with ${scheme}`}`,
  );
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
