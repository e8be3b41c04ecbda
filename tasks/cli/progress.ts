/**
 * Shows a training's events: one line an epoch, and on a screen below them one that is drawn again and again; with `--json` the events
 * themselves.
 *
 * @module
 */

import { plural } from "../../core/plural.ts";
import type { LoadProgress } from "../../core/dataset.ts";
import type { LatentUse } from "../../core/distributions/encoded.ts";
import type {
  EndEvent,
  EpochEvent,
  Losses,
  ProgressEvent,
  StartEvent,
  TrainingEvent,
} from "../../core/training/events.ts";
import { collapseWarning } from "../../core/training/caveats.ts";
import type { Context } from "./run.ts";
import { type StatusLine, statusLine, type Terminal } from "./terminal.ts";

/** What {@linkcode trainingProgress} returns. */
export interface Progress extends Omit<StatusLine, "draw"> {
  /** Shows one event. Properties that a task adds to an event appear in its JSON. */
  show(event: TrainingEvent): void;
}

/**
 * ```ts ignore
 * using progress = trainingProgress(context);
 * for await (const event of train(model, dataset, config)) progress.show(event);
 * ```
 */
export function trainingProgress(context: Context): Progress {
  const { terminal, json } = context;
  let start: StartEvent | undefined;
  let validation: Losses | undefined;
  let latents: LatentUse | undefined;
  const { draw, ...line } = statusLine(terminal);

  const warn = (use: LatentUse) => {
    const warning = collapseWarning(use);
    if (warning) context.print(warning);
  };

  return {
    show(event) {
      // progress is for looking at: as a log it would be long and say no more than the epochs do
      if (json) return event.event === "progress" ? undefined : context.emit(event);
      switch (event.event) {
        case "start":
          start = event;
          return context.print(startLine(event));
        case "progress":
          if (terminal.interactive) draw(progressLine(event, terminal.columns() - 1, start, validation));
          return;
        case "epoch":
          validation = event.validation;
          latents = event.latents;
          line.clear();
          return context.print(epochLine(event, terminal.interactive ? terminal.columns() : Infinity, start?.epochs));
        case "end":
          line.clear();
          context.print(endLine(event, start?.epochs));
          return latents && warn(latents);
      }
    },
    ...line,
  };
}

/** Draws how far the loading of data is, on a screen; nothing for what takes less than half a second. */
export function loadingProgress(terminal: Terminal): Omit<StatusLine, "draw"> & {
  readonly show: (progress: LoadProgress) => void;
} {
  const { draw, ...line } = statusLine(terminal);
  const began = performance.now();
  let drawn = began + 400;
  return {
    show({ what, done, of }) {
      const now = performance.now();
      if (!terminal.interactive || now < drawn + 100) return;
      drawn = now;
      const left = duration((now - began) / 1000 * (of - done) / done);
      draw(
        withBar(
          [`reading ${what}`, `${count(done)}/${count(of)}`, `${left} left`],
          1,
          done / of,
          terminal.columns() - 1,
        ),
      );
    },
    ...line,
  };
}

/** Prints what the library warns of; a line that may be drawn at the time is drawn again below it. */
export function warner({ terminal, json, print }: Context): (warning: string) => void {
  return (warning) => {
    if (terminal.interactive && !json) terminal.write("\r\x1b[K");
    print(`Warning: ${warning}`);
  };
}

function startLine(event: StartEvent): string {
  const resumed = event.step > 0 ? `, from step ${count(event.step)}` : "";
  return `${event.model} on ${event.dataset}: ${plural(event.parameters, "parameter")}, ` +
    `${plural(event.stepsPerEpoch, "step")} an epoch${resumed}; adapter: ${event.adapter}`;
}

