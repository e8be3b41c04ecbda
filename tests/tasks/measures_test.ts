/** The tasks that measure and write what a model makes of data: evaluate, encode, score, impute. */

import { assert, assertAlmostEquals, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { DatasetSource } from "../../core/dataset.ts";
import { datasets } from "../../datasets/mod.ts";
import { parseNpy, parseNpz } from "../../datasets/npy.ts";
import { makeSprites } from "../../datasets/sprites.ts";
import { encodeTask } from "../../tasks/encode.ts";
import { evaluateTask } from "../../tasks/evaluate.ts";
import { imputeTask } from "../../tasks/impute.ts";
import { scoreTask } from "../../tasks/score.ts";
import { trainTask } from "../../tasks/train.ts";
import { attempt, inFolder, jsonLines, small } from "./support.ts";

/** A test in a folder with a vae of blocks in runs/first. */
function withRun(test: () => Promise<void>, ...flags: string[]): Promise<void> {
  return inFolder(async () => {
    const { code, stderr } = await attempt(trainTask, [...small, "--out", "runs/first", ...flags]);
    assertEquals([code, stderr], [0, ""]);
    await test();
  });
}

Deno.test("evaluate --samples gives the log-likelihood above the ELBO of the same draws, and how latents are used", () =>
  withRun(async () => {
    const [result] = jsonLines((await attempt(evaluateTask, ["--samples", "50", "--json"])).stdout);
    assert(result.logLikelihood > result.elbo);
    assertAlmostEquals(result.elbo, -(result.nll + result.kl), 1e-9);
    assert(result.effectiveSamples > 1 && result.effectiveSamples <= 50 && result.standardError > 0);
    assertEquals([result.exact, result.estimator, result.samples], [false, "importance", 50]);
    assertEquals([result.latents.of, result.latents.kl.length, result.latents.count], [2, 2, 240]);
    assert(result.images.psnr > 0 && result.images.mse > 0 && result.images.ssim === undefined); // 4 x 4 is below the window
    const [harmonic] = jsonLines(
      (await attempt(evaluateTask, ["--samples", "50", "--estimator", "harmonic", "--json"])).stdout,
    );
    assert(harmonic.logLikelihood !== result.logLikelihood && harmonic.elbo === result.elbo);
    const { stdout } = await attempt(evaluateTask, ["--samples", "5"]);
    assertMatch(stdout, /logLikelihood +-\d+\.\d{3}\n {2}standardError +\d/);
    assertMatch(stdout, /Latents, 240 rows: \d of 2 with a KL/);
    const single = await attempt(evaluateTask, ["--estimator", "harmonic"]);
    assertEquals(single.code, 2);
    assertStringIncludes(single.stderr, "--estimator harmonic: expected --samples of at least 2, found 1");
    const unlabelled = await attempt(evaluateTask, ["--frechet"]);
    assertEquals(unlabelled.code, 2);
    assertStringIncludes(unlabelled.stderr, "--frechet: expected a dataset with labels, found blocks without");
  }));

Deno.test("training says after each epoch how many latents are in use, and warns where the posterior has collapsed", () =>
  withRun(async () => {
    const epochs = jsonLines(await Deno.readTextFile("runs/first/metrics.jsonl")).filter(({ event }) =>
      event === "epoch"
    );
    assertEquals(epochs.map(({ latents }) => [latents.of, latents.kl.length]), Array(4).fill([2, 2]));
    const { stdout } = await attempt(trainTask, [
      ...small,
      "--out",
      "collapsed",
      "--model",
      "beta_vae",
      "--beta",
      "500",
      "--learning-rate",
      "0.1",
    ]);
    assertStringIncludes(stdout, "0/2 latents");
    assertStringIncludes(stdout, "Warning: posterior collapse, 0 of 2 latent dimensions");
  }));

Deno.test("evaluate and score take an autoencoder for what it is", () =>
  withRun(
    async () => {
      const [result] = jsonLines((await attempt(evaluateTask, ["--samples", "7", "--json"])).stdout);
      assertEquals([result.logLikelihood, result.latents, result.kl], [undefined, undefined, 0]);
      const refused = await attempt(evaluateTask, ["--estimator", "harmonic"]);
      assertEquals(refused.code, 2);
      assertStringIncludes(refused.stderr, "expected a model with a density; runs/first holds a ae");
      const { stdout } = await attempt(scoreTask, []);
      assertStringIncludes(stdout, "score: -nll, the model has no density, nats");
    },
    "--model",
    "ae",
  ));

Deno.test("encode writes means and variances as .npz, .npy and .csv", () =>
  withRun(async () => {
    const { code, stdout } = await attempt(encodeTask, []);
    assertEquals(code, 0);
    assertStringIncludes(stdout, "runs/first/latents.npz: 240 test rows, 2 latents each, encoded by vae");
    const npz = parseNpz(await Deno.readFile("runs/first/latents.npz"), "latents.npz");
    assertEquals([...npz].map(([name, { shape }]) => [name, shape]), [["row", [240]], ["mean", [240, 2]], [
      "variance",
      [240, 2],
    ]]);
    await attempt(encodeTask, ["--out", "z.npy"]);
    const npy = parseNpy(await Deno.readFile("z.npy"), "z.npy");
    assertEquals([npy.shape, npy.values], [[240, 2], npz.get("mean")!.read().values]);
    await attempt(encodeTask, ["--out", "z.csv"]);
    const [head, first, ...others] = (await Deno.readTextFile("z.csv")).trimEnd().split("\n");
    assertEquals([head, others.length], ["row,z1_mean,z2_mean,z1_variance,z2_variance", 239]);
    assertEquals(first.split(",").map(Number).map(Math.fround), [
      0,
      ...npz.get("mean")!.read().values.subarray(0, 2),
      ...npz.get("variance")!.read().values.subarray(0, 2),
    ]);
    const refused = await attempt(encodeTask, ["--out", "z.txt"]);
    assertEquals(refused.code, 2);
    assertStringIncludes(
      refused.stderr,
      '--out: expected a file that ends with .npz, .csv, .parquet or .npy, found "z.txt"',
    );
  }));

Deno.test("score sorts the rows, draws the worst above the best, and takes other data of the same shape", () =>
  withRun(async () => {
    const [result] = jsonLines((await attempt(scoreTask, ["--samples", "5", "--json"])).stdout);
    assertEquals([result.kind, result.samples, result.count], ["estimate", 5, 240]);
    const [head, ...lines] = (await Deno.readTextFile("runs/first/scores.csv")).trimEnd().split("\n");
    assertEquals([head, lines.length], ["row,score", 240]);
    const values = lines.map((line) => Number(line.split(",")[1]));
    values.forEach((value, i) => assert(i === 0 || value >= values[i - 1]));
    assertEquals(result.worst, { row: Number(lines[0].split(",")[0]), score: values[0] });
    const picture = await Deno.readTextFile("runs/first/scores-images.svg");
    for (const word of [">least probable<", ">most probable<", "The 50 rows that vae finds least and most probable"]) {
      assertStringIncludes(picture, word);
    }
    assertStringIncludes(await Deno.readTextFile("runs/first/scores.svg"), "How probable single data are");
    // Uniform noise is less probable than blocks.
    await Deno.writeTextFile(
      "noise.csv",
      Array.from({ length: 50 }, (_, n) => Array.from({ length: 16 }, (_, d) => (n * 37 + d * 101) % 256).join(","))
        .join("\n"),
    );
    const other = await attempt(scoreTask, ["--dataset", "noise.csv"]);
    assertEquals(other.code, 1);
    assertStringIncludes(other.stderr, "expected data of [4,4,1], found [1,16,1]");
    const own = await attempt(scoreTask, ["--dataset", "blocks", "--split", "train", "--json", "--out", "other.csv"]);
    assertEquals([own.code, jsonLines(own.stdout)[0].file], [0, "other.csv"]);
  }));

Deno.test("impute fills in what is missing better than the mean image, and refuses a mask that is none", () =>
  withRun(
    async () => {
      const { code, stdout } = await attempt(imputeTask, ["--mask", "bottom", "--json", "--iterations", "10"]);
      assertEquals(code, 0);
      const [result] = jsonLines(stdout);
      assertEquals([result.missing, result.count, result.file], [8, 240, "runs/first/imputed.svg"]);
      assert(result.mse < result.baseline / 2, `${result.mse} ${result.baseline}`);
      for (
        const [mask, message] of [["middle", "expected left, right"], ["random:0", "found 0 of 16"], [
          "no.png",
          "cannot read",
        ]]
      ) {
        const refused = await attempt(imputeTask, ["--mask", mask]);
        assertEquals(refused.code, 2);
        assertStringIncludes(refused.stderr, message);
      }
    },
    "--binarize",
    "threshold",
    "--learning-rate",
    "0.02",
  ));

Deno.test("evaluate --disentanglement and --probe measure the latents against known factors and labels", () =>
  inFolder(async () => {
    (datasets as Map<string, DatasetSource>).set("some_sprites", {
      name: "some_sprites",
      summary: "some sprites",
      source: "this test",
      load: () => Promise.resolve({ ...makeSprites({ train: 260, test: 120, size: 8 }), name: "some_sprites" }),
    });
    const told = "--dataset some_sprites --hidden 8 --latents 3 --epochs 2 --batch-size 20 --validation 20 --out run";
    assertEquals((await attempt(trainTask, told.split(" "))).code, 0);
    const measured = [
      "--run",
      "run",
      "--disentanglement",
      "--probe",
      "--probe-rows",
      "200",
      "--probe-test-rows",
      "90",
      "--votes",
      "8",
    ];
    const { code, stdout, stderr } = await attempt(evaluateTask, measured);
    assertEquals([code, stderr], [0, ""]);
    for (
      const line of [
        "Disentanglement: 3 latents and 5 factors, 120 rows; 1 is best",
        "Factors, and how many values each has: shape (3), scale (6), orientation (",
        "Probes: trained on 200 training rows, measured on 90 rows; accuracy of labels (the most frequent one: 0.",
      ]
    ) assertStringIncludes(stdout, line);
    assertMatch(stdout, /numbers a row +3 +64 +3\n/);
    assertMatch(stdout, /betaVaeScore +\d\.\d{3} {3}a linear classifier tells which factor is held \(chance 0\.20\)/);
    const [{ disentanglement, probes }] = jsonLines((await attempt(evaluateTask, [...measured, "--json"])).stdout);
    for (
      const score of [
        disentanglement.betaVaeScore,
        disentanglement.factorVaeScore,
        disentanglement.mutualInformationGap,
        disentanglement.separatedAttributePredictability,
        disentanglement.modularity,
        disentanglement.dci.disentanglement,
        disentanglement.dci.completeness,
        disentanglement.dci.informativeness,
        disentanglement.infoMec.compactness,
      ]
    ) assert(score >= 0 && score <= 1, `${score}`);
    assertEquals(disentanglement.dci.importance.map((row: number[]) => row.length), [5, 5, 5]);
    // The shape is the label: a class, and no number.
    assertEquals(probes.factors, ["scale", "orientation", "x", "y"]);
    assertEquals([probes.latents.size, probes.data.size, probes.pca.size], [3, 64, 3]);
    assert(
      probes.data.factors[2].neighbours > 0.5,
      `pixels say where a sprite is: ${probes.data.factors[2].neighbours}`,
    );
    // Two runs of one seed, one for readers and one for programs, say the same.
    assertMatch(stdout, new RegExp(`dciCompleteness +${disentanglement.dci.completeness.toFixed(3)} `));
    assertStringIncludes(stdout, probes.pca.factors[3].ridge.toFixed(3));
    const refused = await attempt(evaluateTask, ["--run", "run", "--probe", "--split", "train"]);
    assertEquals(refused.code, 2);
    assertStringIncludes(
      refused.stderr,
      "--probe: expected rows that are not trained on (--split test), found --split train",
    );
  }));

Deno.test("evaluate --disentanglement and --probe say what data they need", () =>
  withRun(async () => {
    const factors = await attempt(evaluateTask, ["--disentanglement"]);
    assertEquals(factors.code, 2);
    assertStringIncludes(factors.stderr, "--disentanglement: expected a dataset with known factors");
    const labels = await attempt(evaluateTask, ["--probe"]);
    assertEquals(labels.code, 2);
    assertStringIncludes(
      labels.stderr,
      "--probe: expected a dataset with labels or known factors, found blocks without",
    );
  }));

Deno.test("evaluate --disentanglement takes the c_ columns of a table: it cuts numbers into bins and leaves out what never changes", () =>
  inFolder(async () => {
    const line = (n: number) => [Math.sin(n), n % 2 + Math.cos(n) / 9, n % 2, Math.sin(n) / 3, 7].join(",");
    const lines = Array.from({ length: 240 }, (_, n) => line(n));
    await Deno.writeTextFile("table.csv", ["a,b,c_side,c_depth,c_same", ...lines].join("\n"));
    const told = "--dataset table.csv --hidden 6 --latents 2 --epochs 2 --batch-size 20 --validation 20 --out run";
    assertEquals((await attempt(trainTask, told.split(" "))).code, 0);
    const measured = "--run run --split all --disentanglement --votes 4 --bins 10 --factor-rows 200".split(" ");
    const { code, stdout } = await attempt(evaluateTask, measured);
    assertEquals(code, 0);
    assertStringIncludes(stdout, "Disentanglement: 2 latents and 2 factors, 200 rows; 1 is best");
    assertStringIncludes(
      stdout,
      "Factors, and how many values each has: c_side (2), c_depth (10 bins); left out, for they never change: c_same",
    );
  }));
