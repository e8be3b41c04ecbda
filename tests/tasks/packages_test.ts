/** Which packages a task is started with, and which of them are fetched first. */

import { assert, assertEquals } from "@std/assert";
import { denoFolder, type Disk, lockFor, packagesToFetch } from "../../tasks/cli/packages.ts";

const lock = {
  version: "5",
  specifiers: Object.fromEntries(
    [
      ...["vega@6.4.0", "@jsquash/jpeg@1.6.0", "h5wasm@0.10.3", "esbuild-wasm@0.28.2", "onnx-proto@8.0.1"],
      ...["@wandb/sdk@0.5.1", "graphql@16.15.0"],
    ].map((name) => [`npm:${name}`, "1"]),
  ),
  npm: { "h5wasm@0.10.3": { integrity: "sha512-" } },
};

/** A disk with some files, by their paths. */
const disk = (files: Readonly<Record<string, string>>): Disk => ({
  read: (path) => files[path],
  folders: (path) => {
    const inside = Object.keys(files).filter((file) => file.startsWith(`${path}/`)).map((file) =>
      file.slice(path.length + 1).split("/")
    );
    if (!inside.length) return undefined;
    return [...new Set(inside.filter(({ length }) => length > 1).map(([name]) => name))];
  },
});

/** Which of the large packages a task is started with. */
function large(task: string, args: readonly string[], files: Readonly<Record<string, string>> = {}): string[] {
  const { specifiers, ...rest } = lockFor(lock, task, args, disk(files));
  // Checksums stay: what is left out is no longer asked for, but nothing is unpinned.
  assertEquals(rest, { version: "5", npm: lock.npm });
  assert("npm:vega@6.4.0" in specifiers);
  return Object.keys(specifiers).filter((name) => /wasm|onnx|wandb|graphql/.test(name)).map((name) =>
    name.replace(/npm:|(?<=.)@\d.*/g, "")
  );
}

Deno.test("a task is started with the bundler where it serves the page, and with the HDF5 reader where a file may need it", () => {
  assertEquals(large("train", ["--dataset", "mnist"]), []);
  assertEquals(large("explore", []), ["esbuild-wasm"]);
  assertEquals(large("export", ["--run", "a.h5"]), ["h5wasm", "onnx-proto"]);
  assertEquals(large("train", ["--log", "tensorboard,wandb"]), ["@wandb/sdk", "graphql"]);
  assertEquals(large("log", ["--to=wandb"]), ["@wandb/sdk", "graphql"]);
  for (const args of [["--dataset", "a.mat"], ["--dataset=data/a.h5.gz"], ["--dataset", "A.HDF5"]]) {
    assertEquals(large("train", args), ["h5wasm"]);
  }
  const config = (dataset: string) => JSON.stringify({ model: "vae", dataset }, undefined, 2);
  const runs = (dataset: string) => ({
    "runs/one/config.json": config(dataset),
    "runs/one/checkpoint.safetensors": "",
  });
  assertEquals(large("evaluate", [], runs("/data/wine.csv")), []);
  assertEquals(large("evaluate", [], runs('/data/a "b".mat')), ["h5wasm"]);
  assertEquals(large("score", ["--run", "mine"], { "mine/config.json": config("/data/a.h5") }), ["h5wasm"]);
  // What does not say of which data it is may be of any.
  assertEquals(large("score", ["--run", "mine"], { "mine/checkpoint.safetensors": "" }), ["h5wasm"]);
});

Deno.test("packagesToFetch() names what Deno's cache lacks, whatever host it is from", () => {
  const cached = disk({
    "cache/npm/a.host/vega/6.4.0/package.json": "",
    "cache/npm/b.host/@jsquash/jpeg/1.6.0/package.json": "",
  });
  assertEquals(packagesToFetch(lock, "cache", cached), [
    "h5wasm",
    "esbuild-wasm",
    "onnx-proto",
    "@wandb/sdk",
    "graphql",
  ]);
  assertEquals(packagesToFetch(lock, "elsewhere", cached).length, 7);
});

Deno.test("denoFolder() is where Deno keeps its cache, on every system", () => {
  const env = (variables: Record<string, string>) => (name: string) => variables[name];
  assertEquals(denoFolder(env({ DENO_DIR: "/d", HOME: "/h" }), "linux"), "/d");
  assertEquals(denoFolder(env({ HOME: "/h" }), "linux"), "/h/.cache/deno");
  assertEquals(denoFolder(env({ HOME: "/h", XDG_CACHE_HOME: "/c" }), "linux"), "/c/deno");
  assertEquals(denoFolder(env({ HOME: "/h" }), "darwin"), "/h/Library/Caches/deno");
  assertEquals(denoFolder(env({ LOCALAPPDATA: "C:/l" }), "windows"), "C:/l/deno");
});
