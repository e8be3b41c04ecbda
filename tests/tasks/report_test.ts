/** The report of a run, several side by side, and their pages in a browser. */

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import project from "../../deno.json" with { type: "json" };
import { load } from "../../files.ts";
import { pathToFileURL } from "node:url";
import { PlotLibraryError } from "../../figures/plot.ts";
import { drawAll } from "../../tasks/cli/pictures.ts";
import { reportTask } from "../../tasks/report.ts";
import { trainTask } from "../../tasks/train.ts";
import { requireWellFormed } from "../figures/support.ts";
import { attempt, blocks, inFolder, jsonLines, small } from "./support.ts";

const exists = (path: string) => Deno.stat(path).then(() => true, () => false);

/** A test in a folder with a run in `run`. */
function withRun(test: () => Promise<void>): Promise<void> {
  return inFolder(async () => {
    const { code, stderr } = await attempt(trainTask, [...small, "--out", "run"]);
    assertEquals([code, stderr], [0, ""]);
    await test();
  });
}

Deno.test("train ends with a report that holds every figure of the run folder", () =>
  withRun(async () => {
    const page = await Deno.readTextFile("run/report.html");
    requireWellFormed(page);
    assertEquals((await Array.fromAsync(Deno.readDir("run/figures"))).map(({ name }) => name).sort(), [
      "curves.svg",
      "kl-per-dimension.svg",
      "latent-scatter.svg",
      "manifold.svg",
      "morphs.svg",
      "neighbourhoods.svg",
      "prior-and-posterior.svg",
      "scores.svg",
      "traversals.svg",
    ]);
    assertStringIncludes(page, (await Deno.readFile("run/samples.png")).toBase64());
    assertStringIncludes(page, (await Deno.readFile("run/reconstructions.png")).toBase64());
    const { validation } = jsonLines(await Deno.readTextFile("run/metrics.jsonl")).at(-1);
    assertStringIncludes(page, validation.elbo.toFixed(2));
  }));

Deno.test("report draws again what was lost, and says where it is", () =>
  withRun(async () => {
    const before = await Deno.readTextFile("run/report.html");
    await Deno.remove("run/figures", { recursive: true });
    await Deno.remove("run/report.html");
    const { code, stdout } = await attempt(reportTask, ["--run", "run"]);
    assertEquals(code, 0);
    assertStringIncludes(
      stdout,
      "run/report.html: open it in a browser; its 11 figures are in run and figures/ there\n",
    );
    assertEquals(await Deno.readTextFile("run/report.html"), before);
    const json = await attempt(reportTask, ["--run", "run", "--json"]);
    const [{ file, figures, notes }, ...others] = jsonLines(json.stdout);
    assertEquals([file, notes, others], ["run/report.html", [], []]);
    for (const path of figures) assert(await exists(path), path);
  }));

Deno.test("config.json and the report hold the command, the versions and the results on test rows", () =>
  withRun(async () => {
    const config = JSON.parse(await Deno.readTextFile("run/config.json"));
    assertEquals(config.commands, [["deno task train", ...small, "--out run"].join(" ")]);
    const { elbo, deno, driver, ...others } = config.versions;
    assertEquals([elbo, deno], [project.version, Deno.version.deno]);
    assert(driver.includes(config.adapter));
    for (const [name, commit] of Object.entries(others)) {
      assertEquals(name, "commit");
      assertMatch(String(commit), /^[0-9a-f]{40}$/);
    }
    using trained = await load("run/checkpoint.safetensors");
    const measured = await trained.evaluate(blocks().test);
    assertEquals(config.test, { count: 240, losses: measured });
    const page = await Deno.readTextFile("run/report.html");
    for (const text of ["Made by", config.commands[0], deno, ">test<", measured.elbo.toFixed(2)]) {
      assertStringIncludes(page, text);
    }
    // A run that goes on keeps the command that it was begun with.
    assertEquals((await attempt(trainTask, ["--resume", "run", "--epochs", "5"])).code, 0);
    const { commands, test } = JSON.parse(await Deno.readTextFile("run/config.json"));
    assertEquals(commands, [config.commands[0], "deno task train --resume run --epochs 5"]);
    assert(test.losses.elbo !== measured.elbo);
  }));

