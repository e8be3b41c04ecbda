/**
 * Weights from PyTorch: which tensor of a file is which of a model's, by its name or else by its shape, and how it lies here.
 *
 * @module
 */

import { FileError } from "../core/bounds.ts";
import type { NamedTensors } from "../core/graph/parameters.ts";
import { type CheckpointTensor, decodeSafetensors, type ElementType } from "../core/training/safetensors.ts";
import type { Trained } from "../core/training/trained.ts";
import { graphsOf } from "./graphs.ts";
import { type Laid, modulesOf, pythonName } from "./torch.ts";

/** Types of element that PyTorch has beside float32. */
const TYPES: Readonly<Record<string, ElementType>> = {
  F64: { bytes: 8, read: (buffer) => Float32Array.from(new Float64Array(buffer)) },
  F16: { bytes: 2, read: (buffer) => Float32Array.from(new Float16Array(buffer)) },
  BF16: {
    bytes: 2,
    read: (buffer) => new Float32Array(Uint32Array.from(new Uint16Array(buffer), (x) => x << 16).buffer),
  },
  I64: { bytes: 8, read: (buffer) => Float32Array.from(new BigInt64Array(buffer), Number) },
};

/** The file's tensors, as floats, and what it says of itself. */
export function readWeights(bytes: Uint8Array, file: string) {
  const { tensors, metadata } = decodeSafetensors(bytes, file, TYPES);
  return { tensors, metadata };
}

/** Where a tensor of the model comes from. */
export interface Assignment {
  /** Of the model: `encoder.0.weight`. */
  readonly target: string;
  /** Its shape in PyTorch. */
  readonly shape: readonly number[];
  /** Tensors of the file, whose first axes are joined; none for zeros. */
  readonly from: readonly string[];
  /** How it was found. */
  readonly by: "name" | "shape" | "zeros" | "given";
}

/** What is wanted of a model, in PyTorch's layout. */
interface Wanted extends Laid {
  /** `encoder_0` */
  readonly module: string;
  /** `weight` */
  readonly part: string;
  /** Its shape in PyTorch. */
  readonly there: readonly number[];
}

function wantedOf(trained: Trained): readonly Wanted[] {
  return [...modulesOf(trained.parameters, graphsOf(trained))].flatMap(([name, { tensors }]) =>
    Object.entries(tensors).map(([part, laid]) => {
      const size = laid.shape.reduce((product, each) => product * each, 1);
      const { shape: there } = laid.out({ shape: laid.shape, data: new Float32Array(size) });
      return { ...laid, module: pythonName(name), part, there };
    })
  );
}

/** A name without its dots and what wrappers put before it. */
const plain = (name: string) =>
  name.replace(/^(?:(?:module|model|vae|net|state_dict|layers)\.)+/, "").replaceAll(/\W/g, "_");

/** `a.weight` as `a` and `weight`. */
function split(name: string): readonly [module: string, part: string] {
  const dot = name.lastIndexOf(".");
  return [name.slice(0, Math.max(dot, 0)), name.slice(dot + 1)];
}

/** Words of a mean and of a log-variance; the encoder's and the decoder's. */
const [MEAN, DEVIATION] = [/(?:^|[^a-z])(?:mu|mean|loc)|mu$|21$/i, /log|var|sigma|std|scale|22$/i];
const [ENCODER, DECODER] = [/^enc|^q_|inference/i, /^dec|^p_|generat/i];

/** Names in the order of people: fc2 before fc10. */
const natural = new Intl.Collator("en", { numeric: true }).compare;

/**
 * Finds where each tensor of a model is in a file: by its name, as exports have it, or by the shape of a module that nothing else fits.
 *
 * @param given Names of the file by those of the model, of tensors (`encoder.0.weight`) or of modules (`encoder.0`); several are joined.
 * @throws {FileError} If one is not found, or several fit.
 */
