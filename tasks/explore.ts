/**
 * `deno task explore`: the page that trains and explores models, served from this machine or written as a static site.
 *
 * @module
 */

import { digits } from "../explorer/digits.ts";
import type { Manifest } from "../explorer/manifest.ts";
import { explorerServer } from "../explorer/server.ts";
import { addManifest, type Files, pageFiles, shipData, shipModel } from "../explorer/site.ts";
import { findDataset } from "../storage/datasets.ts";
import type { FlagGroup, Flags, Parsed } from "./cli/flags.ts";
import { RUNS } from "./cli/permissions.ts";
import { type Context, main, type Task } from "./cli/run.ts";
import { requireFree } from "./cli/run_folder.ts";

interface Serving {
  readonly runs: string;
  readonly port: number;
  readonly host: string;
  readonly open: boolean;
  readonly build: string;
}

type Groups = { readonly serving: FlagGroup<Serving> };

const flags: Flags<Groups> = {
  name: "explore",
  summary: "Serves a page on which models are trained, watched and explored; it finds the run folders of this machine.",
  groups: {
    serving: {
      title: "Serving",
      settings: {
        runs: { type: "string", default: RUNS, help: "the folder with the run folders" },
        port: {
          type: "integer",
          default: 8765,
          minimum: 1,
          maximum: 65535,
          help: "the port; the next free one where it is taken",
        },
        host: {
          type: "string",
          default: "127.0.0.1",
          help: "the address to listen on: with another one the page can be used from elsewhere, with a token",
        },
        open: { type: "boolean", default: false, help: "open the page in the browser" },
        build: {
          type: "string",
          default: "",
          help: "write the page into this folder as a static site, with one model and 10,000 digits, and serve nothing",
        },
      },
      placeholders: { runs: "DIR", host: "ADDRESS", build: "DIR" },
    },
  },
  examples: ["deno task explore", "deno task explore --runs elsewhere --open", "deno task explore --build site"],
};

/** Digits that the page comes with: the first of the training and of the test rows. */
const SHIPPED = { train: 8000, test: 2000 };
/** Ports that are tried, one after another. */
const TRIED = 50;

/** The page and what it ships. */
async function prepared(signal: AbortSignal): Promise<{ readonly files: Files; readonly manifest: Manifest }> {
  const [files, mnist, model] = await Promise.all([pageFiles(), findDataset("mnist").load({ signal }), digits()]);
  const datasets = [await shipData(files, mnist, "Digits (MNIST)", SHIPPED)];
  const models = [await shipModel(files, model, { name: "digits", title: "Digits, 2 latents" })];
  return { files, manifest: { datasets, models } };
}

/** Writes the files of a site. */
async function write(folder: string, files: Files): Promise<void> {
  for (const [path, content] of files) {
    const file = `${folder}/${path}`;
    await Deno.mkdir(file.replace(/\/[^/]*$/, ""), { recursive: true });
    if (typeof content === "string") await Deno.writeTextFile(file, content);
    else await Deno.writeFile(file, content);
  }
}

/** Listens on the port, or on the next that is free. */
function listen(
  { host, port }: Serving,
  signal: AbortSignal,
  answer: (request: Request) => Promise<Response>,
): Deno.HttpServer<Deno.NetAddr> {
  for (let tried = port;; tried++) {
    try {
      return Deno.serve({ hostname: host, port: tried, signal, onListen() {} }, answer);
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse) || tried >= Math.min(65535, port + TRIED)) throw error;
    }
  }
}

/** Opens an address in the browser of this machine. */
async function openBrowser(address: string): Promise<void> {
  const program = { darwin: "open", windows: "explorer" }[Deno.build.os as string] ?? "xdg-open";
  await new Deno.Command(program, { args: [address], stdout: "null", stderr: "null" }).output();
}

async function run({ values }: Parsed<Groups>, context: Context): Promise<void> {
  const { serving } = values;
  if (serving.build) await requireFree(serving.build);
  const { files, manifest } = await prepared(context.signal);
  if (serving.build) {
    addManifest(files, manifest);
    await write(serving.build, files);
    const bytes = [...files.values()].reduce((sum, content) => sum + content.length, 0);
    context.print(
      `${serving.build}: ${files.size} files, ${(bytes / 1e6).toFixed(1)} MB, for any folder of a web server`,
    );
    context.emit({ folder: serving.build, files: [...files.keys()], bytes });
    return;
  }
  const here = ["127.0.0.1", "localhost", "::1"].includes(serving.host);
  const token = here ? undefined : crypto.randomUUID();
  const server = explorerServer({ files, manifest, runs: serving.runs, token });
  const http = listen(serving, context.signal, server.fetch);
  const address = `http://${serving.host}:${http.addr.port}/${token ? `?token=${token}` : ""}`;
  context.print(`The page is at ${address} until Ctrl-C.`);
  context.emit({ address });
  if (serving.open) await openBrowser(address);
  await http.finished;
  await server.close();
}

/** The task. */
export const exploreTask: Task<Groups> = { flags, run };

if (import.meta.main) await main(exploreTask);
