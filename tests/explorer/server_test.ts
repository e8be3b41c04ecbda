/** The page's server: what it serves, and what it refuses. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { type ExplorerServer, explorerServer, type ServerOptions } from "../../explorer/server.ts";
import { decodeWire, encodeWire } from "../../explorer/wire.ts";
import { stripes } from "../support/stripes.ts";
import { withFolder } from "../support/folder.ts";

const manifest = { models: [], datasets: [] };
const files = new Map<string, string>([["index.html", "<!doctype html>"], ["page.js", "1"]]);
const ADDRESS = "http://127.0.0.1:8765/";

const server = (options: Partial<ServerOptions> = {}) =>
  explorerServer({ files, manifest, runs: "/nowhere", ...options });

/** The status of a request, with a Host as a browser sends it. */
async function status(from: ExplorerServer, path: string, init: RequestInit & { host?: string } = {}): Promise<number> {
  const { host = "127.0.0.1:8765", ...rest } = init;
  const address = path.startsWith("http") ? path : ADDRESS + path;
  const response = await from.fetch(new Request(address, { ...rest, headers: { host, ...rest.headers } }));
  await response.body?.cancel();
  return response.status;
}

Deno.test("the page and its files are served, with nothing from elsewhere allowed in it", async () => {
  const response = await server().fetch(new Request(ADDRESS, { headers: { host: "127.0.0.1:8765" } }));
  assertEquals(await response.text(), "<!doctype html>");
  assertMatch(response.headers.get("content-security-policy")!, /default-src 'self'/);
  assertEquals(await status(server(), "page.js"), 200);
  assertEquals(await status(server(), "other.js"), 404);
  assertEquals(await status(server(), "page.js", { method: "PUT" }), 405);
});

Deno.test("other names that lead here, and other pages, are refused", async () => {
  assertEquals(await status(server(), "page.js", { host: "evil.example" }), 403);
  assertEquals(await status(server(), "http://evil.example:8765/page.js", { host: "evil.example:8765" }), 403);
  assertEquals(await status(server(), "page.js", { headers: { origin: "http://evil.example" } }), 403);
  assertEquals(await status(server(), "page.js", { headers: { origin: "null" } }), 403);
  assertEquals(await status(server(), "page.js", { headers: { origin: "http://127.0.0.1:8765" } }), 200);
});

Deno.test("served to others, every request wants the token", async () => {
  const open = server({ token: "secret" });
  const [address, host] = ["http://10.0.0.5:8765/page.js", "10.0.0.5:8765"];
  assertEquals(await status(open, address, { host }), 403);
  assertEquals(await status(open, `${address}?token=wrong`, { host }), 403);
  const response = await open.fetch(new Request(`${address}?token=secret`, { headers: { host } }));
  assertEquals([response.status, await response.text()], [200, "1"]);
  const cookie = response.headers.get("set-cookie")!.replace(/;.*/, "");
  assertEquals(await status(open, address, { host, headers: { cookie } }), 200);
});

Deno.test("run folders are listed, and three files of each are read; no path leads out", () =>
  withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/runs/one`, { recursive: true });
    await Deno.mkdir(`${folder}/runs/empty`);
    await Deno.writeTextFile(`${folder}/runs/one/checkpoint.safetensors`, "bytes");
    await Deno.writeTextFile(`${folder}/runs/one/secret.txt`, "secret");
    await Deno.writeTextFile(`${folder}/secret.txt`, "secret");
    await Deno.symlink(`${folder}/secret.txt`, `${folder}/runs/one/metrics.jsonl`);
    await Deno.symlink(`${folder}`, `${folder}/runs/link`);
    const open = server({ runs: `${folder}/runs` });
    const listed = await open.fetch(new Request(`${ADDRESS}manifest.json`, { headers: { host: "127.0.0.1:8765" } }));
    const { models, server: computes } = await listed.json();
    assertEquals([models.map(({ name }: { name: string }) => name), computes], [["one"], true]);
    assertEquals(await status(open, "runs/one/checkpoint.safetensors"), 200);
    for (
      const path of [
        ...["runs/one/secret.txt", "runs/one/metrics.jsonl", "runs/link/secret.txt", "runs/../secret.txt"],
        ...["runs/..%2Fone/checkpoint.safetensors", "runs/%2e%2e/secret.txt", "runs/one/..%2F..%2Fsecret.txt"],
        ...["..%2fsecret.txt", "runs/one%00/checkpoint.safetensors", "runs//checkpoint.safetensors"],
      ]
    ) assertEquals(await status(open, path), 404, path);
  }));

Deno.test("of too many sessions the one unused for longest gives way, and one that is ended at once", async () => {
  const open = server();
  const post = (path: string, body?: BodyInit) =>
    open.fetch(new Request(ADDRESS + path, { method: "POST", body, headers: { host: "127.0.0.1:8765" } }));
  const begin = async () => (await (await post("engine/begin")).json()).session as string;
  const answers = async (session: string) => (await post(`engine/model?session=${session}`, encodeWire([]))).status;
  const [first, second] = [await begin(), await begin(), await begin(), await begin()];
  assertEquals(await answers(first), 200);
  await begin();
  assertEquals([await answers(first), await answers(second)], [200, 410]);
  assertEquals((await post(`engine/end?session=${first}`)).status, 204);
  assertEquals(await answers(first), 410);
  // They share a GPU, which the end of one leaves to the others.
  const last = await begin();
  const call = (name: string, ...args: unknown[]) => post(`engine/${name}?session=${last}`, encodeWire(args));
  await (await call("useData", stripes)).body?.cancel();
  const trained = await call("train", { model: "vae", config: { hidden: [7], latents: 3, batchSize: 20, epochs: 1 } });
  assertEquals(trained.status, 200);
  await open.close();
});

Deno.test("the engine answers sessions of its own page, and no other call", async () => {
  const open = server();
  const post = (path: string, body?: BodyInit) =>
    open.fetch(new Request(ADDRESS + path, { method: "POST", body, headers: { host: "127.0.0.1:8765" } }));
  assertEquals((await post("engine/model?session=none", encodeWire([]))).status, 410);
  assertEquals(await status(open, "engine/begin"), 405);
  const { session, adapter } = await (await post("engine/begin")).json();
  assert(adapter.length > 0);
  const call = (name: string, ...args: unknown[]) => post(`engine/${name}?session=${session}`, encodeWire(args));
  assertEquals(decodeWire(await (await call("model")).bytes()), null);
  const failed = await call("decode", new Float32Array(2));
  assertEquals([failed.status, await failed.text()], [400, "Cannot compute: expected an open model, found none"]);
  for (const name of ["close", "constructor", "onEvent", "__proto__"]) {
    assertEquals((await call(name)).status, 404, name);
  }
  assertEquals((await post(`engine/decode?session=${session}`, new Uint8Array(2))).status, 400);
  await open.close();
});
