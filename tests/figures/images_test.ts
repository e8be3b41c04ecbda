import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import type { Split } from "../../core/dataset.ts";
import type { Model } from "../../core/model.ts";
import {
  asPixels,
  interpolate,
  isImage,
  labelGrid,
  manifold,
  manifoldAxis,
  morphs,
  neighbourhoods,
  quantileStrips,
  reconstructions,
  samples,
  traversals,
} from "../../figures/images.ts";
import {
  dimensionsByInformation,
  encodeRows,
  klBars,
  latentScatter,
  principalPlane,
  priorAndPosterior,
} from "../../figures/latents.ts";
import { normalQuantile } from "../../figures/normal.ts";
import { type FigureChoices, FigureError, runFigures } from "../../figures/run_figures.ts";
import { pick } from "../../core/dataset.ts";
import { ae, dae } from "../../models/ae.ts";
import type { Figure } from "../../figures/figure.ts";
import { greys, identityModel, svg, texts } from "./support.ts";

/** Eight images of 2 x 2, values a multiple of 1/8, of three classes. */
const split: Split = {
  values: Float32Array.from({ length: 32 }, (_, i) => ((i * 5) % 8) / 8),
  count: 8,
  labels: Uint8Array.of(0, 1, 2, 0, 1, 2, 0, 1),
};

const byte = (value: number) => Math.round(255 * Math.min(1, Math.max(0, value)));

/** The grey of pixel (y, x) of the image at (row, column) of a grid of 2 x 2 images. */
function pixel(
  grid: number[][],
  [row, column]: [number, number],
  [y, x]: [number, number],
  columns: number,
  gap: number,
) {
  const scale = (grid[0].length - gap) / columns - gap;
  const at = (i: number, j: number) => gap + i * (scale + gap) + Math.floor((j + 0.5) * scale / 2);
  return grid[at(row, y)][at(column, x)];
}

/** A model that is told a label, and has no use for it. */
const conditional: Partial<Model> = { condition: () => "one-hot" };

const names = async (trained: Awaited<ReturnType<typeof identityModel>>, rows = split) => {
  const found: string[] = [];
  for (const draw of await runFigures({ trained, split: rows, epochs: [] })) {
    const figure = await draw();
    if (figure) found.push(figure.name);
  }
  return found;
};

Deno.test("manifold() has the decoder's mean at each quantile: the first dimension to the right, the second up", async () => {
  using trained = await identityModel();
  const grid = greys(await manifold(trained, split, { dimensions: [1, 2], size: 4 }));
  const axis = manifoldAxis(4, "quantiles");
  assertEquals(axis, [0.125, 0.375, 0.625, 0.875].map(normalQuantile));
  for (let row = 0; row < 4; row++) {
    for (let column = 0; column < 4; column++) {
      const place = [row, column] as [number, number];
      // z2 is the pixel on the upper right, z3 that on the lower left; the others are 0.
      assertEquals(pixel(grid, place, [0, 1], 4, 0), byte(axis[column]));
      assertEquals(pixel(grid, place, [1, 0], 4, 0), byte(axis[3 - row]));
      assertEquals(pixel(grid, place, [0, 0], 4, 0), 0);
    }
  }
  assertEquals(manifoldAxis(3, "linear"), [-3, 0, 3]);
});

Deno.test("morphs() goes from one reconstruction to the other, above the mixture of the pixels", async () => {
  using trained = await identityModel();
  const figure = await morphs(trained, split, { pairs: 1, steps: 3 });
  const grid = greys(figure);
  const ends = [0, 1].map((row) => split.values.subarray(4 * row, 4 * row + 4));
  for (const row of [0, 1]) {
    [ends[0], ends[0].map((value, i) => (value + ends[1][i]) / 2), ends[1]].forEach((expected, column) =>
      expected.forEach((value, i) => {
        const found = pixel(grid, [row, column], [i >> 1, i % 2], 3, 2);
        assertAlmostEquals(found, 255 * value, 1.01);
      })
    );
  }
  assertEquals(texts(svg(figure)).filter((text) => text === "latent" || text === "pixels"), ["latent", "pixels"]);
});

Deno.test("interpolate() takes equal steps from row to row", () => {
  const found = interpolate(Float32Array.of(0, 10, 5, 5), Float32Array.of(2, 20, 5, 7), 2, 3);
  assertEquals([...found], [0, 10, 1, 15, 2, 20, 5, 5, 5, 6, 5, 7]);
});

