import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { slice } from "../../core/dataset.ts";
import { drawSprite, makeSprites, type Sprite, SPRITE_FACTORS, sprites } from "../../datasets/sprites.ts";
import { histogram } from "./support.ts";

const upright: Sprite = { shape: 0, scale: 1, orientation: 0, x: 0.5, y: 0.5 };

function draw(sprite: Partial<Sprite>, size = 64): Uint8Array {
  const image = new Uint8Array(size * size);
  drawSprite({ ...upright, ...sprite }, image, size);
  return image;
}

/** Area in pixels, and the centre of it. */
function moments(image: Uint8Array, size: number): { area: number; x: number; y: number } {
  let [area, x, y] = [0, 0, 0];
  image.forEach((value, i) => {
    area += value / 255;
    x += value / 255 * (i % size + 0.5);
    y += value / 255 * (Math.floor(i / size) + 0.5);
  });
  return { area, x: x / area, y: y / area };
}

Deno.test("drawSprite() draws shapes of the areas that follow from their formulas", () => {
  const radius = 0.21 * 64;
  assert(Math.abs(moments(draw({ shape: 0 }), 64).area - 2 * radius ** 2) < 2);
  assert(Math.abs(moments(draw({ shape: 1 }), 64).area - Math.PI / 2 * radius ** 2) < 2);
  // Area of the heart curve, integrated numerically: 3.6617.
  assert(Math.abs(moments(draw({ shape: 2 }), 64).area - 3.6617 * (radius / 1.282) ** 2) < 2);
  assert(Math.abs(moments(draw({ scale: 0.5 }), 64).area - 2 * (radius / 2) ** 2) < 2);
});

Deno.test("drawSprite() keeps the area at every place and orientation: nothing is cut off", () => {
  for (const shape of [0, 1, 2]) {
    const { area } = moments(draw({ shape }), 64);
    for (const [x, y, orientation] of [[0, 0, 0.3], [1, 0, 1], [0, 1, 4], [1, 1, 5.5], [0.3, 0.8, 2]]) {
      assert(Math.abs(moments(draw({ shape, x, y, orientation }), 64).area - area) < 0.02 * area);
    }
  }
});

Deno.test("drawSprite() puts x to the right and y downwards, and turns counterclockwise", () => {
  const { x, y } = moments(draw({ x: 1, y: 0 }), 64);
  assert(Math.abs(x - 64 * 0.79) < 0.1 && Math.abs(y - 64 * 0.21) < 0.1);
  // The heart's mass is above the middle; a quarter of a turn brings it to the left.
  const heart = moments(draw({ shape: 2 }), 64);
  const turned = moments(draw({ shape: 2, orientation: Math.PI / 2 }), 64);
  assert(Math.abs(heart.x - 32) < 0.1 && Math.abs(turned.y - 32) < 0.1);
  assert(Math.abs((32 - heart.y) - (32 - turned.x)) < 0.1);
  assert(Math.abs(32 - heart.y) > 0.3);
});

Deno.test("makeSprites() keeps the factors of every row, and the shape as its label", () => {
  const { shape, classes, covariates: names, train, test } = makeSprites({ train: 3000, test: 500, size: 16 });
  assertEquals([shape, classes, train.count, test.count], [[16, 16, 1], 3, 3000, 500]);
  const values = train.covariates!;
  assertEquals(names, Object.keys(SPRITE_FACTORS));
  assertEquals(values.length, 5 * 3000);
  const image = new Uint8Array(256);
  for (const n of [0, 17, 2999]) {
    // In the order of the names.
    const [kind, scale, orientation, x, y] = values.subarray(5 * n, 5 * n + 5);
    const row: Sprite = { shape: kind, scale, orientation, x, y };
    drawSprite(row, image.fill(0), 16);
    // The factors are kept in float32: a point on an edge may fall to the other side.
    const differing = image.filter((value, i) => Math.abs(value - train.values[256 * n + i]) > 16).length;
    assertEquals([differing, train.labels![n]], [0, row.shape]);
  }
  // Each value of each factor turns up, and about as often: 5 standard deviations of a binomial.
  for (const [i, [, levels]] of Object.entries(SPRITE_FACTORS).entries()) {
    const counts = new Map<number, number>();
    for (let n = 0; n < 3000; n++) counts.set(values[5 * n + i], 1 + (counts.get(values[5 * n + i]) ?? 0));
    assertEquals(counts.size, levels);
    for (const count of counts.values()) {
      assert(Math.abs(count - 3000 / levels) < 5 * Math.sqrt(3000 / levels * (1 - 1 / levels)));
    }
  }
  assert(histogram(test.labels!, 3).every((count) => count > 100));
});

Deno.test("makeSprites() gives equal rows for equal seeds, and others for others", () => {
  const make = (seed: number) => makeSprites({ train: 20, test: 20, size: 16, seed });
  assertEquals(make(4), make(4));
  assertNotEquals(make(4).train.values, make(5).train.values);
  assertNotEquals(make(4).train.values, make(4).test.values);
});

Deno.test("slice() takes the covariates along", () => {
  const { train } = makeSprites({ train: 10, test: 1, size: 8 });
  assertEquals(slice(train, 2, 4).covariates, train.covariates!.slice(10, 20));
});

Deno.test("sprites.load() gives images of the size that is asked for", async () => {
  const { name, shape, train, test, seed, settings } = await sprites.load({ settings: { imageSize: 8 }, seed: 2 });
  assertEquals([name, shape, train.count, test.count, seed], ["sprites", [8, 8, 1], 20_000, 4_000, 2]);
  assertEquals(settings, { imageSize: 8 });
});

Deno.test("makeSprites() refuses what cannot be", () => {
  assertThrows(() => makeSprites({ size: 7 }), RangeError, "expected size to be an integer of at least 8, found 7");
  assertThrows(() => makeSprites({ train: 0 }), RangeError, "expected train to be an integer of at least 1, found 0");
});
