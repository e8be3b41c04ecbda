/**
 * What the tests of the plugin contract share: a training gone through to its end.
 *
 * @module
 */

import {
  type Checkpoint,
  decodeCheckpoint,
  type EndEvent,
  type EpochEvent,
  type Training,
  type TrainingEvent,
} from "../../mod.ts";

/** What a training leaves. */
export interface Outcome {
  readonly events: readonly TrainingEvent[];
  readonly epochs: readonly EpochEvent[];
  readonly end: EndEvent;
  /** The checkpoint. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Goes through a training to its end.
 *
 * @param begin Starts it, to be aborted by the signal.
 * @param stops Whether an event, which is the `number`th, aborts it.
 */
export async function outcomeOf(
  begin: (signal: AbortSignal) => Training<object>,
  stops: (event: TrainingEvent, number: number) => boolean,
): Promise<Outcome> {
  const controller = new AbortController();
  const training = begin(controller.signal);
  const events: TrainingEvent[] = [];
  for await (const event of training) if (stops(event, events.push(event))) controller.abort();
  const bytes = await training.trained.toBytes();
  training.trained.destroy();
  const epochs = events.filter((event) => event.event === "epoch");
  return { events, epochs, end: events.at(-1) as EndEvent, bytes };
}

/** The checkpoint. */
export const checkpointOf = ({ bytes }: Outcome): Checkpoint => decodeCheckpoint(bytes, "checkpoint");
