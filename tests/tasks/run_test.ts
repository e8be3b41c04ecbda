import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { UsageError } from "../../tasks/cli/flags.ts";
import { type Context, execute } from "../../tasks/cli/run.ts";
import type { Terminal } from "../../tasks/cli/terminal.ts";

const flags = {
  name: "try",
  summary: "Tries.",
  groups: {
    all: {
      title: "All",
      settings: { count: { type: "integer", default: 1, minimum: 1, help: "how many" } },
    },
  },
} as const;

function screen(): Terminal & { text: string } {
  return {
    text: "",
    interactive: false,
    columns: () => 80,
    write(text) {
      this.text += text;
    },
  };
}

async function attempt(
  args: readonly string[],
  run: (options: { values: { all: { count: number } } }, context: Context) => void | Promise<void>,
  { debug = false, signal = new AbortController().signal, interactive = false, program = "deno task" } = {},
) {
  const [stdout, stderr] = [screen(), screen()].map((one) => Object.assign(one, { interactive }));
  const code = await execute({ flags, run }, args, { stdout, stderr, signal, debug, program });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

Deno.test("execute() runs the task with its values and returns 0", async () => {
  const result = await attempt(["--count", "3"], ({ values }, { print, emit }) => {
    print(`count ${values.all.count}`);
    emit({ count: values.all.count });
  });
  assertEquals(result, { code: 0, stdout: "count 3\n", stderr: "" });
});

Deno.test("execute() with --json lets only JSON Lines onto stdout", async () => {
  const result = await attempt(["--json"], ({ values }, { print, emit }) => {
    print("for people");
    emit({ count: values.all.count });
  });
  assertEquals(result, { code: 0, stdout: '{"count":1}\n', stderr: "" });
});

Deno.test("execute() prints the help and does not run", async () => {
  const result = await attempt(["--help"], () => {
    throw new Error("ran");
  });
  assertEquals([result.code, result.stderr], [0, ""]);
  assertStringIncludes(result.stdout, "Usage: deno task try");
});

Deno.test("execute() returns 2 for a wrong command line, from the flags or from the task", async () => {
  const hint = "deno task try --help shows every flag\n";
  const expected = 'Error: Cannot read --count: expected an integer of at least 1, found "0"\n' + hint;
  assertEquals(await attempt(["--count", "0"], () => {}), { code: 2, stdout: "", stderr: expected });
  const result = await attempt([], () => {
    throw new UsageError("Cannot use both");
  });
  assertEquals(result, { code: 2, stdout: "", stderr: "Error: Cannot use both\n" + hint });
});

Deno.test("execute() returns 1 for a failure, with one line and no stack", async () => {
  const fail = () => {
    throw new RangeError("Cannot read x\nline 2");
  };
  assertEquals(await attempt([], fail), { code: 1, stdout: "", stderr: "Error: Cannot read x\n" });
  const shown = await attempt([], fail, { debug: true });
  assertStringIncludes(shown.stderr, "line 2");
  assertStringIncludes(shown.stderr, "run_test.ts");
});

Deno.test("execute() takes an abort that was asked for as an end, and any other as a failure", async () => {
  const controller = new AbortController();
  const asked = await attempt([], (_, { signal }) => {
    controller.abort();
    signal.throwIfAborted();
  }, { signal: controller.signal });
  assertEquals(asked, { code: 0, stdout: "", stderr: "" });
  const unasked = await attempt([], () => {
    throw new DOMException("no answer", "AbortError");
  });
  assertEquals(unasked, { code: 1, stdout: "", stderr: "Error: no answer\n" });
});

Deno.test("execute() ends silently when the reader went away", async () => {
  const result = await attempt([], () => {
    throw new Deno.errors.BrokenPipe("Broken pipe");
  });
  assertEquals(result, { code: 141, stdout: "", stderr: "" });
});

Deno.test("execute() asks for the flags where they depend on the command line", async () => {
  const [stdout, stderr] = [screen(), screen()];
  const failing = {
    flags: (args: readonly string[]) => {
      throw new UsageError(`Unknown model ${args[1]}`);
    },
    run: () => {},
  };
  const signal = new AbortController().signal;
  assertEquals(await execute(failing, ["--model", "x"], { stdout, stderr, signal }), 2);
  assertEquals(stderr.text, "Error: Unknown model x\n");
});

const script = `
  import { main } from ${JSON.stringify(import.meta.resolve("../../tasks/cli/run.ts"))};
  await main({
    flags: { name: "try", summary: "Tries.", groups: {} },
    async run(_options, { signal, print }) {
      const alive = setInterval(() => {}, 1000);
      print("ready");
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
      clearInterval(alive);
      print("saved");
    },
  });
`;

for (const [name, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
  Deno.test({
    name: `main() lets a task finish after ${name} and exits with ${code}, a doubled signal notwithstanding`,
    ignore: Deno.build.os === "windows",
    async fn() {
      const file = await Deno.makeTempFile({ suffix: ".ts" });
      try {
        await Deno.writeTextFile(file, script);
        const config = new URL("../../deno.json", import.meta.url).pathname;
        const child = new Deno.Command(Deno.execPath(), {
          args: ["run", "-A", "--no-check", "--quiet", "--config", config, file],
          stdout: "piped",
          stderr: "null",
        }).spawn();
        const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
        let text = (await reader.read()).value ?? "";
        assert(text.startsWith("ready"));
        child.kill(name);
        child.kill(name);
        for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
        assertEquals(text, "ready\nsaved\n");
        assertEquals((await child.status).code, code);
      } finally {
        await Deno.remove(file);
      }
    },
  });
}

Deno.test({
  name: "main() goes on after SIGHUP where it was started to, as by nohup",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const file = await Deno.makeTempFile({ suffix: ".ts" });
    try {
      await Deno.writeTextFile(file, script);
      const config = new URL("../../deno.json", import.meta.url).pathname;
      const run = [Deno.execPath(), "run", "-A", "--no-check", "--quiet", "--config", config, file];
      const child = new Deno.Command("sh", {
        args: ["-c", `trap '' HUP; exec "$@"`, "sh", ...run],
        stdout: "piped",
        stderr: "null",
      }).spawn();
      const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
      let text = (await reader.read()).value ?? "";
      child.kill("SIGHUP");
      // It is the second signal that ends it.
      child.kill("SIGTERM");
      for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
      assertEquals([text, (await child.status).code], ["ready\nsaved\n", 143]);
    } finally {
      await Deno.remove(file);
    }
  },
});

Deno.test("execute() breaks long lines at words on a screen, but never a command, and no line of a pipe", async () => {
  const long = Array.from({ length: 30 }, (_, i) => `word${i}`).join(" ");
  const command = `  deno task try --count ${"1".repeat(90)} --json`;
  const run = (_: unknown, { print }: Context) => {
    print(long);
    print(command);
  };
  assertEquals((await attempt([], run)).stdout, `${long}\n${command}\n`);
  const lines = (await attempt([], run, { interactive: true })).stdout.split("\n");
  assertEquals([lines.slice(0, -2).join(" "), lines.at(-2)], [long, command]);
  assert(lines.length > 3 && lines.slice(0, -2).every((line) => line.length <= 80));
  const failing = () => {
    throw new Error(long);
  };
  const { stderr } = await attempt([], failing, { interactive: true });
  assert(stderr.split("\n").every((line) => line.length <= 80));
});

Deno.test("execute() calls commands as they were called: deno task, or the installed program", async () => {
  const run = (_: unknown, { command, print }: Context) => {
    print(command);
    print("Next: deno task sample --run a; train one with deno task train:mnist");
    throw new UsageError("try deno task models");
  };
  const args = ["--count", "2"];
  const task = await attempt(args, run);
  assertStringIncludes(task.stdout, "deno task try --count 2\nNext: deno task sample --run a");
  const installed = await attempt(args, run, { program: "elbo" });
  assertEquals(
    installed.stdout,
    "elbo try --count 2\nNext: elbo sample --run a; train one with elbo train --dataset mnist\n",
  );
  assertEquals(installed.stderr, "Error: try elbo models\nelbo try --help shows every flag\n");
  assertStringIncludes((await attempt(["--help"], run, { program: "elbo" })).stdout, "Usage: elbo try [flags]");
});
