import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  barPlot,
  densityPanels,
  histogramOf,
  histogramPlot,
  linePlot,
  panels,
  scatterPlot,
} from "../../figures/charts.ts";
import { codeBars } from "../../figures/codes.ts";
import { curves } from "../../figures/curves.ts";
import { normalDensity, normalQuantile } from "../../figures/normal.ts";
import { classColours } from "../../figures/plot.ts";
import { scoreHistogram } from "../../figures/scores.ts";
import { svg, texts } from "./support.ts";

const words = { name: "a-name", title: "A <title> & more", caption: "What it is", x: "epoch", y: "ELBO (nats)" };

/** Groups of marks of a kind, each as the paths or shapes in it. */
function marks(markup: string, kind: string): string[][] {
  return [...markup.matchAll(new RegExp(`<g class="mark-${kind} role-mark[^"]*"[^>]*>(.*?)</g>`, "g"))]
    .map(([, inside]) => [...inside.matchAll(/<(?:path|text)\b[^>]*>/g)].map(([mark]) => mark));
}

Deno.test("scatterPlot() has a mark for each point, and classes in the legend and at their medians", async () => {
  const classes = [10, 2, 2, 10, 10];
  const figure = await scatterPlot({ ...words, points: { x: [1, 2, 3, 4, NaN], y: [1, 3, 1, 5, 2], classes } });
  const markup = svg(figure);
  assertEquals([figure.name, figure.file], ["a-name", "a-name.svg"]);
  // The point that is no number is left out.
  assertEquals(marks(markup, "symbol")[0].length, 4);
  const written = texts(markup);
  assert(written.includes("A &lt;title&gt; &amp; more"), written.join());
  for (const text of ["epoch", "ELBO (nats)", "label"]) assert(written.includes(text), text);
  // By number, not by letter: 2 before 10. Twice in the plot, for the halo, and once in the legend.
  const names = written.filter((text) => text === "2" || text === "10");
  assert(names.lastIndexOf("2") < names.lastIndexOf("10"));
  assertEquals(marks(markup, "text").map((group) => group.length), [2, 2]);
  for (const colour of classColours(2)) assertStringIncludes(markup, colour);
});

Deno.test("linePlot() names every series, draws a band where there is one, and a gap where a value is missing", async () => {
  const [x, y] = [[1, 2, 3], [3, 4, 5]];
  const plain = svg(await linePlot({ ...words, series: [{ name: "a", x, y }, { name: "b", x, y: [1, NaN, 2] }] }));
  const written = texts(plain);
  assert(written.includes("a") && written.includes("b"));
  assertEquals(marks(plain, "area").flat().length, 0);
  const lines = marks(plain, "line").flat().map((path) => path.match(/ d="([^"]*)"/)![1]);
  assertEquals(lines.map((line) => line.split("M").length - 1), [1, 2]);
  const banded = svg(await linePlot({ ...words, series: [{ name: "a", x, y, lower: [2, 3, 4], upper: [4, 5, 6] }] }));
  assertEquals(marks(banded, "area").flat().length, 1);
  await assertRejects(
    () => linePlot({ ...words, series: [{ name: "a", x, y: [1] }] }),
    RangeError,
    'Cannot draw "a-name": expected 3 values of y of "a", found 1',
  );
});

Deno.test("barPlot() has a bar for each category, as high as its value", async () => {
  const bars = { categories: ["x", "y", "z"], values: [1, 2, 4], spread: [0.1, 0.1, 0.1] };
  const markup = svg(await barPlot({ ...words, bars }));
  const heights = marks(markup, "rect")[0].map((path) => Number(path.match(/v([\d.]+)/)![1]));
  assertAlmostEquals(heights[2] / heights[0], 4, 1e-6);
  assertAlmostEquals(heights[1] / heights[0], 2, 1e-6);
  assertEquals(marks(markup, "rule").at(-1)!.length + (markup.match(/<line[^>]*stroke="#222"/g)?.length ?? 0), 3);
  await assertRejects(
    () => barPlot({ ...words, bars: { categories: [1], values: [] } }),
    RangeError,
    "expected 1 values",
  );
});

Deno.test("histogramOf() is a density over equal intervals", () => {
  const { edges, density } = histogramOf([0, 0.1, 0.9, 1, Infinity], { bins: 2 });
  assertEquals([edges, density], [[0, 0.5, 1], [1, 1]]);
  // Half of the values lie outside: so does half of the mass.
  const { density: inside } = histogramOf([0, 0, 5, 6], { bins: 4, range: [-1, 1] });
  assertAlmostEquals(inside.reduce((sum, value) => sum + value * 0.5, 0), 0.5, 1e-12);
  assertEquals(histogramOf([3, 3]).edges[0], 2.5);
  assertThrows(() => histogramOf([NaN]), RangeError, "expected finite values, found none");
});

Deno.test("histogramPlot() draws every set over the same intervals, and marks values", async () => {
  const sets = [{ name: "one", values: [0, 1, 2, 3] }, { name: "two", values: [0, 0, 3] }];
  const markup = svg(await histogramPlot({ ...words, sets, bins: 3, marks: [{ name: "mean", value: 1.5 }] }));
  const written = texts(markup);
  for (const name of ["one", "two", "mean", "density"]) assert(written.includes(name), name);
  assertEquals(marks(markup, "rect").flat().length, 6);
});

