/**
 * Sprites: white shapes on black, drawn from factors that are known, in the manner of dSprites. Nothing is fetched or
 * read. The random numbers are core/graph/random.ts's; equal seeds give equal images.
 *
 * @module
 */

import type { Dataset, DatasetSource, LoadOptions, Split } from "../core/dataset.ts";
import { uniforms } from "../core/graph/random.ts";
import { configure, type Settings } from "../core/settings.ts";

/** What a sprite is made from, and how many values each has, as in dSprites (there with a sixth, the colour white). */
export const SPRITE_FACTORS = {
  /** 0 square, 1 ellipse, 2 heart. */
  shape: 3,
  /** From 0.5 to 1 in equal steps. */
  scale: 6,
  /** Radians, counterclockwise: 40 equal steps of a full turn, its end left out. */
  orientation: 40,
  /** From 0 (left) to 1 (right) in equal steps. */
  x: 32,
  /** From 0 (top) to 1 (bottom) in equal steps. */
  y: 32,
} as const;

const NAMES = Object.keys(SPRITE_FACTORS) as readonly (keyof typeof SPRITE_FACTORS)[];

/** The third coordinate of the random numbers, so that they are no other part's. */
const STREAM = 0x5b217e5;

/** Half the side of the square that holds a sprite of scale 1 at any orientation, as a part of the image's side. */
const RADIUS = 0.21;

/** Points a side at which a pixel is looked at. */
const POINTS = 4;

/** What `sprites` can be told. */
export interface SpriteConfig {
  /** Height and width in pixels. */
  readonly imageSize: number;
}

const settings: Settings<SpriteConfig> = {
  imageSize: { type: "integer", default: 32, minimum: 8, maximum: 256, help: "height and width, in pixels" },
};

/** How sprites are made. */
export interface SpriteOptions {
  /** Number of images. Default: 20,000 to train on, 4,000 to test on. */
  readonly train?: number;
  /** Rows to test on. */
  readonly test?: number;
  /** Height and width in pixels, at least 8. Default: 32. */
  readonly size?: number;
  /** Default: 0. */
  readonly seed?: number;
}

/**
 * Sprites, 20,000 + 4,000 grey images of 32 x 32 (or of another `imageSize`) of three shapes; made here, no licence.
 *
 * Each has its five factors drawn independently and evenly from the values of {@linkcode SPRITE_FACTORS}; they come as
 * covariates, and the shape as the label. A pixel is the part of it that the sprite covers (of 16 points): use
 * `binarize: "threshold"` for black and white. Train and test are different draws of `options.seed`, so that a few
 * combinations may be in both.
 *
 * A square looks the same after a quarter of a turn and an ellipse after half of one: the orientation can be told no
 * better than that.
 */
export const sprites: DatasetSource<SpriteConfig> = {
  name: "sprites",
  summary:
    "squares, ellipses and hearts of known size, turn and place, 20,000 + 4,000 grey images of 32 x 32, generated",
  source: 'made here, after Matthey et al., "dSprites" (https://github.com/google-deepmind/dsprites-dataset, 2017)',
  settings,
  settingsFor: ([imageSize]) => ({ imageSize }),
  load: async (options: LoadOptions<SpriteConfig> = {}) => {
    options.signal?.throwIfAborted();
    const config = configure(settings, options.settings, 'the dataset "sprites"');
    const dataset = makeSprites({ seed: options.seed, size: config.imageSize });
    return await Promise.resolve({ ...dataset, settings: { ...config } });
  },
};

/**
 * Makes sprites, as many and as large as wanted.
 *
 * @throws {RangeError} If a count or the size cannot be.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const { shape, train, covariates } = makeSprites({ train: 10, test: 5, size: 16 });
 * assertEquals([...shape, train.values.length, train.covariates?.length], [16, 16, 1, 2560, 50]);
 * assertEquals(covariates, ["shape", "scale", "orientation", "x", "y"]);
 * ```
 */
