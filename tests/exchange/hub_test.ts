/** Models that go to the Hugging Face Hub and come from it, by a server on this machine that answers as the Hub does. */

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { FileError } from "../../core/bounds.ts";
import { hubFiles } from "../../exchange/hub.ts";
import { load } from "../../storage/checkpoint.ts";
import { fetchModel, parseReference } from "../../storage/hub.ts";
import { hubHosts } from "../../storage/hub_address.ts";
import { models } from "../../models/mod.ts";
import type { Model } from "../../core/model.ts";
import { permissionFlags } from "../../tasks/cli/permissions.ts";
import { gpu } from "../support/gpu.ts";
import { withFolder } from "../support/folder.ts";
import { root } from "../tasks/support.ts";
import { given, image, untrained } from "./support.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";

/** A repository: what it has, what it says of it, and who may read it. */
interface Repository {
  bytes: Uint8Array<ArrayBuffer>;
  digest?: string;
  token?: string;
  /** As a file of Git, not of its large file storage. */
  small?: boolean;
}

/** A Hub, with its store of large files on another host. */
async function withHub(
  repository: Repository,
  use: (endpoint: string, asked: string[]) => Promise<void>,
): Promise<void> {
  const asked: string[] = [];
  const listen = { hostname: "127.0.0.1", port: 0, onListen() {} };
  await using store = Deno.serve(listen, ({ headers }) => {
    asked.push(`store ${headers.has("authorization")}`);
    return new Response(repository.bytes);
  });
  await using hub = Deno.serve(listen, async ({ url, headers }) => {
    const { pathname, search } = new URL(url);
    asked.push(pathname + search);
    const { token, bytes, small } = repository;
    if (token && headers.get("authorization") !== `Bearer ${token}`) return new Response("", { status: 401 });
    if (pathname === `/me/mine/resolve/${COMMIT}/model.safetensors`) {
      return Response.redirect(`http://127.0.0.1:${store.addr.port}/blob`, 302);
    }
    if (pathname !== "/api/models/me/mine/revision/main") return new Response("", { status: 404 });
    const hash = async (algorithm: string, data: Uint8Array<ArrayBuffer>) =>
      new Uint8Array(await crypto.subtle.digest(algorithm, data)).toHex();
    const blob = new Uint8Array([...new TextEncoder().encode(`blob ${bytes.length}\0`), ...bytes]);
    const sha256 = repository.digest ?? await hash("SHA-256", bytes);
    const file = { rfilename: "model.safetensors", size: bytes.length, blobId: await hash("SHA-1", blob) };
    return Response.json({
      sha: COMMIT,
      siblings: [{ rfilename: "README.md" }, small ? file : { ...file, lfs: { sha256 } }],
    });
  });
  await use(`http://127.0.0.1:${hub.addr.port}`, asked);
}

const vae = models.get("vae") as unknown as Model<never>;
const name = "/home/me/private/rows.csv";
const source = () => untrained(vae, { hidden: [7], latents: 3 }, { ...image, ...{ name } });

const losses = { elbo: -12.5, nll: 10, kl: 2.5, loss: 12.5 };
const figure = { name: "samples.png", bytes: new Uint8Array([1]), what: "Samples" };

/** A repository's files by their names. */
async function files() {
  using trained = source();
  const all = await hubFiles(trained, { license: "mit", test: { count: 40, losses }, figures: [figure] });
  return { z: given(trained), all: Object.fromEntries(all.map(({ name, bytes }) => [name, bytes])) };
}

Deno.test("a repository for the Hub has a card with its metadata, config.json, weights and figures, and no path of this machine", async () => {
  const { all } = await files();
  assertEquals(Object.keys(all), ["README.md", "config.json", "model.safetensors", "samples.png"]);
  const card = new TextDecoder().decode(all["README.md"]);
  const [, head] = /^---\n([\s\S]*?)\n---\n/.exec(card)!;
  for (
    const line of [
      'license: "mit"',
      "library_name: elbo",
      '- "vae"',
      "metrics:",
      "    - type: elbo",
      "      value: -12.5",
    ]
  ) {
    assertStringIncludes(`\n${head}\n`, `\n${line}\n`);
  }
  assertStringIncludes(card, "![Samples](samples.png)");
  assertEquals(JSON.parse(new TextDecoder().decode(all["config.json"])).model, "vae");
  for (const bytes of Object.values(all)) assert(!new TextDecoder().decode(bytes).includes("private"));
});