export function matchNames(
  trained: Trained,
  tensors: ReadonlyMap<string, CheckpointTensor>,
  file: string,
  given: Readonly<Record<string, string | readonly string[]>> = {},
): readonly Assignment[] {
  const fail = (message: string): never => {
    throw new FileError(file, message, { verb: "import" });
  };
  const wanted = wantedOf(trained);
  const shapeOf = (name: string) => tensors.get(name)!.shape;
  const known = new Set(wanted.flatMap(({ target }) => [target, target.replace(/\.[^.]+$/, "")]));
  for (const name of Object.keys(given)) {
    if (!known.has(name)) {
      fail(`expected names of ${trained.model.name}'s tensors, such as ${wanted[0].target}, found "${name}"`);
    }
  }
  const taken = new Set<string>();
  const found = new Map<Wanted, Assignment>();
  const take = (want: Wanted, from: readonly string[], by: Assignment["by"]) => {
    const shapes = from.map(shapeOf);
    const [first] = shapes;
    const joined = first && [shapes.reduce((sum, [rows]) => sum + rows, 0), ...first.slice(1)];
    if (first && joined!.join() !== want.there.join()) {
      fail(
        `expected ${want.target} of [${want.there}] in PyTorch's order, found [${joined}] (${from.join(", ")}); ` +
          "are the model's settings those that it was trained with?",
      );
    }
    from.forEach((name) => taken.add(name));
    found.set(want, { target: want.target, shape: want.there, from, by });
  };
  // What is given, and what has its name.
  for (const want of wanted) {
    const whole = given[want.target];
    const module = given[split(want.target)[0]];
    const names = whole !== undefined
      ? [whole].flat()
      : module !== undefined
      ? [module].flat().map((name) => `${name}.${want.part}`)
      : undefined;
    if (!names) continue;
    const missing = names.find((name) => !tensors.has(name));
    if (missing !== undefined && want.part !== "bias") {
      fail(`expected a tensor "${missing}", as --names says, found none`);
    }
    take(want, missing === undefined ? names : [], missing === undefined ? "given" : "zeros");
  }
  const names = [...tensors.keys()].filter((name) => !/(?:^|\.)(?:mask|num_batches_tracked)$/.test(name)).sort(natural);
  for (const want of wanted) {
    if (found.has(want)) continue;
    const same = names.filter((name) => [`${want.module}_${want.part}`, plain(want.target)].includes(plain(name)));
    if (same.length === 1 && shapeOf(same[0]).join() === want.there.join()) take(want, same, "name");
  }
  // The others by the shape of their weights; a bias goes with its weight.
  const free = () => {
    const modules = names.filter((name) => !taken.has(name)).map((name) => split(name)).filter(([, part]) =>
      part === "weight"
    );
    return modules.map(([module]) => module);
  };
  const weighs = (module: string, shape: readonly number[]) => shapeOf(`${module}.weight`).join() === shape.join();
  const side = (want: Wanted, modules: readonly string[]) => {
    const isEncoder = /^(?:encoder|trunk|posterior|flow)/.test(want.module);
    const isDecoder = /^(?:decoder|likelihood|scale|mixture)/.test(want.module);
    const other = isEncoder ? DECODER : isDecoder ? ENCODER : undefined;
    return other ? modules.filter((module) => !other.test(plain(module))) : modules;
  };
  const takeModules = (want: Wanted, modules: readonly string[]) => {
    take(want, modules.map((module) => `${module}.weight`), "shape");
    for (const rest of wanted) {
      if (rest.module !== want.module || rest === want || found.has(rest)) continue;
      const from = modules.map((module) => `${module}.${rest.part}`);
      const all = from.every((name) => tensors.has(name));
      if (!all && rest.part !== "bias") {
        fail(`expected a tensor "${from.find((name) => !tensors.has(name))}", found none`);
      }
      take(rest, all ? from : [], all ? "shape" : "zeros");
    }
  };
  for (const want of wanted) {
    if (found.has(want) || want.part !== "weight") continue;
    const fits = side(want, free()).filter((module) => weighs(module, want.there));
    const alike = wanted.filter((each) =>
      each.part === "weight" && !found.has(each) && each.there.join() === want.there.join()
    );
    if (fits.length === 1 && alike.length === 1) {
      takeModules(want, fits);
      continue;
    }
    // As many as are wanted, in order.
    if (fits.length > 1 && fits.length === alike.length) {
      takeModules(want, [fits[0]]);
      continue;
    }
    // A mean and a log-variance by themselves.
    const [rows, ...others] = want.there;
    const halves = rows % 2 ? [] : side(want, free()).filter((module) => weighs(module, [rows / 2, ...others]));
    const [means, deviations] = [MEAN, DEVIATION].map((words) =>
      halves.filter((name) => words.test(name.replace(/.*\./, "")))
    );
    const mean = means.filter((name) => !deviations.includes(name) || halves.length === 2);
    if (fits.length === 0 && /posterior/.test(want.module)) {
      if (mean.length === 1 && deviations.length === 1 && mean[0] !== deviations[0]) {
        takeModules(want, [mean[0], deviations[0]]);
        continue;
      }
    }
    const candidates = fits.length ? fits : halves;
    const there = free().map((module) => `${module}.weight [${shapeOf(`${module}.weight`)}]`).join(", ");
    const example = JSON.stringify({ [split(want.target)[0]]: candidates[0] });
    fail(
      `expected ${want.target} of [${want.there}] in PyTorch's order, found ${
        candidates.length
          ? `several that fit: ${candidates.join(", ")}; say which by --names, a file with ${example}`
          : `${there || "none"}; are the model's settings those that it was trained with?`
      }`,
    );
  }
  for (const want of wanted) {
    if (found.has(want)) continue;
    const loose = names.filter((name) => !taken.has(name) && shapeOf(name).join() === want.there.join());
    if (loose.length === 1) take(want, loose, "shape");
    else fail(`expected ${want.target} of [${want.there}], found ${loose.length ? loose.join(", ") : "none"}`);
  }
  return wanted.map((want) => found.get(want)!);
}

/** The tensors of the file that no assignment takes. */
export function leftOver(
  tensors: ReadonlyMap<string, CheckpointTensor>,
  assignments: readonly Assignment[],
): readonly string[] {
  const taken = new Set(assignments.flatMap(({ from }) => from));
  return [...tensors.keys()].filter((name) => !taken.has(name) && !/(?:^|\.)(?:mask|num_batches_tracked)$/.test(name));
}

/** The tensors of a checkpoint, out of those of the file. */
export function takeTensors(
  trained: Trained,
  tensors: ReadonlyMap<string, CheckpointTensor>,
  assignments: readonly Assignment[],
): NamedTensors {
  const wanted = new Map(wantedOf(trained).map((want) => [want.target, want]));
  return new Map(assignments.map(({ target, from }) => {
    const { there, shape, back } = wanted.get(target)!;
    const size = there.reduce((product, each) => product * each, 1);
    const data = new Float32Array(size);
    let at = 0;
    for (const name of from) {
      const values = tensors.get(name)!.data;
      data.set(values, at);
      at += values.length;
    }
    return [target, { shape, data: back({ shape: there, data }).data }];
  }));
}
