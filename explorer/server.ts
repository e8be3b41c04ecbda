/**
 * The page's server: its files, the run folders of this machine, and an engine for browsers without WebGPU. It answers its own page alone
 * and writes nothing. It is no task: tasks/explore.ts starts it.
 *
 * @module
 */

import { Gpu } from "../core/gpu/device.ts";
import { callByName, CALLS } from "./engine.ts";
import type { Manifest, ShippedModel } from "./manifest.ts";
import { Session } from "./session.ts";
import type { Files } from "./site.ts";
import { decodeWire, encodeWire } from "./wire.ts";

/** What the server serves. */
export interface ServerOptions {
  /** The page and what it ships. */
  readonly files: Files;
  /** What the manifest says besides the runs. */
  readonly manifest: Manifest;
  /** The folder of run folders. */
  readonly runs: string;
  /** Further files by path, made when they are asked for: rows of datasets. */
  readonly made?: ReadonlyMap<string, () => Promise<Uint8Array<ArrayBuffer>>>;
  /** What every request must bring as `?token=` or as a cookie, where others than this machine may ask. */
  readonly token?: string;
}

/** Sessions of engines at most: each holds a model and its data. */
const MOST_SESSIONS = 4;
/** Bytes of a request at most: a dataset that was dropped on the page. */
const MOST_BYTES = 2 ** 30;

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  jsonl: "text/plain; charset=utf-8",
};

/** The files of a run folder that the page reads. */
const RUN_FILES = ["checkpoint.safetensors", "metrics.jsonl", "config.json"];

/** Nothing from elsewhere: no script, no style, no request. */
const HEADERS = {
  "content-security-policy": "default-src 'self'; img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};

/** Answers requests; `close` ends the engines. */
export interface ExplorerServer {
  fetch(request: Request): Promise<Response>;
  close(): Promise<void>;
}

/** Makes the handler of requests. */
export function explorerServer({ files, manifest, runs, made, token }: ServerOptions): ExplorerServer {
  const sessions = new Map<string, Session>();
  let gpu: Promise<Gpu> | undefined;

  const answer = (body: BodyInit | null, status = 200, type = "text/plain; charset=utf-8") =>
    new Response(body, { status, headers: { ...HEADERS, "content-type": type } });

  const engine = async (call: string, request: Request, url: URL): Promise<Response> => {
    if (request.method !== "POST" && call !== "events") return answer("expected POST", 405);
    if (call === "begin") {
      // The one unused for longest gives way: a page that was left does not say so.
      for (const [id, old] of sessions) {
        if (sessions.size < MOST_SESSIONS) break;
        void old.close();
        sessions.delete(id);
      }
      gpu ??= Gpu.open();
      const session = new Session(await gpu, "server");
      const id = crypto.randomUUID();
      sessions.set(id, session);
      return answer(JSON.stringify({ session: id, adapter: session.adapter }), 200, TYPES.json);
    }
    const id = url.searchParams.get("session") ?? "";
    const session = sessions.get(id);
    if (!session) return answer("the session has ended: load the page again", 410);
    sessions.delete(id);
    if (call === "end") {
      await session.close();
      return answer(null, 204);
    }
    // In the order of their last use.
    sessions.set(id, session);
    if (call === "events") return events(session);
    if (!(CALLS as readonly string[]).includes(call)) return answer("no such call", 404);
    if (Number(request.headers.get("content-length") ?? 0) > MOST_BYTES) return answer("too large", 413);
    try {
      const args = decodeWire(new Uint8Array(await request.arrayBuffer())) as unknown[];
      return answer(encodeWire(await callByName(session, call, args)), 200, "application/octet-stream");
    } catch (error) {
      return answer(error instanceof Error ? error.message : String(error), 400);
    }
  };

  const events = (session: Session): Response => {
    let unhear = () => {};
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start(controller) {
        const encoder = new TextEncoder();
        controller.enqueue(encoder.encode(": begun\n\n"));
        unhear = session.onEvent((event) => controller.enqueue(encoder.encode(`data: ${JSON.stringify(event)}\n\n`)));
      },
      cancel: () => unhear(),
    });
    return answer(stream, 200, "text/event-stream");
  };

  const runFile = async (path: string): Promise<Response> => {
    const [folder, name, ...more] = path.split("/").map(decodeURIComponent);
    if (more.length || !RUN_FILES.includes(name) || !isName(folder)) return answer("no such file", 404);
    // Links may lead out of the folder.
    const file = await Deno.realPath(`${runs}/${folder}/${name}`).catch(() => undefined);
    const root = await Deno.realPath(runs).catch(() => undefined);
    if (!file || !root || file !== `${root}/${folder}/${name}`) return answer("no such file", 404);
    return answer(await Deno.readFile(file), 200, TYPES[name.replace(/.*\./, "")] ?? "application/octet-stream");
  };

  return {
    async fetch(request) {
      const url = new URL(request.url);
      const refused = refuse(request, url, token);
      if (refused) return answer(refused, 403);
      let path = url.pathname.slice(1) || "index.html";
      if (path.startsWith("engine/")) return await engine(path.slice(7), request, url);
      if (request.method !== "GET" && request.method !== "HEAD") return answer("expected GET", 405);
      if (path === "manifest.json") {
        const all = { ...manifest, models: [...await listRuns(runs), ...manifest.models], server: true };
        return answer(JSON.stringify(all), 200, TYPES.json);
      }
      if (path.startsWith("runs/")) return await runFile(path.slice(5));
      path = decodeURIComponent(path);
      const content = files.get(path) ?? await made?.get(path)?.();
      if (content === undefined) return answer("no such file", 404);
      const response = answer(content, 200, TYPES[path.replace(/.*\./, "")] ?? "application/octet-stream");
      if (token && url.searchParams.get("token") === token) {
        response.headers.set("set-cookie", `elbo=${token}; HttpOnly; SameSite=Strict; Path=/`);
      }
      return response;
    },
    async close() {
      const closing = [...sessions.values()].map((session) => session.close());
      sessions.clear();
      await Promise.all(closing);
      (await gpu)?.destroy();
    },
  };
}

