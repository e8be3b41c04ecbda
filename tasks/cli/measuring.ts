/**
 * One line on a screen that says how far a measurement has come.
 *
 * @module
 */

import type { LikelihoodProgress } from "../../evaluation/log_likelihood.ts";
import { duration } from "./progress.ts";
import type { Context } from "./run.ts";
import { type StatusLine, statusLine } from "./terminal.ts";

/** What {@linkcode measuringProgress} returns. */
export interface Measuring extends Omit<StatusLine, "draw"> {
  /** Draws the line; nothing in a pipe or with `--json`. */
  readonly show: (progress: Pick<LikelihoodProgress, "done"> & Partial<LikelihoodProgress>) => void;
}

/** `███████░░░░  64%  151,000 draws/s  1:05 left` */
export function measuringProgress({ terminal, json }: Context): Measuring {
  const { draw, ...line } = statusLine(terminal);
  return {
    show({ done, datumSamplesPerSecond, secondsLeft }) {
      if (json || !terminal.interactive) return;
      const filled = Math.round(20 * done);
      const parts = [
        "█".repeat(filled) + "░".repeat(20 - filled),
        `${Math.floor(100 * done)}%`,
        ...(datumSamplesPerSecond ? [`${Math.round(datumSamplesPerSecond).toLocaleString("en-US")} draws/s`] : []),
        ...(secondsLeft === undefined ? [] : [`${duration(secondsLeft)} left`]),
      ];
      draw(parts.join("  "));
    },
    ...line,
  };
}
