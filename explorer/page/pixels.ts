/**
 * Data on canvases: images as tiles of a grid, and colours of classes.
 *
 * @module
 */

import type { Dataset } from "../../core/dataset.ts";

/** Okabe and Ito's colours, which the colour-blind tell apart, and three more: one for each class, with a mark beside. */
export const COLOURS = [
  ...["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a800", "#7f7f7f", "#6a3d9a", "#a65628"],
] as const;

/** Shapes beside the colours, by class. */
export const MARKS = ["●", "■", "▲", "▼", "◆", "✚", "✖", "★", "⬟", "⬢"] as const;

/** The colour of a class. */
export function colourOf(label: number | undefined): string {
  return label === undefined ? COLOURS[0] : COLOURS[label % COLOURS.length];
}

/** Bytes of an image in RGBA, of values from 0 to 1. */
export function imageOf(
  x: ArrayLike<number>,
  from: number,
  [height, width, channels]: Dataset["shape"],
): ImageData {
  const image = new ImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let c = 0; c < 3; c++) {
      image.data[4 * pixel + c] = 255 * x[from + pixel * channels + (channels >= 3 ? c : 0)] + 0.5;
    }
    image.data[4 * pixel + 3] = 255;
  }
  return image;
}

/** Draws rows of `x` as tiles of a grid of so many columns; the canvas takes their size, CSS scales it. */
export function tiles(
  canvas: HTMLCanvasElement,
  x: ArrayLike<number>,
  shape: Dataset["shape"],
  columns: number,
  gap = 0,
): void {
  const [height, width, channels] = shape;
  const features = height * width * channels;
  const count = Math.floor(x.length / features);
  const rows = Math.ceil(count / columns);
  canvas.width = columns * (width + gap) - gap;
  canvas.height = rows * (height + gap) - gap;
  const context = canvas.getContext("2d")!;
  for (let i = 0; i < count; i++) {
    context.putImageData(
      imageOf(x, i * features, shape),
      (i % columns) * (width + gap),
      Math.floor(i / columns) * (height + gap),
    );
  }
}

/** Where a pointer is on a canvas, each from 0 to 1. */
export function pointerOn(canvas: HTMLCanvasElement, event: PointerEvent): readonly [x: number, y: number] {
  const { left, top, width, height } = canvas.getBoundingClientRect();
  const within = (value: number) => Math.min(1, Math.max(0, value));
  return [within((event.clientX - left) / width), within((event.clientY - top) / height)];
}
