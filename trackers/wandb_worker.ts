/**
 * The worker in which Weights & Biases' package runs. The package prints, listens to the signals of its process, and tells nobody of
 * answers such as 500: here none of that reaches the training, and each answer is looked at.
 *
 * @module
 */

/// <reference lib="deno.worker" />

import http from "node:http";
import https from "node:https";
import process from "node:process";

/** What the worker is told. */
export type Told =
  | {
    readonly kind: "begin";
    readonly id: string;
    readonly name: string;
    readonly project: string;
    readonly entity?: string;
    readonly config: object;
    readonly key: string;
    readonly address: string;
  }
  | {
    readonly kind: "log";
    readonly lines: readonly { readonly step: number; readonly values: Readonly<Record<string, number>> }[];
  }
  | { readonly kind: "finish"; readonly code: number };

/** What it answers, to each. */
export interface Answer {
  /** Why something was not sent. */
  readonly failure?: string;
}

/** What is used of a run of the package's. */
interface Run {
  log(values: Record<string, number>, step: number): void;
  finish(code: number): Promise<void>;
}

/** Why something was not sent: told with the next answer. */
let failure: string | undefined;

/** Told at once of a failure, where an answer is waited for that may not come. */
let failed: (reason: string) => void = () => {};

function fail(reason: string): void {
  failure ??= reason.split("\n")[0];
  failed(failure);
}

// The package's requests go through these, whose answers it looks at only in part.
for (const module of [http, https]) {
  const request = module.request as (...args: unknown[]) => http.ClientRequest;
  Object.assign(module, {
    request(...args: unknown[]) {
      const made = request(...args);
      made.on("response", ({ statusCode = 0, statusMessage }) => {
        if (statusCode >= 300) fail(`${statusCode} ${statusMessage ?? ""}`.trim());
      });
      made.on("error", ({ message }) => fail(message));
      return made;
    },
  });
}
console.log = console.warn = process.emitWarning = () => {};
console.error = (...words: readonly unknown[]) => fail(words.join(" "));
self.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  fail(String((event.reason as Error)?.message ?? event.reason));
});

let run: Run | undefined;

async function obey(told: Told): Promise<void> {
  switch (told.kind) {
    case "begin": {
      // Named, since the newest does not fit the package.
      await import("npm:graphql@16.15.0");
      const { default: wandb } = await import("npm:@wandb/sdk@0.5.1");
      const { kind: _, key: apiKey, address: baseUrl, ...rest } = told;
      run = await wandb.init({ ...rest, settings: { apiKey, baseUrl, offline: false } }) as Run;
      // Signals are the training's.
      for (const signal of ["SIGINT", "SIGTERM", "beforeExit"]) process.removeAllListeners(signal);
      break;
    }
    case "log":
      for (const { step, values } of told.lines) run!.log({ ...values }, step);
      break;
    case "finish":
      await run!.finish(told.code);
      break;
  }
}

self.onmessage = async ({ data }: MessageEvent<Told>) => {
  const early = new Promise<void>((resolve) => failed = () => resolve());
  try {
    if (!failure) await Promise.race([obey(data), early]);
  } catch (error) {
    fail(String((error as Error)?.message ?? error));
  }
  self.postMessage({ failure } satisfies Answer);
};
