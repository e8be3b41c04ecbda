/**
 * An engine whose few points at a time are decoded right here, in the thread that draws them, by a copy of the decoder's weights: the point
 * under a pointer neither waits for the steps of a training nor is sent anywhere. It suits dense decoders; everything else is left to the
 * engine.
 *
 * While a model trains, the copy is as old as {@linkcode RENEWED} at most; where the training rests, it is exact or there is none.
 *
 * @module
 */

import { decodeCheckpoint } from "../core/training/checkpoint.ts";
import { DenseNetworks } from "./dense.ts";
import type { Engine, EngineEvent } from "./engine.ts";

/** Milliseconds after which a training's weights are copied anew. */
const RENEWED = 500;
/** Multiply-adds that are done here at most: about 10 ms. */
const MOST_MACS = 8e6;

/** Events after which the weights are others, or stay as they are. */
const ANEW: readonly EngineEvent["event"][] = ["start", "paused", "end", "failed"];

/** Wraps an engine that is elsewhere. */
export function decodesPointsHere(engine: Engine): Engine {
  let networks: DenseNetworks | undefined;
  let macs = 0;
  /** Counts the models and the rests of trainings: a copy that was on its way through one of them is no longer right. */
  let age = 0;
  let copied = 0;
  let copying = false;

  const take = (bytes: Uint8Array<ArrayBuffer>) => {
    networks = undefined;
    try {
      networks = new DenseNetworks(decodeCheckpoint(bytes, "the model"));
      macs = networks.decoderMacs;
    } catch {
      // It is decoded by the engine.
    }
  };
  const forget = () => {
    networks = undefined;
    age++;
  };
  const renew = async () => {
    if (copying) return;
    copying = true;
    const begun = age;
    try {
      const bytes = await engine.save({ optimizer: false });
      if (begun === age) take(bytes);
    } catch {
      // It has no weights, or ended: the engine says so to whoever asks it.
    } finally {
      copied = performance.now();
      copying = false;
    }
    if (begun !== age) await renew();
  };
  engine.onEvent(({ event }) => {
    if (event === "progress" && performance.now() - copied > RENEWED) void renew();
    if (!ANEW.includes(event)) return;
    forget();
    void renew();
  });

  return {
    ...engine,
    async open(bytes) {
      const info = await engine.open(bytes);
      age++;
      take(bytes);
      return info;
    },
    async train(request) {
      forget();
      return await engine.train(request);
    },
    async decode(z, labels) {
      const rows = networks ? z.length / networks.latents : 0;
      return networks && rows * macs <= MOST_MACS ? networks.decode(z, labels) : await engine.decode(z, labels);
    },
  };
}
