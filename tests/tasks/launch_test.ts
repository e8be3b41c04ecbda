/** The tasks as `deno task` runs them: with the permissions that their command lines ask for, and no others. */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { UsageError } from "../../tasks/cli/flags.ts";
import { permissionFlags, TASKS, VARIABLES } from "../../tasks/cli/permissions.ts";
import { idx } from "../datasets/support.ts";
import { blocks, inFolder, jsonLines, root } from "./support.ts";

/** Starts `deno task`, whose working directory is the project: paths are absolute here. */
function start(args: readonly string[], env: Record<string, string> = {}): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", `--config=${root}deno.json`, ...args],
    env: { NO_COLOR: "1", ...env },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function deno(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await start(args).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

/** A small training, on a file in the folder. */
async function training(folder: string, epochs = 2): Promise<readonly string[]> {
  const { train } = blocks();
  await Deno.writeFile(`${folder}/blocks.idx`, idx([train.count, 4, 4], train.values));
  const small = "--hidden 6 --latents 2 --batch-size 20 --validation 40".split(" ");
  return ["--dataset", `${folder}/blocks.idx`, ...small, "--epochs", `${epochs}`];
}

/** A module of a model that tries what it should not, says what came of it on stderr, and is a vae by another name. */
const curious = (folder: string) => `
  import { vae } from ${JSON.stringify(new URL("models/vae.ts", `file://${root}`).href)};
  const folder = ${JSON.stringify(folder)};
  const project = ${JSON.stringify(root)};
  const name = (text) => text;
  const tries = {
    "write in the run folder": () => Deno.writeTextFile(folder + "/run/mine.txt", ""),
    "read a file": () => Deno.readTextFile(project + "README.md"),
    "write beside the run folder": () => Deno.writeTextFile(folder + "/other.txt", ""),
    "write over the module": () => Deno.writeTextFile(folder + "/curious.ts", ""),
    "write in the project": () => Deno.writeTextFile(project + "tasks/other.ts", ""),
    "write the settings of the project": () => Deno.open(project + "deno.json", { append: true }),
    "make a temporary file": () => Deno.makeTempFile(),
    "make a link": () => Deno.symlink(folder, folder + "/run/link"),
    "remove the data": () => Deno.remove(folder + "/blocks.idx"),
    "run a program": () => new Deno.Command("true").output(),
    "run Deno": () => new Deno.Command(Deno.execPath(), { args: ["--version"] }).output(),
    "load a library": () => Deno.dlopen("libc.so.6", {}),
    "use the network": () => fetch("http://127.0.0.1:8123/"),
    "connect": () => Deno.connect({ hostname: "127.0.0.1", port: 8123 }),
    "listen": () => Deno.listen({ port: 0 }),
    "read another variable": () => Deno.env.get("HOME"),
    "read all variables": () => Deno.env.toObject(),
    "read what the process was started with": () => Deno.readTextFile("/proc/self/environ"),
    "load code of http:": () => import(name("http://127.0.0.1:9/x.ts")),
    "load code of https:": () => import(name("https://deno.land/std@0.224.0/assert/mod.ts")),
  };
  // A package that no lock file knows is a module's own affair.
  await import("npm:ms@2.1.3");
  const found = {};
  for (const [what, attempt] of Object.entries(tries)) {
    try {
      await attempt();
      found[what] = "done";
    } catch (error) {
      found[what] = error.name === "NotCapable" || /Requires import access/.test(error.message) ? "refused" : error.name;
    }
  }
  console.error(JSON.stringify(found));
  export default { ...vae, name: "curious" };
`;

Deno.test("sweep --parallel 2 has two workers on this machine, which train each point once", () =>
  inFolder(async (folder) => {
    const { train } = blocks();
    const dataset = `${folder}/blocks.idx`;
    await Deno.writeFile(dataset, idx([train.count, 4, 4], train.values));
    const settings = { dataset, hidden: [6], latents: { values: [1, 2] }, batchSize: 20, validation: 40, epochs: 2 };
    await Deno.writeTextFile(`${folder}/plan.json`, JSON.stringify({ settings, seeds: 2 }));
    const { code, stdout, stderr } = await deno(
      "sweep",
      `${folder}/plan.json`,
      "--out",
      `${folder}/s`,
      "--parallel",
      "2",
    );
    assertEquals([code, stderr], [0, ""]);
    const trained = [...stdout.matchAll(/^\d\/4 {2}(\d) .*after 2 epochs {2}\d+ s$/gm)].map(([, index]) => index);
    assertEquals(trained.sort(), ["0", "1", "2", "3"], stdout);
    const status = await deno("sweep", "--out", `${folder}/s`, "--status", "--json");
    const states = jsonLines(status.stdout).filter(({ event }) => event === "trial").map(({ state }) => state);
    assertEquals(states, ["done", "done", "done", "done"]);
  }));

Deno.test("a task as deno task runs it, and a module that it loads, can write nothing but what its command line names", () =>
  inFolder(async (folder) => {
    const own = ["--model", `${folder}/curious.ts`];
    await Deno.writeTextFile(`${folder}/curious.ts`, curious(folder));
    const attempted = async (inRun: "done" | "refused" | "NotFound", ...args: readonly string[]) => {
      const { code, stderr } = await deno(...args, ...own);
      const { "write in the run folder": run, "read a file": read, ...others } = JSON.parse(
        stderr.trim().split("\n").at(-1)!,
      );
      assertEquals([code, run, read], [0, inRun, "done"]);
      for (const [what, came] of Object.entries(others)) assertEquals([what, came], [what, "refused"]);
    };
    // The folder is not there yet when the module is loaded.
    await attempted("NotFound", "train", ...await training(folder), "--out", `${folder}/run`);
    await attempted("done", "sample", "--run", `${folder}/run`);
    await attempted("refused", "sample", "--run", `${folder}/run`, "--out", `${folder}/a.png`);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
      "a.png",
      "blocks.idx",
      "curious.ts",
      "run",
    ]);
  }));

Deno.test("every task does its work with the permissions that it is given, wherever --out is", () =>
  inFolder(async (folder) => {
    const work = async (...args: string[]) => {
      const { code, stdout, stderr } = await deno(...args, "--json");
      assertEquals([code, stderr], [0, ""], args.join(" "));
      return jsonLines(stdout);
    };
    const run = ["--run", `${folder}/run`];
    await work("train", ...await training(folder), "--out", `${folder}/run`);
    // Plots too.
    for (const name of ["curves.svg", "kl-per-dimension.svg"]) assert(Deno.statSync(`${folder}/run/figures/${name}`));
    await work("train", "--resume", `${folder}/run`, "--epochs", "3");
    await Deno.mkdir(`${folder}/else`);
    for (
      const [task, ...outs] of [
        ["sample", "samples.png", "a.png"],
        ["reconstruct", "reconstructions.png", "b.png"],
        ["impute", "imputed.svg", "c.png"],
        ["encode", "latents.npz", "d.csv"],
        ["score", "scores.csv", "e.csv"],
      ]
    ) {
      const [inRun] = await work(task, ...run);
      assertEquals(inRun.file, `${folder}/run/${outs[0]}`);
      const [elsewhere] = await work(task, ...run, "--out", `${folder}/else/${outs[1]}`);
      assert(Deno.statSync(elsewhere.file).isFile);
    }
    assertEquals([...Deno.readDirSync(`${folder}/else`)].map(({ name }) => name).sort(), [
      ..."abc".split("").map((name) => `${name}.png`),
      "d.csv",
      "e-images.svg",
      "e.csv",
      "e.svg",
    ]);
    const [exported] = await work("export", ...run);
    assertEquals(exported.files, ["encoder.onnx", "decoder.onnx"]);
    await work("export", ...run, "--to", "torch", "--out", `${folder}/served`);
    const back = [`${folder}/served/vae.safetensors`, "--dataset", `${folder}/blocks.idx`, "--out", `${folder}/back`];
    await work("import", ...back);
    await work("evaluate", ...run);
    await work("report", ...run);
    await Deno.symlink(`${folder}/run`, `${folder}/latest`);
    const both = [`${folder}/run`, `${folder}/latest`];
    await work("report", "--compare", ...both, "--out", `${folder}/else/both.html`);
    await work("sample", "--run", `${folder}/latest`);
    assert((await work("models")).length > 0 && (await work("datasets")).length > 0);
  }));

Deno.test("a task that is stopped through deno task writes its checkpoint and gives its exit code on", {
  ignore: Deno.build.os === "windows",
}, () =>
  inFolder(async (folder) => {
    const args = [...await training(folder, 5000), "--json", "--out", `${folder}/run`];
    for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
      const child = start(signal === "SIGINT" ? ["train", ...args] : ["train", "--resume", `${folder}/run`, "--json"]);
      let stdout = "";
      for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
        if (!stdout.includes('"start"') && (stdout + part).includes('"start"')) child.kill(signal);
        stdout += part;
      }
      const stderr = await new Response(child.stderr).text();
      assertEquals([(await child.status).code, stderr], [code, ""]);
      assertEquals(jsonLines(stdout).at(-1).stopped, true);
    }
  }));

Deno.test("a task that is to outlive its terminal goes on after SIGHUP, and ends by SIGTERM", {
  ignore: Deno.build.os === "windows",
}, () =>
  inFolder(async (folder) => {
    const args = ["train", ...await training(folder, 5000), "--json", "--out", `${folder}/run`];
    const child = start(args, { ELBO_NOHUP: "1" });
    let stdout = "";
    let sent: Deno.Signal | undefined;
    for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
      stdout += part;
      const epochs = stdout.split('"event":"epoch"').length - 1;
      if (!sent && stdout.includes('"start"')) child.kill(sent = "SIGHUP");
      else if (sent === "SIGHUP" && epochs > 20) child.kill(sent = "SIGTERM");
    }
    assertEquals([(await child.status).code, await new Response(child.stderr).text()], [143, ""]);
  }));

Deno.test("launch.ts refuses a task that is not there, and a path that Deno cannot be told of, with 2", async () => {
  const launched = async (...args: string[]) => {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-run", "--allow-read", "--allow-write", "--allow-env", `${root}tasks/launch.ts`, ...args],
      stdout: "null",
      stderr: "piped",
    }).output();
    return [code, new TextDecoder().decode(stderr)] as const;
  };
  for (
    const [args, message] of [
      [[], 'Cannot start the task "": expected one of train, sample, '],
      [["../bench/bench"], 'Cannot start the task "../bench/bench": the nearest known one is'],
      [["toString"], 'Cannot start the task "toString": the nearest known one is'],
      [["train", "--out", "a,b"], 'Cannot permit writing to "a,b": expected a path without a comma'],
    ] as const
  ) {
    const [code, stderr] = await launched(...args);
    assertEquals(code, 2);
    assertStringIncludes(stderr, `Error: ${message}`);
  }
});

Deno.test("permissionFlags() permits writing what the command line names, and nothing where nothing is written", () => {
  const writes = (task: string, args: string) =>
    permissionFlags(task, args.split(" ")).find((flag) => flag.startsWith("--allow-write="))?.slice(14).split(",")
      .filter((path) => !path.endsWith(".tmp"));
  assertEquals(writes("train", ""), ["runs", "data"]);
  assertEquals(writes("train", "--out=a --resume b"), ["a", "b", "data"]);
  assertEquals(writes("sample", "--run a"), ["a"]);
  assertEquals(writes("sample", "--run a --out b.png"), ["b.png"]);
  assertEquals(writes("sample", "--run a --prior gmm"), ["a"]);
  assertEquals(writes("sample", "--run a --prior gmm --out b.png"), ["b.png", "a"]);
  assertEquals(writes("evaluate", "--frechet"), ["data"]);
  assertEquals(writes("evaluate", "--run a --frechet --prior gmm"), ["data", "a"]);
  assertEquals(writes("score", "--out b.csv"), ["b.csv", "b-images.svg", "b.svg"]);
  assertEquals(writes("score", "--out b.parquet"), ["b.parquet", "b-images.svg", "b.svg"]);
  assertEquals(writes("report", "--compare a b"), ["comparison.html"]);
  assertEquals(writes("report", "--out b.html"), ["b.html", "b"]);
  assertEquals(writes("experiment", "beta"), ["runs/experiments"]);
  assertEquals(writes("models", ""), undefined);
  for (const task of TASKS) {
    for (const flag of permissionFlags(task, [])) {
      if (task === "explore" && flag === "--allow-net=127.0.0.1") continue;
      assertMatch(flag, /^--(no-prompt|allow-read|allow-sys=systemMemoryInfo|allow-(import|env|write)=.+)$/);
    }
  }
  assertEquals(writes("explore", "--build site"), ["site"]);
  for (
    const [task, flag, tracker, host] of [["train", "--log", "mlflow", "127.0.0.1:5000"], [
      "log",
      "--to",
      "wandb",
      "api.wandb.ai",
    ]]
  ) {
    const flags = permissionFlags(task, [flag, `tensorboard,${tracker}`]);
    assert(flags.includes(`--allow-net=${host}`));
    assert(flags.some((each) => each.startsWith("--allow-env=") && each.includes(tracker.toUpperCase())));
    assertEquals(permissionFlags(task, [flag, "tensorboard"]), permissionFlags(task, []));
  }
  assert(permissionFlags("explore", ["--host", "::1"]).includes("--allow-net=[::1]"));
  assertThrows(() => permissionFlags("explore", ["--host", "a,b"]), UsageError, "Cannot listen on");
  assert(permissionFlags("explore", ["--open"]).some((flag) => flag.startsWith("--allow-run=xdg-open,")));
  assertThrows(() => permissionFlags("gone", []), UsageError);
});

Deno.test("deno.json runs tasks by launch.ts, as docs/safety.md says; only bench, fuzz, npm and the tests, which run programs, may do everything", () => {
  const { tasks } = JSON.parse(Deno.readTextFileSync(`${root}deno.json`)) as {
    tasks: Record<string, { command: string }>;
  };
  const launcher =
    /^deno run --quiet --allow-run --allow-read --allow-write --allow-env tasks\/launch\.ts (\w+)(?: |$)/;
  const launched = new Set<string>();
  for (const [name, { command }] of Object.entries(tasks)) {
    const [, task] = launcher.exec(command) ?? [];
    if (task) launched.add(task);
    else assert(["bench", "fuzz", "soak", "npm", "test", "ok"].includes(name.replace(/^test:.*/, "test")), name);
  }
  assertEquals([...launched].sort(), [...TASKS].sort());
  const page = Deno.readTextFileSync(`${root}docs/safety.md`);
  const [, section] = /^## Permissions\n([\s\S]*?)^## /m.exec(page)!;
  for (const name of [...TASKS, ...VARIABLES]) assertStringIncludes(section, `\`${name}\``);
  for (const task of TASKS) assert(Deno.statSync(`${root}tasks/${task}.ts`).isFile);
});