Deno.test("load() fetches a model of the Hub once, with the token for the Hub alone, and it gives what it gave", async () => {
  const { all } = await files();
  const repository = { bytes: all["model.safetensors"], token: "secret" };
  await withHub(repository, (endpoint, asked) =>
    withFolder(async (cache) => {
      const options = { cache, endpoint, token: "secret" };
      const folder = await fetchModel("hf:me/mine", options);
      assertEquals(folder, `${cache}/me--mine/${COMMIT}`);
      assertEquals(asked, [
        "/api/models/me/mine/revision/main?blobs=true",
        `/me/mine/resolve/${COMMIT}/model.safetensors`,
        "store false",
      ]);
      assertEquals(await fetchModel("hf:me/mine", options), folder);
      assertEquals(asked.length, 4);
      using here = await load(`${folder}/checkpoint.safetensors`, { gpu });
      using there = source();
      const { z } = given(there);
      assertEquals(await here.decode(z), await there.decode(z));
      const none = { ...options, token: "" };
      await assertRejects(
        () => fetchModel("hf:me/mine", { ...none, token: "other" }),
        FileError,
        'Cannot load "hf:me/mine": expected access that is granted, found 401; it is private, gated or not there: the token does not suffice',
      );
      await assertRejects(
        () => fetchModel("hf:me/other", options),
        FileError,
        `Cannot load "hf:me/other": expected a model at ${endpoint}, found none of that name and revision`,
      );
    }));
  // The Hub is away, and the model has been fetched before.
  await withFolder(async (cache) => {
    let gone = "";
    await withHub(repository, async (endpoint) => {
      gone = endpoint;
      await fetchModel("hf:me/mine", { cache, endpoint, token: "secret" });
    });
    assertEquals(
      await fetchModel("hf:me/mine", { cache, endpoint: gone, token: "secret" }),
      `${cache}/me--mine/${COMMIT}`,
    );
    await assertRejects(
      () => fetchModel("hf:me/other", { cache, endpoint: gone, token: "" }),
      FileError,
      `Cannot load "hf:me/other": expected an answer of ${gone}, found none`,
    );
  });
});

Deno.test("what is not what the Hub says that it is, is not kept", async () => {
  const bytes = new Uint8Array(1000).fill(7);
  await withHub({ bytes, digest: "0".repeat(64) }, (endpoint) =>
    withFolder(async (cache) => {
      await assertRejects(
        () => fetchModel("hf:me/mine", { cache, endpoint, token: "" }),
        FileError,
        `expected model.safetensors of 1000 bytes, SHA-256 ${"0".repeat(64)}, found `,
      );
      assertEquals([...Deno.readDirSync(cache)], []);
    }));
  // A small file has the digest of Git.
  await withHub({ bytes, small: true }, (endpoint) =>
    withFolder(async (cache) => {
      const folder = await fetchModel("hf:me/mine", { cache, endpoint, token: "" });
      assertEquals(await Deno.readFile(`${folder}/checkpoint.safetensors`), bytes);
    }));
});

Deno.test("a reference is hf:owner/name, with a revision or without", () => {
  assertEquals(parseReference("hf:me/my.vae@v1"), { owner: "me", name: "my.vae", revision: "v1" });
  for (const wrong of ["hf:me", "hf:../x", "hf:me/..", "hf:me/a/b", "hf:me/a@../../x", "hf:me/a?b"]) {
    let message = "";
    try {
      parseReference(wrong);
    } catch (error) {
      message = (error as Error).message;
    }
    assertMatch(message, /^Cannot find "hf:.*": expected hf:owner\/name, or hf:owner\/name@revision$/);
  }
  assertEquals(hubHosts(undefined), ["huggingface.co", "*.huggingface.co", "*.hf.co"]);
  assertEquals(hubHosts("http://127.0.0.1:8000/")[0], "127.0.0.1");
});

Deno.test("a task may use the network where the command line names a model of the Hub, and there alone", async () => {
  const net = (...args: string[]) => permissionFlags("sample", args).filter((flag) => /net|HF_/.test(flag));
  assertEquals(net("--run", "runs/mine"), []);
  assertEquals(net("--run=hf:me/mine")[1], "--allow-net=huggingface.co,*.huggingface.co,*.hf.co");
  const { all } = await files();
  await withHub({ bytes: all["model.safetensors"], token: "secret" }, (endpoint) =>
    withFolder(async (folder) => {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          ...`task --quiet --config=${root}deno.json sample --json --count 4 --run hf:me/mine --out`.split(" "),
          `${folder}/a.csv`,
        ],
        env: { HF_ENDPOINT: endpoint, HF_TOKEN: "secret", NO_COLOR: "1" },
        cwd: folder,
      }).output();
      assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
      assertStringIncludes(new TextDecoder().decode(stdout), "a.csv");
      assert((await Deno.readTextFile(`${folder}/a.csv`)).length > 0);
      // The task works in the project, where it keeps what it fetched.
      await Deno.remove(`${root}data/hub/me--mine`, { recursive: true });
    }));
});
