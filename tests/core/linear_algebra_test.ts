import { assert, assertAlmostEquals, assertThrows } from "@std/assert";
import { eigenSymmetric, invertPositive, multiply, transpose } from "../../core/linear_algebra.ts";
import { normals } from "../../core/graph/random.ts";
import { assertClose } from "../support/compare.ts";

const exact = { absolute: 1e-11, relative: 1e-11 };

/** B Bᵀ of random B [n, rank]. */
function gram(n: number, rank: number): Float64Array<ArrayBuffer> {
  const b = normals(new Float64Array(n * rank), n, 0, 0);
  return multiply(b, transpose(b, rank), rank);
}

Deno.test("eigenSymmetric() gives the known eigenvalues of the second-difference matrix", () => {
  // 2 on the diagonal, -1 beside it: 2 - 2 cos(iπ / (n + 1)).
  const n = 20;
  const a = Float64Array.from({ length: n * n }, (_, i) => {
    const apart = Math.abs(Math.floor(i / n) - i % n);
    return apart === 0 ? 2 : apart === 1 ? -1 : 0;
  });
  const expected = Array.from({ length: n }, (_, i) => 2 - 2 * Math.cos((n - i) * Math.PI / (n + 1)));
  assertClose(eigenSymmetric(a, n).values, expected, "eigenvalues", exact);
});

for (const [n, rank] of [[1, 1], [2, 2], [3, 3], [17, 17], [40, 7], [120, 120]]) {
  Deno.test(`eigenSymmetric() takes a matrix of ${n} rows and rank ${rank} apart, and it can be put together again`, () => {
    const a = gram(n, rank);
    const { values, vectors } = eigenSymmetric(a, n);
    const scaled = vectors.map((v, i) => v * values[Math.floor(i / n)]);
    assertClose(multiply(transpose(vectors, n), scaled, n), a, "V' Λ V", { absolute: 1e-10, relative: 1e-10 });
    const identity = Float64Array.from({ length: n * n }, (_, i) => i % (n + 1) === 0 ? 1 : 0);
    assertClose(multiply(vectors, transpose(vectors, n), n), identity, "V V'", exact);
    assert(values.every((value, i) => i === 0 || value <= values[i - 1]), "the eigenvalues do not fall");
  });
}

Deno.test("eigenSymmetric() takes equal eigenvalues, zeros and a diagonal", () => {
  const zeros = eigenSymmetric(new Float64Array(25), 5);
  assertClose(zeros.values, [0, 0, 0, 0, 0], "zeros");
  const { values, vectors } = eigenSymmetric([3, 0, 0, 0, 5, 0, 0, 0, 3], 3);
  assertClose(values, [5, 3, 3], "values", exact);
  assertClose(vectors.subarray(0, 3), [0, 1, 0], "first vector", exact);
});

Deno.test("eigenSymmetric() takes a matrix of 784 rows apart in seconds", () => {
  const n = 784;
  const a = Float64Array.from({ length: n * n }, (_, i) => Math.exp(-Math.abs(Math.floor(i / n) - i % n) / 10));
  const began = performance.now();
  const { values, vectors } = eigenSymmetric(a, n);
  const seconds = (performance.now() - began) / 1000;
  assertAlmostEquals(values.reduce((sum, value) => sum + value), n, 1e-8);
  const v = vectors.subarray(0, n);
  assertClose(multiply(a, v, n), v.map((x) => x * values[0]), "A v", { absolute: 1e-9, relative: 1e-9 });
  assert(seconds < 60, `${seconds} s`);
});

Deno.test("eigenSymmetric() says that NaN has no eigenvalues", () => {
  assertThrows(() => eigenSymmetric([NaN, 1, 1, 2], 2), RangeError, "expected finite numbers");
});

Deno.test("invertPositive() inverts, and says what is not positive definite", () => {
  const a = gram(9, 12);
  const identity = Float64Array.from({ length: 81 }, (_, i) => i % 10 === 0 ? 1 : 0);
  assertClose(multiply(invertPositive(a, 9), a, 9), identity, "A⁻¹ A", { absolute: 1e-9, relative: 1e-9 });
  assertThrows(
    () => invertPositive([1, 2, 2, 1], 2),
    RangeError,
    "expected it positive definite, found pivot -3 in row 1",
  );
});