Deno.test("densityPanels() and panels() have a frame for each panel and one legend", async () => {
  const density = svg(
    await densityPanels({
      ...words,
      names: ["data", "prior"],
      density: normalDensity,
      range: 4,
      panels: [{ name: "z1", values: [0, 1] }, { name: "z2", values: [0, 2] }],
    }),
  );
  const count = (markup: string, text: string) => texts(markup).filter((found) => found === text).length;
  assertEquals(["z1", "z2", "data", "prior"].map((text) => count(density, text)), [1, 1, 1, 1]);
  const series = [{ name: "a", x: [1, 2], y: [1, 2] }, { name: "b", x: [1, 2], y: [2, 2] }];
  const panel = { x: "epoch", y: "nats", series };
  const lines = svg(await panels({ ...words, panels: [{ ...panel, title: "ELBO" }, { ...panel, title: "KL" }] }));
  assertEquals(["ELBO", "KL", "a", "b", "epoch"].map((text) => count(lines, text)), [1, 1, 1, 1, 2]);
});

Deno.test("a panel's title stands right above its frame, however long its axis title is", async () => {
  const series = [{ name: "a", x: [1, 10], y: [1, 2] }];
  const panel = { x: "data seen", y: "log p(x) of all rows (nats per datum)", logX: true, series };
  const markup = svg(await panels({ ...words, columns: 2, panels: [{ ...panel, title: "importance" }] }));
  assertMatch(markup, /translate\(0,-8\)[^>]*>importance</);
});

Deno.test("classColours() has a colour of its own for each class", () => {
  for (const count of [1, 2, 10, 47]) assertEquals(new Set(classColours(count)).size, count);
});

const losses = (elbo: number, more = {}) => ({ elbo, nll: -elbo - 3, kl: 3, loss: -elbo, ...more });

Deno.test("curves() has a panel for each term with something to show, and lines for training and validation", async () => {
  const epochs = [1, 2].map((epoch) => ({ epoch, train: losses(-10 / epoch), validation: losses(-11 / epoch) }));
  const one = texts(svg(await curves([{ name: "vae", epochs }])));
  for (const text of ["ELBO", "NLL (reconstruction)", "KL", "training", "validation"]) assert(one.includes(text), text);
  // The loss is -ELBO: it would be the same curve upside down.
  assert(!one.some((text) => text.startsWith("Loss (")));
  const weighted = [{ epoch: 1, train: { elbo: -5, nll: 3, kl: 2, loss: 11, perplexity: 7.5, ssim: 0.4 } }];
  const two = texts(svg(await curves([{ name: "b", epochs: weighted }])));
  for (const text of ["Loss (weights included)", "perplexity", "codes", "SSIM"]) assert(two.includes(text), text);
  assert(!two.includes("validation"));
});

Deno.test("curves() shows the SSIM of validation rows, which no training has", async () => {
  const epochs = [1, 2].map((epoch) => ({ epoch, train: losses(-10), validation: losses(-11) }));
  const measured = epochs.map((epoch) => ({ ...epoch, ssim: 0.5 + epoch.epoch / 10 }));
  const markup = svg(await curves([{ name: "vae", epochs: measured }]));
  assert(texts(markup).includes("SSIM"), texts(markup).join());
  assertEquals(texts(svg(await curves([{ name: "vae", epochs }]))).includes("SSIM"), false);
});

Deno.test("curves() of several runs has a line for each", async () => {
  const epochs = [{ epoch: 1, train: losses(-10), validation: losses(-11) }];
  const written = texts(svg(await curves([{ name: "first", epochs }, { name: "second", epochs }])));
  for (const text of ["Losses of 2 runs, validation", "first", "second"]) assert(written.includes(text), text);
  await assertRejects(() => curves([{ name: "a", epochs: [] }]), RangeError, "at least one epoch, found none");
});

Deno.test("codeBars() gives the perplexity in its title: as many codes as are used alike", async () => {
  const figure = await codeBars([3, 0, 3]);
  assertEquals(figure.title, "Use of the codes: perplexity 2.0 of 3");
  assertStringIncludes(figure.caption, "1 of 3 is never used");
  assertEquals(marks(svg(figure), "rect")[0].length, 3);
});

Deno.test("scoreHistogram() marks the mean, and says what the scores are", async () => {
  const figure = await scoreHistogram([-10, -20, -60], "estimate");
  assert(texts(svg(figure)).includes("mean -30.0"));
  assertStringIncludes(figure.caption, "an estimate of log p(x) of each of 3 data");
});

Deno.test("normalQuantile() is the inverse of the normal distribution", () => {
  // Python's statistics.NormalDist().inv_cdf, to 12 digits.
  const known = [[0.5, 0], [0.6, 0.253347103136], [0.975, 1.95996398454], [0.999, 3.09023230617], [
    1e-6,
    -4.75342430882,
  ]];
  for (const [p, z] of known) assertAlmostEquals(normalQuantile(p), z, 1e-8);
  assertEquals([normalQuantile(0), normalQuantile(1)], [-Infinity, Infinity]);
  assertAlmostEquals(normalQuantile(0.02), -normalQuantile(0.98), 1e-12);
  assertThrows(() => normalQuantile(1.5), RangeError, "expected a probability from 0 to 1, found 1.5");
});
