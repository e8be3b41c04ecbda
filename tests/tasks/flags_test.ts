import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { Settings } from "../../core/settings.ts";
import { type FlagGroup, flagName, helpText, parseFlags, peekFlag, UsageError } from "../../tasks/cli/flags.ts";

interface ModelConfig {
  hidden: readonly number[];
  latents: number;
  activation: string;
  beta: number;
}

interface RunConfig {
  batchSize: number;
  shift: number;
  biasCorrection: boolean;
  resume: string | undefined;
  verbose: boolean;
}

const modelSettings: Settings<ModelConfig> = {
  hidden: { type: "integers", default: [500], minimum: 1, help: "units of each hidden layer" },
  latents: { type: "integer", default: 20, minimum: 1, help: "dimensions of z" },
  activation: { type: "choice", default: "tanh", choices: ["tanh", "relu"], help: "of hidden layers" },
  beta: { type: "number", default: 1, minimum: 0, exclusiveMinimum: true, help: "weight of the KL" },
};

const runSettings: Settings<RunConfig> = {
  batchSize: { type: "integer", default: 100, minimum: 1, maximum: 60000, help: "data a step" },
  shift: { type: "number", default: 0, help: "any number" },
  biasCorrection: { type: "boolean", default: true, help: "Adam's" },
  resume: { type: "string", default: undefined, help: "run folder to go on with" },
  verbose: { type: "boolean", default: false, help: "says more" },
};

const flags = {
  name: "train",
  summary: "Trains a model.",
  groups: {
    model: { title: "Model", settings: modelSettings },
    run: { title: "Run", settings: runSettings, placeholders: { resume: "DIR" } } as FlagGroup<RunConfig>,
  },
  examples: ["deno task train --latents 2"],
};

const parse = (...args: string[]) => parseFlags(flags, args);

function usageError(...args: string[]): string {
  return assertThrows(() => parse(...args), UsageError).message;
}

Deno.test("parseFlags() gives every default where nothing is said", () => {
  const { values, given, json, help } = parse();
  assertEquals(values.model, { hidden: [500], latents: 20, activation: "tanh", beta: 1 });
  assertEquals(values.run, { batchSize: 100, shift: 0, biasCorrection: true, resume: undefined, verbose: false });
  assertEquals([given.size, json, help], [0, false, false]);
});

Deno.test("parseFlags() reads every type, with a space or an equals sign", () => {
  const { values, given, json } = parse(
    ..."--hidden 500,200 --latents=2 --activation relu --beta 4.5 --batch-size=1e3 --resume=runs/a=b --verbose --json"
      .split(" "),
  );
  const hidden: readonly number[] = values.model.hidden; // the type follows from the settings
  assertEquals(hidden, [500, 200]);
  assertEquals(values.model, { hidden: [500, 200], latents: 2, activation: "relu", beta: 4.5 });
  assertEquals(values.run, { batchSize: 1000, shift: 0, biasCorrection: true, resume: "runs/a=b", verbose: true });
  assertEquals(json, true);
  assert(given.has("batchSize") && given.has("json") && !given.has("shift"));
});

Deno.test("parseFlags() reads a list of texts with commas, or with spaces up to the next flag", () => {
  const runs: FlagGroup<{ runs: readonly string[]; seed: number }> = {
    title: "Runs",
    settings: {
      runs: { type: "strings", default: [], help: "run folders" },
      seed: { type: "integer", default: 0, help: "any" },
    },
  };
  const lists = { name: "report", summary: "Compares.", groups: { runs } };
  for (
    const args of [["--runs", "a", "b/c", "--seed", "3"], ["--runs=a,b/c", "--seed=3"], [
      "--seed",
      "3",
      "--runs",
      "a,b/c",
    ]]
  ) {
    assertEquals(parseFlags(lists, args).values.runs, { runs: ["a", "b/c"], seed: 3 });
  }
  assertThrows(() => parseFlags(lists, ["--runs", "a,,b"]), UsageError, 'texts joined by commas, found "a,,b"');
  assertThrows(() => parseFlags(lists, ["--seed", "3", "b"]), UsageError, 'Unexpected argument "b"');
});

Deno.test("parseFlags() takes a negative number for a value", () => {
  assertEquals(parse("--shift", "-3.5").values.run.shift, -3.5);
  assertEquals(parse("--shift=-1e-3").values.run.shift, -0.001);
  assertEquals(parse("--shift", "-.5").values.run.shift, -0.5);
});

Deno.test("parseFlags() reads booleans with and without a word", () => {
  assertEquals(parse("--no-bias-correction").values.run.biasCorrection, false);
  assertEquals(parse("--bias-correction=false").values.run.biasCorrection, false);
  assertEquals(parse("--bias-correction", "false", "--latents", "3").values.run.biasCorrection, false);
  assertEquals(parse("--bias-correction").values.run.biasCorrection, true);
  assertEquals(
    usageError("--verbose=maybe"),
    'Cannot read --verbose: expected true or false, found "maybe"',
  );
});

Deno.test("parseFlags() reads none as the empty list", () => {
  assertEquals(parse("--hidden", "none").values.model.hidden, []);
});

