/**
 * The numbers of an epoch as trackers have them.
 *
 * @module
 */

import type { EpochEvent } from "../core/training/events.ts";

/** The numbers of an epoch by tag. */
export function scalarsOf(event: EpochEvent): [tag: string, value: number][] {
  const losses = (["train", "validation"] as const).flatMap((part) =>
    Object.entries(event[part] ?? {}).map(([name, value]) => [`${part}/${name}`, value as number] as [string, number])
  );
  const others = { samplesPerSecond: event.samplesPerSecond, ssim: event.ssim, ...event.measures };
  const latents = event.latents ? [["latents/active", event.latents.active] as [string, number]] : [];
  return [
    ...losses,
    ...latents,
    ...Object.entries(others).filter((each): each is [string, number] => typeof each[1] === "number"),
  ];
}