Deno.test("traversals() moves one dimension a row, from the greatest KL, and names it", async () => {
  using trained = await identityModel();
  const encodings = await encodeRows(trained, split);
  const order = dimensionsByInformation(encodings);
  const figure = await traversals(trained, split, { encodings, range: 1, steps: 3, most: 2 });
  const grid = greys(figure);
  const kl = encodings.kl!;
  [0, 1].forEach((row) => {
    const dimension = order[row];
    const place = [dimension >> 1, dimension % 2] as [number, number];
    assertEquals([0, 1, 2].map((step) => pixel(grid, [row, step], place, 3, 2)), [0, 0, 255]);
    assertStringIncludes(svg(figure), `KL ${kl[dimension].toFixed(2)}`);
  });
  const from = [0.5, 0.5, 0.5, 0.5];
  const moved = greys(await traversals(trained, split, { from, range: 1, steps: 3 }));
  assertEquals(pixel(moved, [0, 0], [1, 1], 3, 2), byte(0.5));
});

Deno.test("neighbourhoods() has the datum, its reconstruction, and what lies within the noise", async () => {
  using trained = await identityModel();
  const grid = greys(await neighbourhoods(trained, split, { count: 2, neighbours: 3, noise: 0.1 }));
  for (const row of [0, 1]) {
    for (let i = 0; i < 4; i++) {
      const seen = [0, 1, 2, 3, 4].map((column) => pixel(grid, [row, column], [i >> 1, i % 2], 5, 2));
      const value = byte(split.values[4 * row + i]);
      assertEquals(seen.slice(0, 2), [value, value]);
      for (const near of seen.slice(2)) assert(Math.abs(near - value) < 0.5 * 255, `${near} from ${value}`);
    }
  }
  const still = greys(await neighbourhoods(trained, split, { count: 1, neighbours: 1, noise: 0 }));
  assertEquals(pixel(still, [0, 2], [0, 1], 3, 2), pixel(still, [0, 0], [0, 1], 3, 2));
});

Deno.test("reconstructions() and samples() are what the model gives", async () => {
  using trained = await identityModel();
  const pairs = greys(await reconstructions(trained, split, { count: 3 }));
  for (const row of [0, 1]) assertEquals(pixel(pairs, [row, 1], [0, 0], 3, 2), byte(split.values[4]));
  const drawn = await samples(trained, { count: 4, columns: 2, seed: 7, temperature: 0.5 });
  const values = await trained.sample({ count: 4, seed: 7, temperature: 0.5 });
  const grid = greys(drawn);
  for (let i = 0; i < 16; i++) {
    const image = i >> 2;
    assertEquals(pixel(grid, [image >> 1, image % 2], [(i % 4) >> 1, i % 2], 2, 2), byte(values[i]));
  }
  assertStringIncludes(drawn.caption, "temperature 0.5");
});

Deno.test("quantileStrips() steps by the deviation of the likelihood", async () => {
  using trained = await identityModel();
  const figure = await quantileStrips(trained, { count: 1, seed: 2 });
  const grid = greys(figure);
  const [first] = await trained.sample({ count: 1, seed: 2 });
  const expected = [-2, -1, 0, 1, 2].map((k) => byte(first + 0.25 * k));
  expected.forEach((grey, column) => assertAlmostEquals(pixel(grid, [0, column], [0, 0], 5, 2), grey, 1));
  assertEquals(texts(svg(figure)).slice(1), ["μ - 2σ", "μ - σ", "μ", "μ + σ", "μ + 2σ"]);
});

Deno.test("klBars() has the mean divergence of each dimension from the prior", async () => {
  const logVariance = Math.log(0.5);
  using trained = await identityModel(logVariance);
  const encodings = await encodeRows(trained, split, 2);
  const expected = [0, 1, 2, 3].map((k) =>
    [0, 1].reduce((sum, row) => sum + 0.25 * (0.5 + split.values[4 * row + k] ** 2 - 1 - logVariance), 0)
  );
  encodings.kl!.forEach((value, k) => assertAlmostEquals(value, expected[k], 1e-5));
  const figure = await klBars(encodings);
  assertStringIncludes(figure!.caption, `${expected.reduce((sum, value) => sum + value, 0).toFixed(2)} nats in all`);
});

