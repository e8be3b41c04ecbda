/**
 * The graphs of a trained model: what its encoder, decoder and prior compute, recorded on a tape as for their own runs and read from it. So
 * every model that is made of ops which say their formulas can be exported, one of the user's own too.
 *
 * @module
 */

import type { Condition } from "../core/model.ts";
import { conditionColumns } from "../core/training/batch.ts";
import type { Posterior } from "../core/distributions/distribution.ts";
import type { Formula } from "../core/graph/formula.ts";
import { createState } from "../core/graph/program.ts";
import { Tape, type Variable } from "../core/graph/tape.ts";
import type { Trained } from "../core/training/trained.ts";
import type { Expression } from "./expression.ts";
import { ExportError, Recorded } from "./formulas.ts";

/** Rows of the tape that is recorded on; any number but one. */
export const ROWS = 16;

/** One of a model's functions. */
export interface Graph {
  /** What it is given, each [N, columns]. */
  readonly inputs: Readonly<Record<string, number>>;
  /** What it gives, each [N, columns]. */
  readonly outputs: Readonly<Record<string, Expression>>;
}

/** What can be exported of a model. */
export interface Graphs {
  /** From x (and condition) to mean and logVariance, or to mean alone, or to codes and the mean that they stand for. */
  readonly encoder?: Graph;
  /** From z (and condition) to the mean of p(x | z). */
  readonly decoder?: Graph;
  /** From noise [N, K + 1] (and condition) to z, where p(z) is learned. */
  readonly prior?: Graph;
  /** From x (and condition) to nll and kl of each row, with a draw of z. */
  readonly elbo?: Graph;
  /** What is not among them, and why. */
  readonly missing: Readonly<Record<string, string>>;
  /** K */
  readonly latents: number;
  /** Columns of the condition, where there is one. */
  readonly condition?: { readonly kind: Condition; readonly columns: number };
}

/**
 * Reads the graphs of a model.
 *
 * @throws {ExportError} If it neither encodes nor decodes by what can be exported.
 */
export function graphsOf(trained: Trained): Graphs {
  const { model, config, parameters: p, data, gpu, tiles, features } = trained;
  const kind = model.condition?.(config);
  const condition = kind && { kind, columns: conditionColumns(kind, data) };
  const latents = model.latents?.(config, data) ?? 0;
  const missing: Record<string, string> = {};
  const graph = (
    name: string,
    input: readonly [name: string, columns: number],
    record: (f: Recorded, t: Tape, x: Variable, condition?: Variable) => Readonly<Record<string, Formula>>,
  ): Graph | undefined => {
    const state = createState(gpu);
    const tape = new Tape(gpu, ROWS, tiles, state);
    try {
      const recorded = new Recorded(`the ${name} of "${model.name}"`, trained.progress.step);
      const x = tape.variable(...input);
      recorded.input(x, input[0]);
      const given = condition && tape.variable("condition", condition.columns);
      if (given) recorded.input(given, "condition");
      const outputs = Object.entries(record(recorded, tape, x, given)).map(([name, output]) =>
        [name, recorded.expression(output)] as const
      );
      return {
        inputs: { [input[0]]: input[1], ...condition ? { condition: condition.columns } : {} },
        outputs: Object.fromEntries(outputs),
      };
    } catch (error) {
      if (!(error instanceof ExportError || error instanceof TypeError)) throw error;
      missing[name] = error.message;
      return undefined;
    } finally {
      tape.destroy();
      state.destroy();
    }
  };
  const { encode, decode, codes, density } = model;
  const encoder = encode && graph("encoder", ["x", features], (f, t, x, condition) => ({
    ...marginals(f, encode(t, p, x, config, condition)),
    ...codes ? { codes: f.of(codes.record(t, p, x, config)) } : {},
  }));
  const decoder = decode && latents > 0
    ? graph(
      "decoder",
      ["z", latents],
      (f, t, z, condition) => ({ mean: f.of(decode(t, p, z, config, condition).mean()) }),
    )
    : undefined;
  const recordPrior = model.prior?.(config);
  const prior = recordPrior && graph("prior", ["noise", latents + 1], (f, t, noise, condition) => ({
    z: f.of(recordPrior(t, p, noise, condition)),
  }));
  const elbo = encode && decode && density !== "none"
    ? graph("elbo", ["x", features], (f, t, x, condition) => {
      const { z, kl } = encode(t, p, x, config, condition).draw();
      return { nll: f.of(decode(t, p, z, config, condition).nll(x)), kl: f.of(kl) };
    })
    : undefined;
  if (model.drawPrior) missing.prior = `the prior of "${model.name}" is drawn step by step`;
  if (!encoder && !decoder) {
    throw new ExportError(
      Object.values(missing)[0] ?? `Cannot export "${model.name}": it has neither an encoder nor a decoder`,
    );
  }
  return { encoder, decoder, prior, elbo, missing, latents, ...condition ? { condition } : {} };
}

/** Mean and log-variance of each latent dimension by itself, as `marginals` of core/distributions/encoded.ts has them. */
function marginals(f: Recorded, { statistics, latents, covariance }: Posterior): Readonly<Record<string, Formula>> {
  const given = f.of(statistics);
  const mean = f.columns(given, 0, latents);
  if (given.columns === latents) return { mean };
  const l = f.columns(given, latents, latents);
  if (!covariance) return { mean, logVariance: l };
  const logVariance = f.elementwise("clamp(l, -30, 20)", { l });
  if (covariance === "diagonal" || latents === 1) return { mean, logVariance };
  const below = Array.from({ length: latents - 1 }, (_, i) => {
    const row = f.columns(given, 2 * latents + i * (i + 1) / 2, i + 1);
    return f.sum(f.elementwise("a * a", { a: row }));
  });
  const first = f.columns(logVariance, 0, 1);
  const rest = f.elementwise("log(exp(l) + s)", { l: f.columns(logVariance, 1, latents - 1), s: f.concat(below) });
  return { mean, logVariance: f.concat([first, rest]) };
}