const isName = (name: string) => name !== "" && name !== "." && name !== ".." && !/[/\\\0]/.test(name);

/** Why a request is not answered: a name that leads here from elsewhere, another page, or no token. */
function refuse(
  request: Request,
  { host, hostname, origin: own, searchParams }: URL,
  token: string | undefined,
): string | undefined {
  if (request.headers.get("host") !== host) return "expected this server's own Host";
  const origin = request.headers.get("origin");
  if (origin !== null && origin !== own) return "expected this server's own page as Origin";
  const here = ["127.0.0.1", "localhost", "[::1]"].includes(hostname);
  if (token === undefined) return here ? undefined : "expected 127.0.0.1 or localhost as Host";
  const cookie = /(?:^|; )elbo=([^;]*)/.exec(request.headers.get("cookie") ?? "")?.[1];
  return searchParams.get("token") === token || cookie === token
    ? undefined
    : "expected the token of the address printed";
}

/** The runs with a checkpoint, the newest first. */
export async function listRuns(runs: string): Promise<ShippedModel[]> {
  const found: (ShippedModel & { changed: number })[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(runs)) {
      if (!isDirectory) continue;
      const info = await Deno.lstat(`${runs}/${name}/checkpoint.safetensors`).catch(() => undefined);
      if (!info?.isFile) continue;
      const path = `runs/${encodeURIComponent(name)}`;
      found.push({
        ...{ name, title: name, checkpoint: `${path}/checkpoint.safetensors` },
        ...{ metrics: `${path}/metrics.jsonl`, config: `${path}/config.json`, changed: info.mtime?.getTime() ?? 0 },
      });
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return found.sort((a, b) => b.changed - a.changed);
}
