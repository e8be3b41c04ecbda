/**
 * Weights & Biases, by its own package, `npm:@wandb/sdk`: https://docs.wandb.ai/ref/js/
 *
 * The package works in a worker of its own (`wandb_worker.ts`). It keeps what it was told until it sends it, every 2 to 30 seconds and at
 * the end, and a run that another process goes on with begins anew at its first line. So each process tells it the whole run, and what was
 * told counts only once the end has arrived.
 *
 * @module
 */

import { readIfThere } from "../storage/read.ts";
import { join } from "../storage/run_folder.ts";
import { trackerAddress } from "./addresses.ts";
import { type Destination, type LoggedEvent, type LoggedRun, nameOf, settingsOf } from "./outbox.ts";
import { scalarsOf } from "./scalars.ts";
import type { Answer, Told } from "./wandb_worker.ts";

/** Milliseconds after which the package has failed: it may wait for two answers and sends what is left in a third. */
const PATIENCE = 20_000;

/**
 * The key of an account: `WANDB_API_KEY`, or what `wandb login` has left in the netrc file.
 *
 * @throws {TypeError} If there is none.
 */
export async function wandbKey(variable: (name: string) => string | undefined): Promise<string> {
  const { hostname } = trackerAddress("wandb", variable);
  const given = variable("WANDB_API_KEY");
  if (given) return given;
  const home = variable("HOME") || variable("USERPROFILE");
  const netrc = variable("NETRC") || (home && join(home, ".netrc"));
  const bytes = netrc ? await readIfThere(netrc).catch(() => undefined) : undefined;
  const entries = new TextDecoder().decode(bytes).split(/(?:^|\s)machine\s+/);
  const own = entries.find((entry) => entry.split(/\s/, 1)[0] === hostname) ?? "";
  const key = /\spassword\s+(\S+)/.exec(own)?.[1];
  if (key) return key;
  throw new TypeError(
    `Cannot log to wandb: expected a key in WANDB_API_KEY or for ${hostname} in .netrc, found none; https://wandb.ai/authorize shows yours`,
  );
}

/** The package in its worker, for one run. */
class Session {
  readonly #worker = new Worker(new URL("./wandb_worker.ts", import.meta.url), { type: "module", name: "wandb" });

  /** Tells it something, and waits until it is done. It is told one thing at a time. */
  async tell(told: Told): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const { failure } = await new Promise<Answer>((resolve) => {
      timer = setTimeout(() => resolve({ failure: `no answer in ${PATIENCE / 1000} s` }), PATIENCE);
      this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => resolve(data);
      this.#worker.onerror = (event) => {
        event.preventDefault();
        resolve({ failure: event.message });
      };
      this.#worker.postMessage(told);
    });
    clearTimeout(timer);
    if (failure) throw new Error(failure);
  }

  end(): void {
    this.#worker.terminate();
  }
}

/** Names in its addresses: letters, digits and hyphens. */
const idOf = (run: LoggedRun) => `${nameOf(run).replaceAll(/[^\w-]/g, "-")}-${crypto.randomUUID().slice(0, 8)}`;

/**
 * The tracker.
 *
 * @throws {TypeError} If there is no key.
 */
export async function wandb(variable: (name: string) => string | undefined): Promise<Destination> {
  const address = trackerAddress("wandb", variable);
  const key = await wandbKey(variable);
  let session: Session | undefined;

  /** Ends the session, and after a failure begins the next one anew. */
  async function told(told: Told): Promise<void> {
    try {
      await session!.tell(told);
    } catch (error) {
      close();
      throw new Error(`wandb at ${address.origin}: ${(error as Error).message}`, { cause: error });
    }
  }

  function close(): void {
    session?.end();
    session = undefined;
  }

  async function begin(id: string, run: LoggedRun): Promise<void> {
    session = new Session();
    await told({
      kind: "begin",
      id,
      name: nameOf(run),
      project: variable("WANDB_PROJECT") || "elbo",
      entity: variable("WANDB_ENTITY") || undefined,
      config: settingsOf(run),
      key,
      address: address.href.replace(/\/*$/, ""),
    });
  }

  const lines = (events: readonly LoggedEvent[]) =>
    events.flatMap((event) =>
      event.event !== "epoch"
        ? []
        : [{ step: event.epoch, values: { epoch: event.epoch, ...Object.fromEntries(scalarsOf(event)) } }]
    );

  return {
    name: "wandb",
    whole: true,
    begin: (run) => Promise.resolve(idOf(run)),
    async log(id, events, run) {
      if (variable("WANDB_MODE") === "offline") throw new Error("WANDB_MODE is offline");
      if (!session) await begin(id, run);
      await told({ kind: "log", lines: lines(events) });
      const last = events.at(-1);
      if (last?.event !== "end") return;
      await told({ kind: "finish", code: last.stopped ? 1 : 0 });
      close();
    },
    async close() {
      if (!session) return;
      // Stopped in the middle, by its folder.
      await told({ kind: "finish", code: 1 });
      close();
    },
  };
}
