/** SSIM, PSNR and MSE against scikit-image, and what they must give where the answer is known. */

import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { imageQuality, ssim } from "../../evaluation/image_quality.ts";
import golden from "../golden/ssim.json" with { type: "json" };

type Shape = readonly [number, number, number];

/** The two images of tests/golden/ssim.py. */
function images([height, width, channels]: Shape, amount: number): [Float64Array, Float64Array] {
  const at = (i: number) => [Math.floor(i / channels / width), Math.floor(i / channels) % width, i % channels];
  const a = Float64Array.from({ length: height * width * channels }, (_, i) => {
    const [y, x, c] = at(i);
    return 0.5 + 0.5 * Math.sin(0.7 * x + 0.3 * y + c);
  });
  const b = a.map((value, i) => {
    const [y, x, c] = at(i);
    return (1 - amount) * value + amount * (0.5 + 0.5 * Math.sin(0.5 * x - 0.9 * y + 2 * c));
  });
  return [a, b];
}

for (const { shape: [height, width, channels], amount, ssim: expected, uniform, psnr } of golden.images) {
  Deno.test(`ssim() and psnr are scikit-image's: ${height} x ${width} x ${channels}, mixed by ${amount}`, () => {
    const shape = [height, width, channels] as const;
    const [a, b] = images(shape, amount);
    const quality = imageQuality(a, b, shape);
    assertAlmostEquals(quality.ssim!, expected[1], 1e-10);
    assertAlmostEquals(imageQuality(a, b, shape, 2).ssim!, expected[2], 1e-10);
    assertAlmostEquals(ssim(a, b, shape, 1, "uniform")[0], uniform[1], 1e-10);
    assertAlmostEquals(ssim(a, b, shape, 2, "uniform")[0], uniform[2], 1e-10);
    assertAlmostEquals(quality.psnr, psnr, 1e-10);
    assertAlmostEquals(quality.mse, 10 ** (-psnr / 10), 1e-12);
  });
}

Deno.test("ssim() of an image with itself is 1, with its negative below 0, and of several images one each", () => {
  const shape = [28, 28, 1] as const;
  const [a, b] = images(shape, 1);
  const negative = a.map((value) => 1 - value);
  const found = ssim(Float64Array.of(...a, ...a, ...a), Float64Array.of(...a, ...negative, ...b), shape);
  assertAlmostEquals(found[0], 1, 1e-12);
  assertEquals(found[1] < -0.5, true);
  assertAlmostEquals(found[2], ssim(a, b, shape)[0], 1e-12);
  assertEquals(imageQuality(a, a, shape).psnr, Infinity);
});

Deno.test("imageQuality() leaves the SSIM out where images are smaller than its window; ssim() says so", () => {
  assertEquals(imageQuality([0, 1, 1, 0], [0, 1, 1, 1], [2, 2, 1]), { psnr: 10 * Math.log10(4), mse: 0.25 });
  assertThrows(() => ssim([0, 1, 1, 0], [0, 1, 1, 1], [2, 2, 1]), RangeError, "at least 11 x 11 pixels, found 2 x 2");
  assertThrows(() => imageQuality([0, 1, 1], [0, 1, 1], [2, 2, 1]), RangeError, "a multiple of 4, found 3 and 3");
});