Deno.test("parseFlags() names the flag, the expectation and what it found", () => {
  const integers = "expected integers joined by commas, each of at least 1, found";
  assertEquals(usageError("--hidden", "500,,3"), `Cannot read --hidden: ${integers} "500,,3"`);
  assertEquals(usageError("--hidden", "500,x"), `Cannot read --hidden: ${integers} "500,x"`);
  assertEquals(usageError("--latents", "-3"), 'Cannot read --latents: expected an integer of at least 1, found "-3"');
  assertEquals(usageError("--latents=2.5"), 'Cannot read --latents: expected an integer of at least 1, found "2.5"');
  assertEquals(
    usageError("--batch-size", "0"),
    'Cannot read --batch-size: expected an integer of at least 1 and at most 60000, found "0"',
  );
  assertEquals(usageError("--activation", "tan"), 'Cannot read --activation: expected one of tanh, relu, found "tan"');
  for (const text of ["0", "NaN", "Infinity", "1e999", "0x10", "1,5", " "]) {
    assertEquals(usageError("--beta", text), `Cannot read --beta: expected a number above 0, found "${text}"`);
  }
  // Float32 holds neither: it would be infinite, or 0.
  const beyond = 'Cannot read --beta: expected a number above 0 and at most 3.4e+38, found "1e39"';
  assertEquals(usageError("--beta", "1e39"), beyond);
  assertEquals(usageError("--beta", "1e-50"), 'Cannot read --beta: expected a number above 0, found "1e-50"');
});

Deno.test("parseFlags() misses a value", () => {
  const missing = "Cannot read --latents: expected an integer of at least 1, found nothing";
  assertEquals(usageError("--latents"), missing);
  assertEquals(usageError("--latents", "--beta", "2"), missing);
  assertEquals(usageError("--latents="), missing);
  assertEquals(usageError("--resume", ""), "Cannot read --resume: expected text, found nothing");
});

Deno.test("parseFlags() refuses a flag given twice", () => {
  assertEquals(
    usageError("--beta", "1", "--beta=2"),
    'Cannot read --beta: expected it once, found "1" and "2"',
  );
});

Deno.test("parseFlags() refuses what is no flag", () => {
  assertEquals(usageError("mnist"), 'Unexpected argument "mnist": every value follows a flag');
  assertEquals(usageError("--verbose", "7"), 'Unexpected argument "7": every value follows a flag');
  assertEquals(usageError("--", "x"), 'Unexpected argument "x": every value follows a flag');
});

Deno.test("parseFlags() suggests the nearest known flag", () => {
  const suggested = (flag: string) => usageError(flag, "1").split(" is ")[1];
  assertEquals(usageError("--latnets", "3"), "Unknown flag --latnets: the nearest known one is --latents");
  assertEquals(suggested("--batchSize=3"), "--batch-size");
  assertEquals(suggested("--batch"), "--batch-size");
  assertEquals(suggested("--bs"), "--batch-size");
  assertEquals(suggested("-latents"), "--latents");
  assertEquals(suggested("--no-latents"), "--latents");
  assertStringIncludes(usageError("--__proto__", "1"), "Unknown flag --__proto__");
  assertEquals(suggested("--hidden.x"), "--hidden");
});

Deno.test("parseFlags() lets --help win over mistakes", () => {
  assertEquals(parse("--help", "--bogus", "--latents", "x").help, true);
  assertEquals(parse("-h").help, true);
});

Deno.test("parseFlags() refuses two settings of one name", () => {
  const twice = {
    ...flags,
    groups: { a: flags.groups.model, b: { title: "B", settings: { latents: modelSettings.latents } } },
  };
  assertThrows(() => parseFlags(twice, []), TypeError, "--latents");
});

Deno.test("peekFlag() finds one flag among others", () => {
  assertEquals(peekFlag(["--x", "--model", "beta_vae"], "model"), "beta_vae");
  assertEquals(peekFlag(["--model=./my.ts"], "model"), "./my.ts");
  assertEquals(peekFlag(["--model", "--x"], "model"), undefined);
  assertEquals(peekFlag(["--models", "a"], "model"), undefined);
  assertEquals(peekFlag(["--", "--model", "a"], "model"), undefined);
});

Deno.test("flagName() makes words of capitals", () => {
  assertEquals(flagName("batchSize"), "--batch-size");
  assertEquals(flagName("seed"), "--seed");
});

Deno.test("helpText() shows usage, summary, groups with ranges and defaults, and examples", () => {
  assertEquals(
    helpText(flags),
    `\
Usage: deno task train [flags]

Trains a model.

Model
  --hidden N,N,...        units of each hidden layer (at least 1; default 500)
  --latents N             dimensions of z (at least 1; default 20)
  --activation WORD       of hidden layers (tanh, relu; default tanh)
  --beta X                weight of the KL (above 0; default 1)

Run
  --batch-size N          data a step (1 to 60000; default 100)
  --shift X               any number (default 0)
  --[no-]bias-correction  Adam's (default true)
  --resume DIR            run folder to go on with
  --verbose               says more

General
  --json                  JSON Lines on stdout, and nothing else there
  --help                  this text

Examples
  deno task train --latents 2
`,
  );
});

Deno.test("helpText() wraps to the width", () => {
  const text = helpText(flags, 60);
  assertStringIncludes(
    text,
    "  --hidden N,N,...        units of each hidden layer (at\n                          least 1; default 500)\n",
  );
});
