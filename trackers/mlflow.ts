/**
 * MLflow's tracking server, by its REST interface: https://mlflow.org/docs/latest/rest-api.html
 *
 * @module
 */

import { trackerAddress } from "./addresses.ts";
import { scalarsOf } from "./scalars.ts";
import { type Destination, type LoggedEvent, type LoggedRun, nameOf, settingsOf } from "./outbox.ts";

/** Milliseconds after which a request has failed. */
const PATIENCE = 10_000;

/** What a request may hold: parameters, characters of one, metrics. */
const [MOST_PARAMETERS, LONGEST, MOST_METRICS] = [100, 500, 1000];

/** The tracker, as the environment says where it is. */
export function mlflow(variable: (name: string) => string | undefined): Destination {
  const address = trackerAddress("mlflow", variable);
  const [token, user, password] = ["TOKEN", "USERNAME", "PASSWORD"].map((name) => variable(`MLFLOW_TRACKING_${name}`));
  const authorization = token ? `Bearer ${token}` : user ? `Basic ${btoa(`${user}:${password ?? ""}`)}` : undefined;
  const experiment = variable("MLFLOW_EXPERIMENT_NAME") || "elbo";

  async function ask(path: string, body?: object): Promise<{ readonly status: number; readonly answer: Answer }> {
    const response = await fetch(new URL(`api/2.0/mlflow/${path}`, `${address.href.replace(/\/*$/, "")}/`), {
      method: body ? "POST" : "GET",
      headers: {
        ...body ? { "content-type": "application/json" } : {},
        ...authorization ? { authorization } : {},
      },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE),
    }).catch((cause) => {
      const [reason] = String(cause?.cause?.message ?? cause?.message ?? cause).split("\n");
      throw new Error(`MLflow at ${address.origin} was not reached: ${reason}`, { cause });
    });
    const text = await response.text();
    let answer: Answer = {};
    try {
      answer = JSON.parse(text);
    } catch {
      // What is no JSON is no answer of MLflow's.
    }
    return { status: response.status, answer };
  }

  async function must(path: string, body?: object, missing?: Answer): Promise<Answer> {
    const { status, answer } = await ask(path, body);
    if (status === 200) return answer;
    if (status === 404 && missing) return missing;
    throw new Error(
      `MLflow at ${address.origin} refused ${path}: ${status} ${answer.message ?? answer.error_code ?? ""}`.trim(),
    );
  }

  async function experimentId(): Promise<string> {
    const path = `experiments/get-by-name?experiment_name=${encodeURIComponent(experiment)}`;
    const { experiment: known } = await must(path, undefined, {});
    if (known) return known.experiment_id;
    return (await must("experiments/create", { name: experiment })).experiment_id!;
  }

  return {
    name: "mlflow",
    async begin(told: LoggedRun) {
      const { config } = told;
      const name = nameOf(told);
      const started = Date.parse(config.started ?? "") || Date.now();
      const { run } = await must("runs/create", {
        experiment_id: await experimentId(),
        run_name: name,
        start_time: started,
        tags: [
          { key: "mlflow.runName", value: name },
          { key: "mlflow.source.name", value: config.commands?.at(-1) ?? "elbo" },
        ],
      });
      const { run_id: id } = run!.info;
      const all = Object.entries(settingsOf(told))
        .filter(([, value]) => value !== undefined && value !== null)
        .map(([key, value]) => ({
          key,
          value: (Array.isArray(value) ? value.join(",") : `${value}`).slice(0, LONGEST),
        }));
      for (let i = 0; i < all.length; i += MOST_PARAMETERS) {
        await must("runs/log-batch", { run_id: id, params: all.slice(i, i + MOST_PARAMETERS) });
      }
      return id;
    },
    async log(id: string, events: readonly LoggedEvent[], { config }: LoggedRun) {
      const started = Date.parse(config.started ?? "") || Date.now();
      const at = (event: LoggedEvent) => Math.round(started + 1000 * event.seconds);
      const metrics = events.flatMap((event) =>
        event.event !== "epoch" ? [] : scalarsOf(event).map(([key, value]) => (
          { key, value, timestamp: at(event), step: event.epoch }
        ))
      );
      for (let i = 0; i < metrics.length; i += MOST_METRICS) {
        await must("runs/log-batch", { run_id: id, metrics: metrics.slice(i, i + MOST_METRICS) });
      }
      const end = events.findLast(({ event }) => event === "end");
      if (end?.event === "end") {
        await must("runs/update", { run_id: id, status: end.stopped ? "KILLED" : "FINISHED", end_time: at(end) });
      }
    },
  };
}

/** What is used of MLflow's answers. */
interface Answer {
  readonly experiment?: { readonly experiment_id: string };
  readonly experiment_id?: string;
  readonly run?: { readonly info: { readonly run_id: string } };
  readonly error_code?: string;
  readonly message?: string;
}