/** `epoch 3/10  ██████░░░░  34%  elbo -102.31 (validation -103.20)  4,512 samples/s  1:05 left`, as far as it fits. */
export function progressLine(event: ProgressEvent, columns: number, start?: StartEvent, validation?: Losses): string {
  const epochs = start?.epochs;
  const done = event.steps > 0 ? Math.min(1, event.step / event.steps) : 0;
  const rate = (event.step - (start?.step ?? 0)) / event.seconds;
  const left = rate > 0 ? `${duration((event.steps - event.step) / rate)} left` : "";
  const epoch = Math.floor(event.epoch) + 1;
  const title = `epoch ${epochs ? `${Math.min(epoch, epochs)}/${epochs}` : epoch}`;
  const percent = `${String(Math.floor(done * 100)).padStart(2)}%`;
  const elbo = `elbo ${nats(event.train.elbo)}`;
  const checked = validation ? `${elbo} (validation ${nats(validation.elbo)})` : elbo;
  const speed = `${count(event.samplesPerSecond)} samples/s`;

  // the least needed goes first
  const layouts = [[title, percent, checked, speed, left], [title, percent, elbo, speed, left], [
    title,
    percent,
    elbo,
    left,
  ], [title, percent, elbo]]
    .map((parts) => parts.filter(Boolean));
  const width = (parts: readonly string[]) => parts.join("  ").length;
  const parts = layouts.find((parts) => width(parts) <= columns) ?? [title];
  return withBar(parts, 1, done, columns);
}

/** The parts of a line with a bar before the part `at`, where there is room for one. */
function withBar(parts: readonly string[], at: number, done: number, columns: number): string {
  const room = Math.min(30, columns - parts.join("  ").length - 2);
  const filled = Math.round(done * room);
  const bar = room >= 8 ? ["█".repeat(filled) + "░".repeat(room - filled)] : [];
  return parts.toSpliced(at, 0, ...bar).join("  ").slice(0, Math.max(0, columns));
}

/** All that is known of an epoch, or on a narrow screen as much of it as fits in one line. */
function epochLine(event: EpochEvent, columns: number, epochs?: number): string {
  const title = `epoch ${event.epoch}${epochs ? `/${epochs}` : ""}`;
  const { train, validation, latents, ssim } = event;
  const whole = [
    title,
    losses(train),
    validation ? `validation ${losses(validation)}` : "",
    latents ? `${latents.active}/${latents.of} latents` : "",
    ssim === undefined ? "" : `ssim ${ssim.toFixed(3)}`,
    `${count(event.samplesPerSecond)} samples/s`,
    duration(event.seconds),
  ];
  const brief = [title, `elbo ${nats(train.elbo)}`, validation ? `validation ${nats(validation.elbo)}` : ""];
  const layouts = [whole, whole.toSpliced(3, 3), [
    title,
    losses(train),
    validation ? `validation ${nats(validation.elbo)}` : "",
  ]]
    .map((parts) => parts.filter(Boolean).join("  "));
  return layouts.find((line) => line.length < columns) ?? brief.filter(Boolean).join("  ");
}

function endLine(event: EndEvent, epochs?: number): string {
  const what = event.stopped
    ? `Stopped in epoch ${event.epochs + 1}${epochs ? ` of ${epochs}` : ""}, at step ${count(event.step)}`
    : `${plural(event.epochs, "epoch")}, ${plural(event.step, "step")}${
      event.early ? ` (early: the validation loss was lowest after epoch ${event.best!.epoch})` : ""
    }`;
  const validation = event.validation ? `; validation ${losses(event.validation)}` : "";
  return `${what}, after ${duration(event.seconds)}: ${losses(event.train)}${validation}`;
}

/** Every term by name; the loss only where weights make it another number than -elbo. */
function losses(terms: Losses): string {
  const weighted = Math.abs(terms.loss + terms.elbo) > 1e-4 * Math.abs(terms.elbo);
  return Object.entries(terms)
    .filter(([name]) => name !== "loss" || weighted)
    .map(([name, value]) => `${name} ${nats(value)}`)
    .join(" ");
}

function nats(value: number): string {
  return value.toFixed(2);
}

function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** Seconds as `42 s`, `3:05` or `1:02:03`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const two = (value: number) => String(value).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
