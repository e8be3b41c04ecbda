/**
 * A training as a command line.
 *
 * @module
 */

import type { ModelInfo } from "../engine.ts";

/**
 * The command that repeats the training of a model: what was chosen, as flags. A training that was ended early, or goes on, is repeated for as
 * many epochs as it has had. Undefined where it is not known what was chosen.
 */
export function commandOf(
  { model, chosen, training, data, step, can }: Pick<
    ModelInfo,
    "model" | "chosen" | "training" | "data" | "step" | "can"
  >,
): string | undefined {
  if (!chosen) return undefined;
  const done = Math.ceil(step * Number(training.batchSize) / data.count);
  const epochs = can.train && done > 0 && done < Number(training.epochs) ? { epochs: done } : {};
  const settings: Readonly<Record<string, unknown>> = {
    ...chosen,
    ...epochs,
  };
  const flags = Object.entries(settings).map(([name, value]) => {
    const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (typeof value === "boolean") return value ? `--${flag}` : `--no-${flag}`;
    return `--${flag} ${Array.isArray(value) ? value.join(",") : value}`;
  });
  const quoted = /^[\w./:-]+$/.test(data.name) ? data.name : `'${data.name.replaceAll("'", "'\\''")}'`;
  return ["deno task train", `--model ${model}`, `--dataset ${quoted}`, ...flags].join(" ");
}