Deno.test("report draws the dimensions and rows that are asked for, and refuses those that are not there", () =>
  withRun(async () => {
    const { code } = await attempt(reportTask, ["--run", "run", "--dimensions", "2,1", "--rows", "7,3"]);
    assertEquals(code, 0);
    const page = await Deno.readTextFile("run/report.html");
    assertStringIncludes(page, "The decoder&#39;s mean over z2 and z1");
    assertStringIncludes(page, "2 data, each above");
    for (
      const [flag, value, message] of [
        ["dimensions", "1,3", "--dimensions: expected two of the 2 that vae has, as 1,2, found 1,3"],
        ["dimensions", "1", "found 1 of them"],
        ["rows", "3,240", "--rows: expected rows of the split that is shown, 240 of them, found 240"],
      ]
    ) {
      const refused = await attempt(reportTask, ["--run", "run", `--${flag}`, value]);
      assertEquals(refused.code, 2);
      assertStringIncludes(refused.stderr, message);
    }
  }));

Deno.test("report of a folder with parts missing has what the others give, and says what is not there", () =>
  withRun(async () => {
    await Deno.remove("run/metrics.jsonl");
    await Deno.remove("run/config.json");
    const { code, stdout } = await attempt(reportTask, ["--run", "run"]);
    assertEquals(code, 0);
    assertStringIncludes(stdout, "No curves: run/metrics.jsonl holds no epoch");
    const page = await Deno.readTextFile("run/report.html");
    assertStringIncludes(page, "No curves");
    assertStringIncludes(page, "learningRate");
    await Deno.writeTextFile("run/config.json", '{"model":');
    const damaged = await attempt(reportTask, ["--run", "run"]);
    assertEquals(damaged.code, 1);
    assertStringIncludes(damaged.stderr, 'Cannot read "run/config.json"');
    await Deno.remove("run/checkpoint.safetensors");
    const empty = await attempt(reportTask, ["--run", "run"]);
    assertEquals(empty.code, 1);
    assertStringIncludes(empty.stderr, "expected a checkpoint.safetensors in it, found none");
  }));

Deno.test("report of a table has no images, but the encodings and the curves", () =>
  inFolder(async () => {
    const rows = Array.from({ length: 60 }, (_, i) => [i % 2, (i + 1) % 2, i % 3 / 2, i % 2].join(","));
    await Deno.writeTextFile("table.csv", rows.join("\n") + "\n");
    const told = "--dataset table.csv --hidden 4 --latents 3 --batch-size 10 --epochs 2 --validation 10 --out run";
    const { code } = await attempt(trainTask, told.split(" "));
    assertEquals(code, 0);
    const { stdout } = await attempt(reportTask, ["--run", "run", "--json"]);
    assertEquals(
      jsonLines(stdout)[0].figures,
      ["curves", "latent-scatter", "prior-and-posterior", "kl-per-dimension", "scores"].map((name) =>
        `run/figures/${name}.svg`
      ),
    );
    assert(!await exists("run/samples.png"));
  }));

Deno.test("report --compare puts runs side by side", () =>
  withRun(async () => {
    await attempt(trainTask, [...small.map((arg) => arg === "6" ? "7" : arg), "--out", "wider"]);
    const { code, stdout } = await attempt(reportTask, ["--compare", "run", "wider", "--out", "both.html"]);
    assertEquals([code, stdout], [0, "both.html: run, wider; open it in a browser\n"]);
    const page = await Deno.readTextFile("both.html");
    requireWellFormed(page);
    assertStringIncludes(page, "<td>hidden</td>");
    assert(!page.includes("<td>latents</td>"));
    for (const id of ["run-1-samples", "run-2-samples", "curves"]) assertStringIncludes(page, `id="${id}"`);
    await Deno.remove("wider/metrics.jsonl");
    const again = await attempt(reportTask, ["--compare=run,wider", "--json"]);
    const [{ file, runs, notes }] = jsonLines(again.stdout);
    assertEquals([file, runs], ["comparison.html", ["run", "wider"]]);
    assertEquals(notes, ["wider has no curves: metrics.jsonl holds no epoch"]);
  }));

