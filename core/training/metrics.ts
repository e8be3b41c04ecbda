/**
 * The text of a run's `metrics.jsonl`: an event of its training in each line. Who has the text, from a folder or from a server, is the
 * business of others.
 *
 * @module
 */

import { FileError } from "../bounds.ts";
import { type Check, fields, flag, listOf, measure, oneOf, optional, parseJson, recordOf, whole } from "../json.ts";
import type { EndEvent, EpochEvent, TrainingEvent } from "./events.ts";

const counted = whole(0, 2 ** 32 - 1);

/** The terms that every model has, and others. */
export const lossesCheck: Check = (value, name) =>
  recordOf(measure)(value, name) ?? fields({ elbo: measure, nll: measure, kl: measure, loss: measure })(value, name);

const bestCheck = fields({ epoch: counted, step: counted, loss: measure });

/** A line of `metrics.jsonl`. */
const eventCheck: Check = (value, name) =>
  fields({ event: oneOf("epoch", "end") })(value, name) ?? fields({
    ...(value as TrainingEvent).event === "epoch"
      ? { epoch: counted }
      : { epochs: counted, stopped: flag, early: optional(flag), best: optional(bestCheck) },
    step: counted,
    train: lossesCheck,
    validation: optional(lossesCheck),
    latents: optional(fields({ kl: listOf(measure), active: counted, of: counted })),
    ssim: optional(measure),
    measures: optional(recordOf(measure)),
    samplesPerSecond: measure,
    seconds: measure,
  })(value, name);

/**
 * The events of the whole lines of a text: a last one without an end was cut short, as by a kill.
 *
 * @throws {FileError} If a line is no such event; the message names it.
 */
export function parseMetrics(text: string, file: string): (EpochEvent | EndEvent)[] {
  return text.split("\n").slice(0, -1).map((line, i) => {
    const event = parseJson(line, file, `an event in JSON in line ${i + 1}`);
    const wrong = eventCheck(event, "the event");
    if (wrong) throw new FileError(file, `${wrong}, in line ${i + 1}`);
    return event as EpochEvent | EndEvent;
  });
}
