/** Measures of disentanglement against scikit-learn, and what they must give of perfect, entangled and random codes. */

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { uniforms } from "../../core/graph/random.ts";
import { betaVaeScore } from "../../evaluation/beta_vae_score.ts";
import type { Coded } from "../../evaluation/coded.ts";
import { dci } from "../../evaluation/dci.ts";
import { factorVaeScore } from "../../evaluation/factor_vae_score.ts";
import { infoMec } from "../../evaluation/info_mec.ts";
import { modularity } from "../../evaluation/modularity.ts";
import { mutualInformationGap } from "../../evaluation/mutual_information_gap.ts";
import { separatedAttributePredictability } from "../../evaluation/separated_attribute_predictability.ts";
import golden from "../golden/disentanglement.json" with { type: "json" };

const random = (count: number, step: number, stream: number) => uniforms(new Float64Array(count), 7, step, stream);

/** Rows of columns of equal length. */
function rowsOf(columns: readonly Float64Array[]): Float64Array {
  const width = columns.length;
  return Float64Array.from(
    { length: width * columns[0].length },
    (_, i) => columns[i % width][Math.floor(i / width)],
  );
}

/** Factors drawn evenly, and codes made from them and from noise in (-½, ½), rounded to float32. */
function coded(
  count: number,
  levels: readonly number[],
  codes: (factors: readonly Float64Array[], noise: (k: number) => Float64Array, n: number) => readonly number[],
): Coded {
  const factors = levels.map((of, c) => random(count, c, 1).map((u) => Math.floor(u * of)));
  const noises = Array.from({ length: 5 }, (_, k) => random(count, k, 2).map((u) => u - 0.5));
  const rows = Array.from({ length: count }, (_, n) => codes(factors, (k) => noises[k], n));
  return { codes: Float64Array.from(rows.flat(), Math.fround), factors: rowsOf(factors), count };
}

/** The codes of tests/golden/disentanglement.py. */
const CODES: Readonly<Record<string, Parameters<typeof coded>[2]>> = {
  mixed: ([a, b, c], noise, n) => [
    a[n] + 1.5 * noise(0)[n],
    b[n] + 0.5 * c[n] + noise(1)[n],
    c[n] + 2 * noise(2)[n],
    a[n] - b[n] + 3 * noise(3)[n],
    noise(4)[n] / 32,
  ],
  perfect: (factors, noise, n) => factors.map((factor, c) => factor[n] + noise(c)[n] / 8),
  random: (_, noise, n) => [0, 1, 2, 3, 4].map((k) => noise(k)[n]),
};

const [PAIRS, TRAIN, TEST] = [16, 600, 300];

for (const { name, count, levels, ...expected } of golden.sets) {
  const set = coded(count, levels, CODES[name]);

  Deno.test(`betaVaeScore() of ${name} codes is that by scikit-learn's classifier`, () => {
    assertEquals(betaVaeScore(set, { pairs: PAIRS, train: TRAIN, test: TEST }), expected.betaVaeScore);
  });

  Deno.test(`factorVaeScore() of ${name} codes is NumPy's`, () => {
    assertEquals(factorVaeScore(set, { rows: PAIRS, train: TRAIN, test: TEST }), expected.factorVaeScore);
  });

  Deno.test(`mutualInformationGap() and modularity() of ${name} codes are those by scikit-learn's mutual information`, () => {
    assertAlmostEquals(mutualInformationGap(set), expected.mutualInformationGap, 1e-12);
    assertAlmostEquals(modularity(set), expected.modularity, 1e-12);
  });

  Deno.test(`separatedAttributePredictability() of ${name} codes is that by scikit-learn's LinearSVC, and by R²`, () => {
    assertAlmostEquals(separatedAttributePredictability(set), expected.predictability, 1e-12);
    const ofNumbers = separatedAttributePredictability(set, { continuous: true });
    assertAlmostEquals(ofNumbers, expected.predictabilityOfNumbers, 1e-12);
    // One setting for each factor is the same as one for all.
    assertEquals(separatedAttributePredictability(set, { continuous: [true, true, true] }), ofNumbers);
  });

  Deno.test(`dci() of ${name} codes is that by scikit-learn's GradientBoostingClassifier, but for ties`, () => {
    const found = dci(set);
    // Which of equally good splits is taken is drawn in scikit-learn: two of its seeds lie as far apart as 0.0035.
    const tolerance = 0.005;
    assertAlmostEquals(found.disentanglement, expected.dci.disentanglement, tolerance);
    assertAlmostEquals(found.completeness, expected.dci.completeness, tolerance);
    assertAlmostEquals(found.informativeness, expected.dci.informativeness, tolerance);
    found.importance.forEach((row, k) =>
      row.forEach((value, c) => assertAlmostEquals(value, expected.dci.importance[k][c], tolerance))
    );
  });

  Deno.test(`infoMec() of ${name} codes is that by scikit-learn's estimators`, () => {
    const found = infoMec(set);
    // scikit-learn adds noise of 1e-10, which decides between neighbours at equal distances: there are a few among so many.
    const tolerance = name === "random" ? 1e-4 : 1e-9;
    found.information.forEach((row, k) =>
      row.forEach((value, c) => assertAlmostEquals(value, expected.infoMec.information[k][c], tolerance))
    );
    // Of random codes they are quotients of next to nothing.
    if (name !== "random") {
      assertAlmostEquals(found.modularity, expected.infoMec.modularity, 1e-9);
      assertAlmostEquals(found.compactness, expected.infoMec.compactness, 1e-9);
    }
    // Classes that can be told apart without error have a loss without a minimum: fits end at a tolerance.
    assertAlmostEquals(found.explicitness, expected.infoMec.explicitness, name === "perfect" ? 1e-3 : 1e-6);
    assertEquals(found.active, name === "mixed" ? [true, true, true, true, false] : found.active.map(() => true));
  });
}

