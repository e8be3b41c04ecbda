/** `export` and `import` as they are used, with mistakes. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { encodeNpz } from "../../datasets/npy.ts";
import { load } from "../../storage/checkpoint.ts";
import { evaluateTask } from "../../tasks/evaluate.ts";
import { exportTask } from "../../tasks/export.ts";
import { importTask } from "../../tasks/import.ts";
import { trainTask } from "../../tasks/train.ts";
import { attempt, blocks, inFolder, small } from "./support.ts";

Deno.test("a run that is exported for PyTorch and imported gives what it gave, and is held against examples", () =>
  inFolder(async () => {
    const done = async (...[task, args]: Parameters<typeof attempt>) => {
      const { code, stdout, stderr } = await attempt(task, args);
      assertEquals([code, stderr], [0, ""]);
      return stdout;
    };
    const failed = async (...[task, args]: Parameters<typeof attempt>) => {
      const { code, stderr } = await attempt(task, args);
      return `${code} ${stderr.split("\n")[0]}`;
    };
    await done(trainTask as never, [...small, "--out", "run", "--no-report"]);
    assertMatch(await done(exportTask as never, ["--run", "run", "--to", "torch"]), /^run\/torch\/vae\.py: /);
    const file = "run/torch/vae.safetensors";
    const data = ["--dataset", "blocks"];

    // Nothing is written where names are only shown.
    const shown = await done(importTask as never, [file, ...data, "--dry-run", "--out", "back"]);
    assertStringIncludes(shown, "encoder.0.weight          encoder_0.weight [6, 16], by its name");
    assert(!await Deno.stat("back").catch(() => undefined));

    using before = await load("run/checkpoint.safetensors");
    const x = before.rowsOf(blocks().test, 0, 5);
    const { mean, logVariance } = await before.encode(x);
    const arrays = (values: Float32Array<ArrayBuffer>) =>
      encodeNpz(Object.fromEntries(
        Object.entries({ x, mean: values, log_variance: logVariance }).map(([name, values]) => [
          name,
          { shape: [5, values.length / 5], values },
        ]),
      ));
    await Deno.writeFile("rows.npz", arrays(mean));
    await Deno.writeFile("other.npz", arrays(mean.map((value) => value + 0.01)));
    const wrong = await failed(importTask as never, [file, ...data, "--examples", "other.npz", "--out", "back"]);
    assertMatch(
      wrong,
      /^1 Error: Cannot read "other\.npz": expected mean as PyTorch gave it, found numbers up to 0\.0/,
    );
    assert(!await Deno.stat("back").catch(() => undefined));
    const said = await done(importTask as never, [file, ...data, "--examples", "rows.npz", "--out", "back"]);
    assertMatch(said, /^mean: as in PyTorch, at most [\d.e-]+ apart$/m);
    using after = await load("back/checkpoint.safetensors");
    assertEquals((await after.encode(x)).mean, mean);
    assertEquals(after.config, before.config);
    // By the same draws: seed and batches are those of the export.
    const elboOf = async (run: string) => {
      const { elbo } = JSON.parse(await done(evaluateTask as never, ["--run", run, "--json"]));
      assert(Number.isFinite(elbo));
      return elbo;
    };
    assertEquals(await elboOf("back"), await elboOf("run"));
    // A run like any other.
    await done(trainTask as never, ["--resume", "back", "--no-report", "--epochs", "1"]);

    assertStringIncludes(
      await failed(importTask as never, [file, ...data, "--out", "back"]),
      '2 Error: Cannot write the run to "back": the folder is not empty',
    );
    assertStringIncludes(await failed(importTask as never, []), "2 Error: Cannot import: expected a file of weights");
    assertStringIncludes(
      await failed(importTask as never, [file, ...data, "--hidden", "7"]),
      '1 Error: Cannot import "run/torch/vae.safetensors": expected encoder.0.weight of [7,16] in PyTorch\'s order',
    );
    await Deno.writeTextFile("names.json", '{"encoder.0": 3}');
    assertStringIncludes(
      await failed(importTask as never, [file, ...data, "--names", "names.json"]),
      '1 Error: Cannot read "names.json": expected names as {"encoder.0": "fc1"}',
    );
    assertStringIncludes(
      await failed(exportTask as never, ["--run", "run", "--license", "mit"]),
      "2 Error: --license goes with --to hub",
    );
  }));