Deno.test("principalPlane() finds the plane in which the means differ", () => {
  // z1 = 3 z₀, and z2 little, at right angles to both; z3 never changes.
  const rows = [-2, -1, 0, 1, 2].map((value, i) => [value, 3 * value, i % 2 ? 0.6 : -0.4, 5]);
  const encodings = {
    count: 5,
    latents: 4,
    mean: Float32Array.from(rows.flat()),
    logVariance: new Float32Array(20),
  };
  const { x, y, share } = principalPlane(encodings);
  [-2, -1, 0, 1, 2].forEach((value, i) => {
    assertAlmostEquals(x[i], value * Math.sqrt(10), 1e-5);
    assertAlmostEquals(y[i], i % 2 ? 0.6 : -0.4, 1e-5);
  });
  assertAlmostEquals(share, 1, 1e-6);
});

Deno.test("latentScatter() has a mark for each datum and every label in its legend; encodings of any K have one", async () => {
  using trained = await identityModel();
  const encodings = await encodeRows(trained, split);
  const many = svg(await latentScatter(encodings));
  assertEquals(
    [...many.matchAll(/<g class="mark-symbol role-mark[^>]*>(.*?)<\/g>/g)][0][1].split("<path").length - 1,
    8,
  );
  for (const text of ["label", "0", "1", "2", "first principal component"]) assert(texts(many).includes(text), text);
  const { count, labels } = encodings;
  for (const latents of [1, 2]) {
    const some = {
      count,
      latents,
      mean: encodings.mean.slice(0, 8 * latents),
      logVariance: encodings.logVariance,
      labels,
    };
    assert(texts(svg(await latentScatter(some))).includes("z1"));
  }
});

Deno.test("latentScatter() of data without labels fills its marks, and shows the dimensions that are asked for", async () => {
  using trained = await identityModel();
  const { labels: _, ...encodings } = await encodeRows(trained, split);
  const plain = svg(await latentScatter(encodings, { dimensions: [3, 1] }));
  for (const text of ["z4", "z2"]) assert(texts(plain).includes(text), text);
  const marks = [...plain.matchAll(/<path [^>]*fill="([^"]*)"[^>]*opacity="0\.8"/g)].map(([, fill]) => fill);
  assertEquals(marks, new Array(8).fill("#0072b2"));
});

Deno.test("runFigures() shows the rows, the class and the dimensions that are asked for; what fails is named and costs no other", async () => {
  using trained = await identityModel();
  const drawn = async (choices: FigureChoices, model = trained) => {
    const figures = new Map<string, Figure | Error>();
    for (const draw of await runFigures({ trained: model, split, epochs: [], choices })) {
      const figure = await draw().catch((error: FigureError) => error);
      if (figure) figures.set(figure instanceof FigureError ? figure.figure : figure.name, figure);
    }
    return figures;
  };
  const rows = await drawn({ rows: [5, 2], dimensions: [3, 1] });
  assertEquals(
    (rows.get("reconstructions") as Figure).content,
    (await reconstructions(trained, pick(split, [5, 2]))).content,
  );
  assertStringIncludes((rows.get("manifold") as Figure).caption, "z4 and z2");
  const own = Array.from(split.labels!.keys()).filter((i) => split.labels![i] === 1);
  assertEquals(
    ((await drawn({ label: 1 })).get("reconstructions") as Figure).content,
    (await reconstructions(trained, pick(split, own))).content,
  );
  // One row alone has none to go to.
  assert(!(await drawn({ rows: [3] })).has("morphs"));
  const broken = () => {
    throw new RangeError("no such place\nand more");
  };
  using failing = await identityModel(-20, { encode: broken });
  const left = await drawn({}, failing);
  assertEquals((left.get("encodings") as Error).message, 'Cannot draw the figure "encodings": no such place');
  assert((left.get("samples") as Figure).content);
});

Deno.test("samples() names the classes of a conditional model, alone in its caption and framed above the columns", async () => {
  using trained = await identityModel(-20, conditional);
  Object.assign(trained.data, { classNames: ["ant", "bee", "cat"] });
  assertStringIncludes((await samples(trained, { count: 6 })).caption, "; the classes in turn: ant, bee, cat.");
  const framed = await samples(trained, { count: 6, columns: 3, framed: true });
  assertEquals([framed.file, texts(svg(framed))], ["samples.svg", ["Samples", "ant", "bee", "cat"]]);
  const one = await samples(trained, { count: 2, labels: [1], framed: true });
  assertEquals([one.title, texts(svg(one))], ["Samples of bee", ["Samples of bee"]]);
  assertEquals(texts(svg(await labelGrid(trained))).slice(1), ["label", "ant", "bee", "cat"]);
  const pairs = await reconstructions(trained, split, { count: 3, framed: true });
  assertEquals(texts(svg(pairs)), ["Reconstructions", "data", "reconstruction"]);
});

Deno.test("a model without a prior has no samples and no walks along one", async () => {
  using trained = await identityModel(-20, { hasPrior: false });
  assertEquals(await names(trained), ["reconstructions", "morphs", "latent-scatter"]);
  assertEquals(ae.hasPrior, false);
  assertEquals(dae.hasPrior, false);
});

Deno.test("priorAndPosterior() has a panel for each dimension, those that say most first", async () => {
  using trained = await identityModel();
  const encodings = await encodeRows(trained, split);
  const written = texts(svg(await priorAndPosterior(encodings))).filter((text) => /^z\d/.test(text));
  assertEquals(written, dimensionsByInformation(encodings).map((k) => `z${k + 1}`));
});

Deno.test("labelGrid() has a row for each label, of one z in each column", async () => {
  using trained = await identityModel(-20, conditional);
  const figure = await labelGrid(trained, { columns: 4 });
  const grid = greys(figure);
  for (let column = 0; column < 4; column++) {
    const seen = [0, 1, 2].map((row) => pixel(grid, [row, column], [0, 1], 4, 2));
    assertEquals(new Set(seen).size, 1);
  }
  assertEquals(texts(svg(figure)).slice(1), ["label", "0", "1", "2"]);
});

Deno.test("runFigures() draws what the contract and the data allow, whatever the model is called", async () => {
  const latent = ["latent-scatter", "prior-and-posterior", "kl-per-dimension"];
  const walks = ["manifold", "traversals", "morphs", "neighbourhoods", "quantiles"];
  {
    using trained = await identityModel();
    assertEquals(await names(trained), ["samples", "reconstructions", ...walks, ...latent]);
  }
  {
    using trained = await identityModel(-20, conditional);
    assertEquals(await names(trained), ["samples", "reconstructions", "labels", ...walks, ...latent]);
  }
  {
    using trained = await identityModel(-20, { condition: () => "covariates" }, ["height", "age"]);
    const covariates = Float32Array.from({ length: 16 }, (_, i) => i / 4);
    const rows = { ...split, covariates };
    assertEquals(await names(trained, rows), ["samples", "reconstructions", ...walks, ...latent]);
    assertEquals((await manifold(trained, rows, { size: 2 })).title, "Latent plane, height 0, age 0.25");
  }
  {
    // A prior of its own: walks along N(0, I) would mean nothing.
    const drawPrior = (_p: unknown, _c: object, { count }: { count: number }) =>
      Promise.resolve(new Float32Array(4 * count).fill(0.5));
    using trained = await identityModel(-20, { drawPrior });
    assertEquals(await names(trained), ["samples", "reconstructions", "morphs", "quantiles", "latent-scatter"]);
  }
  {
    using trained = await identityModel(-20, { encode: undefined });
    assertEquals(await names(trained), ["samples", "manifold", "traversals", "quantiles"]);
  }
  {
    using trained = await identityModel(-20, { decode: undefined });
    assertEquals(await names(trained), latent);
  }
});

Deno.test("isImage() is false for a table", () => {
  assertEquals([isImage([28, 28, 1]), isImage([8, 8, 3]), isImage([1, 20, 1]), isImage([8, 8, 2])], [
    true,
    true,
    false,
    false,
  ]);
});

Deno.test("asPixels() draws numbers of any range from black to white, and leaves those from 0 to 1 as they are", () => {
  const range = { type: "floats", kind: "real", minimum: -4, maximum: 16, extremes: 1 } as const;
  const data = { name: "mine", shape: [2, 2, 1], count: 4 } as const;
  const values = Float32Array.of(-4, 6, 16, 21);
  assertEquals([...asPixels({ data: { ...data, range } }, values)], [0, 0.5, 1, 1.25]);
  for (const other of [undefined, { ...range, kind: "unit" } as const, { ...range, maximum: -4 }]) {
    assertEquals(asPixels({ data: { ...data, range: other } }, values), values);
  }
});