Deno.test("every measure of disentanglement is 1 of the factors themselves", () => {
  const set = coded(1500, [2, 2, 2], CODES.perfect);
  assertEquals([betaVaeScore(set, { train: 500, test: 200 }), factorVaeScore(set, { train: 500, test: 200 })], [1, 1]);
  assert(mutualInformationGap(set) > 0.99 && modularity(set) > 0.999);
  assert(separatedAttributePredictability(set, { continuous: true }) > 0.98);
  // Of classes the second best code still tells the more frequent of two right.
  assertAlmostEquals(separatedAttributePredictability(set), 0.5, 0.05);
  const { disentanglement, completeness, informativeness } = dci(set);
  for (const value of [disentanglement, completeness, informativeness]) assertAlmostEquals(value, 1, 1e-9);
  const info = infoMec(set);
  for (const value of [info.modularity, info.compactness, info.explicitness]) assert(value > 0.97, `${value}`);
});

Deno.test("random codes are at chance, and so are informativeness and explicitness", () => {
  const set = coded(6000, [2, 2, 2], CODES.random);
  assertAlmostEquals(betaVaeScore(set, { train: 2000, test: 1000 }), 1 / 3, 0.06);
  assertAlmostEquals(factorVaeScore(set, { train: 2000, test: 1000 }), 1 / 3, 0.06);
  assert(mutualInformationGap(set) < 0.005);
  assert(
    separatedAttributePredictability(set) < 0.03 && separatedAttributePredictability(set, { continuous: true }) < 0.01,
  );
  const { disentanglement, completeness, informativeness } = dci(set);
  assert(disentanglement < 0.02 && completeness < 0.02);
  assertAlmostEquals(informativeness, 0.5, 0.03);
  assertAlmostEquals(infoMec(set).explicitness, 0, 0.005);
});

Deno.test("codes that say as much of each factor have no modularity and no gap, though they say everything", () => {
  // Trees that see two of them can still take a factor from their difference: DCI falls less.
  const signs = [[1, 1, 1], [1, -1, 1], [1, 1, -1], [-1, 1, 1]];
  const set = coded(
    3000,
    [2, 2, 2],
    (factors, noise, n) =>
      signs.map((row, k) => row.reduce((sum, s, c) => sum + s * factors[c][n], 0) + noise(k)[n] / 4),
  );
  assert(modularity(set) < 0.1 && mutualInformationGap(set) < 0.05);
  const { disentanglement, completeness, informativeness } = dci(set);
  assert(disentanglement < 0.4 && completeness < 0.7 && informativeness > 0.99);
  const info = infoMec(set);
  assert(info.modularity < 0.1 && info.compactness < 0.1 && info.explicitness > 0.9);
});

Deno.test("infoMec() counts codes of few values, and takes equal numbers for such without being told", () => {
  const count = 900;
  const factors = [0, 1].map((c) => random(count, c, 1).map((u) => Math.floor(u * 3)));
  const set = {
    codes: rowsOf(factors.map((factor) => factor.map((level) => 2 - level))),
    factors: rowsOf(factors),
    count,
  };
  for (const discrete of [true, false]) {
    const { modularity, compactness, information } = infoMec(set, { discrete });
    assertAlmostEquals(information[0][0], 1, 0.01);
    assertAlmostEquals(information[1][1], 1, 0.01);
    assert(modularity > 0.95 && compactness > 0.95);
  }
  assert(infoMec(set, { discrete: true }).explicitness > 0.99);
});

Deno.test("measures of disentanglement refuse codes and factors that are none", () => {
  const set = { codes: [0, 1, 2, 3], factors: [0, 1, 0, 1], count: 4 };
  assertThrows(
    () => mutualInformationGap({ ...set, count: 3 }),
    RangeError,
    "expected codes for each of 3 rows, found 4",
  );
  assertThrows(() => mutualInformationGap({ ...set, count: 2 }), RangeError, "expected at least 3 rows, found 2");
  assertThrows(
    () => mutualInformationGap({ ...set, codes: [0, 1, NaN, 3] }),
    RangeError,
    "finite codes, found NaN in row 2",
  );
  assertThrows(() => mutualInformationGap({ ...set, factors: [1, 1, 1, 1] }), RangeError, "at least 2 values, found 1");
});

Deno.test("betaVaeScore() does not miss the last factor; gap, informativeness and explicitness do", () => {
  const set = coded(
    1500,
    [2, 2, 2],
    ([a, b], noise, n) => [a[n] + noise(0)[n] / 8, b[n] + noise(1)[n] / 8, noise(2)[n]],
  );
  assert(betaVaeScore(set, { train: 1000, test: 500 }) > 0.97);
  assertAlmostEquals(mutualInformationGap(set), 2 / 3, 0.03);
  assertAlmostEquals(dci(set).informativeness, 2.5 / 3, 0.03);
  assertAlmostEquals(infoMec(set).explicitness, 2 / 3, 0.03);
});
