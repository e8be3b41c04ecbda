/**
 * What a tracker elsewhere is told of a run. The run folder has it all, so that nothing is lost while the tracker is away: a small file
 * beside says how much has been sent, and the rest is sent later.
 *
 * @module
 */

import { FileError } from "../core/bounds.ts";
import { fields, parseJson, text, whole } from "../core/json.ts";
import type { EndEvent, EpochEvent } from "../core/training/events.ts";
import { readIfThere } from "../storage/read.ts";
import { join, readConfig, readMetrics, type RunConfig } from "../storage/run_folder.ts";
import { writeText } from "../storage/write.ts";

/** What a tracker is sent: an epoch, or the end. */
export type LoggedEvent = EpochEvent | EndEvent;

/** A run as it is begun at a tracker. */
export interface LoggedRun {
  readonly folder: string;
  readonly config: Partial<RunConfig>;
}

/** A run's name elsewhere: its folder's. */
export function nameOf({ folder }: LoggedRun): string {
  return folder.replace(/.*\//, "");
}

/** Everything that a run was told, in one. */
export function settingsOf({ config: { model, dataset, adapter, parameters, config } }: LoggedRun): object {
  return { model, dataset, adapter, parameters, ...config };
}

/** A tracker elsewhere. */
export interface Destination {
  /** Its name, by which the run folder remembers what it was sent. */
  readonly name: string;
  /** Whether it is told the whole run at first in each process, and again after a failure, until the end has arrived. */
  readonly whole?: boolean;
  /** Begins a run there, and gives the name that it has there. */
  begin(run: LoggedRun): Promise<string>;
  /** Takes events in their order; one that was sent before may come again. */
  log(id: string, events: readonly LoggedEvent[], run: LoggedRun): Promise<void>;
  /** Sends what it still holds. */
  close?(): Promise<void>;
}

/** How much of a run a tracker has: by what the events say, since one that is gone on with loses the end that it had. */
interface Sent {
  readonly id: string;
  /** The last epoch. */
  readonly epoch: number;
  /** The step of the last end. */
  readonly ended: number;
}

const number = whole(0, Number.MAX_SAFE_INTEGER);
const sentFields = fields({ id: text, epoch: number, ended: number });

/** Events sent at a time. */
const SOME = 100;

/** Sends what a run folder holds, one thing at a time. */
export class Outbox {
  #sending: Promise<void> | undefined;
  #again = false;
  #begun = false;
  /** Why the last sending failed. */
  failure: Error | undefined;

  /** @param folder The run folder. */
  constructor(readonly folder: string, readonly destination: Destination) {}

  get #file(): string {
    return join(this.folder, `log-${this.destination.name}.json`);
  }

  async #sent(): Promise<Sent | undefined> {
    const bytes = await readIfThere(this.#file);
    if (bytes === undefined) return undefined;
    const sent = parseJson(bytes, this.#file);
    const wrong = sentFields(sent, "what was sent");
    if (wrong) throw new FileError(this.#file, wrong);
    return sent as Sent;
  }

  /** Sends what there is beside whatever else goes on. It never fails: what was not sent is sent the next time. */
  post(): void {
    this.#again = true;
    this.#sending ??= (async () => {
      while (this.#again) {
        this.#again = false;
        await this.send().then(() => this.failure = undefined, (error) => this.failure = error as Error);
      }
      this.#sending = undefined;
    })();
  }

  /**
   * Sends all that was not sent.
   *
   * @throws {Error} If the tracker cannot be reached or refuses.
   */
  async send(): Promise<void> {
    const events = await readMetrics(this.folder);
    const run = { folder: this.folder, config: await readConfig(this.folder) ?? {} };
    let sent = await this.#sent();
    if (!sent) await this.#keep(sent = { id: await this.destination.begin(run), epoch: 0, ended: 0 });
    const last = events.at(-1);
    const arrived = last?.event === "end" && last.step <= sent.ended;
    const anew = this.destination.whole && !this.#begun && !arrived;
    this.#begun = false;
    const { id, epoch, ended } = anew ? { ...sent, epoch: 0, ended: 0 } : sent;
    const left = events.filter((event) => event.event === "epoch" ? event.epoch > epoch : event.step > ended);
    for (let i = 0; i < left.length; i += SOME) {
      const some = left.slice(i, i + SOME);
      await this.destination.log(id, some, run);
      for (const event of some) {
        sent = event.event === "epoch" ? { ...sent, epoch: event.epoch } : { ...sent, ended: event.step };
      }
      await this.#keep(sent);
    }
    this.#begun = true;
  }

  async #keep(sent: Sent): Promise<void> {
    await writeText(this.#file, JSON.stringify(sent) + "\n");
  }

  /** Waits until all is sent, so many milliseconds at most. */
  async settled(milliseconds: number): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, milliseconds));
    while (this.#sending && timer !== undefined) {
      const sending = this.#sending.then(() => true);
      if (await Promise.race([sending, late.then(() => false)]) === false) break;
    }
    clearTimeout(timer);
    return !this.#sending && !this.failure;
  }
}