export function makeSprites(
  { train = 20_000, test = 4_000, size = settings.imageSize.default, seed = 0 }: SpriteOptions = {},
): Dataset {
  const require = (name: string, value: number, minimum: number) => {
    if (Number.isSafeInteger(value) && value >= minimum) return;
    throw new RangeError(
      `Cannot make sprites: expected ${name} to be an integer of at least ${minimum}, found ${value}`,
    );
  };
  require("train", train, 1);
  require("test", test, 1);
  require("size", size, 8);
  require("seed", seed, 0);
  return {
    name: sprites.name,
    shape: [size, size, 1],
    classes: SPRITE_FACTORS.shape,
    covariates: NAMES,
    seed,
    train: makeSplit(train, size, seed, 0),
    test: makeSplit(test, size, seed, 1),
  };
}

function makeSplit(count: number, size: number, seed: number, part: number): Split {
  const width = NAMES.length;
  const draws = uniforms(new Float32Array(count * width), seed, part, STREAM);
  const factors = new Float32Array(count * width);
  const labels = new Uint8Array(count);
  const values = new Uint8Array(count * size * size);
  for (let n = 0; n < count; n++) {
    const level = NAMES.map((name, i) => Math.floor(draws[n * width + i] * SPRITE_FACTORS[name]));
    const sprite = {
      shape: level[0],
      scale: 0.5 + 0.5 * level[1] / (SPRITE_FACTORS.scale - 1),
      orientation: 2 * Math.PI * level[2] / SPRITE_FACTORS.orientation,
      x: level[3] / (SPRITE_FACTORS.x - 1),
      y: level[4] / (SPRITE_FACTORS.y - 1),
    };
    NAMES.forEach((name, i) => factors[n * width + i] = sprite[name]);
    labels[n] = sprite.shape;
    drawSprite(sprite, values.subarray(n * size * size, (n + 1) * size * size), size);
  }
  return { values, count, labels, covariates: factors };
}

/** The factors of one sprite. */
export type Sprite = Readonly<Record<keyof typeof SPRITE_FACTORS, number>>;

/** Draws one sprite into a black image [size, size]. */
export function drawSprite({ shape, scale, orientation, x, y }: Sprite, image: Uint8Array, size: number): void {
  const radius = RADIUS * scale * size;
  // The sprite is wholly in the image wherever it is.
  const place = (part: number) => RADIUS * size + part * (1 - 2 * RADIUS) * size;
  const [centerX, centerY] = [place(x), place(y)];
  const [cos, sin] = [Math.cos(orientation) / radius, Math.sin(orientation) / radius];
  const covers = SHAPES[shape];
  const from = (center: number) => Math.max(0, Math.floor(center - radius));
  const to = (center: number) => Math.min(size, Math.ceil(center + radius));
  for (let row = from(centerY); row < to(centerY); row++) {
    for (let column = from(centerX); column < to(centerX); column++) {
      let covered = 0;
      for (let i = 0; i < POINTS; i++) {
        const dy = centerY - (row + (i + 0.5) / POINTS);
        for (let j = 0; j < POINTS; j++) {
          const dx = column + (j + 0.5) / POINTS - centerX;
          if (covers(cos * dx + sin * dy, cos * dy - sin * dx)) covered++;
        }
      }
      image[row * size + column] = Math.round(255 * covered / POINTS ** 2);
    }
  }
}

/** Whether a point is in a shape; each shape lies in the circle of radius 1 around (0, 0), u to the right and v upwards. */
const SHAPES: readonly ((u: number, v: number) => boolean)[] = [
  (u, v) => Math.max(Math.abs(u), Math.abs(v)) <= Math.SQRT1_2,
  (u, v) => u * u + (2 * v) ** 2 <= 1,
  // (a² + b² - 1)³ = a² b³, the heart curve: it lies in the circle of radius 1.282 around (0, 0.2).
  (u, v) => {
    const [a, b] = [1.282 * u, 1.282 * v + 0.2];
    const c = a * a + b * b - 1;
    return c * c * c <= a * a * b * b * b;
  },
];