Deno.test("report refuses what makes no sense, with exit code 2", () =>
  withRun(async () => {
    const cases = [
      [["--compare", "run"], "expected at least two run folders after --compare, found 1"],
      [["--compare", "run", "run/"], "expected different run folders, found run, run"],
      [["--compare", "run", "none"], 'Cannot open the run "none": there is no such folder'],
      [["--compare", "run", "none", "--run", "run"], "expected --run or --compare, found both"],
      [["--compare"], "expected texts joined by commas, found nothing"],
      [["--run", "run", "--out", "x.pdf"], '--out: expected a file that ends with .html, found "x.pdf"'],
    ] as const;
    for (const [args, message] of cases) {
      const { code, stderr } = await attempt(reportTask, args);
      assertEquals(code, 2, stderr);
      assertStringIncludes(stderr, message);
    }
  }));

Deno.test("drawAll() leaves out what needs a plotting library that cannot be had, and says so once", async () => {
  const missing = () => Promise.reject(new PlotLibraryError("Cannot draw plots: no network"));
  const image = { name: "a", title: "A", caption: "", file: "a.png", content: new Uint8Array(1) } as const;
  const { signal } = new AbortController();
  const nothing = () => Promise.resolve(undefined);
  const drawn = await drawAll([missing, () => Promise.resolve(image), nothing, missing], signal);
  assertEquals(drawn, { figures: [image], notes: ["No plots, only images: Cannot draw plots: no network"] });
  const partly = await drawAll(
    [() => Promise.reject(new RangeError("another\nline")), () => Promise.resolve(image)],
    signal,
  );
  assertEquals(partly, { figures: [image], notes: ["A figure is left out: another"] });
  await assertRejects(() => drawAll([nothing], AbortSignal.abort()), DOMException);
});

const BROWSER = "chromium";
// output() throws at once where there is no such program.
const browser = await Promise.try(() =>
  new Deno.Command(BROWSER, { args: ["--version"], stdout: "null", stderr: "null" }).output()
).then(({ success }) => success, () => false);

/** What a page writes to the browser's console, and the size of its picture in bytes. */
async function consoleOf(page: string): Promise<string[]> {
  const { stderr } = await new Deno.Command(BROWSER, {
    args: [
      ...["--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0"],
      `--user-data-dir=${Deno.cwd()}/profile`,
      ...["--screenshot=page.png", "--window-size=400,900", pathToFileURL(page).href],
    ],
    stdout: "null",
    stderr: "piped",
  }).output();
  return new TextDecoder().decode(stderr).split("\n").filter((line) => line.includes(":CONSOLE"));
}

Deno.test({
  name: `reports open in a browser without an error${browser ? "" : ` (ignored: there is no ${BROWSER} to open them)`}`,
  ignore: !browser,
  fn: () =>
    withRun(async () => {
      await attempt(reportTask, ["--compare", "run", "run/../run", "--out", "both.html"]);
      for (const page of ["run/report.html", "both.html"]) {
        assertEquals(await consoleOf(page), []);
        assert((await Deno.stat("page.png")).size > 10_000);
      }
      // What is looked for would be seen: a page that fetches a file that is not there, and one that complains.
      await Deno.writeTextFile("bad.html", "<script>console.error('seen')</script>");
      assertStringIncludes((await consoleOf("bad.html")).join(), "seen");
    }),
});
