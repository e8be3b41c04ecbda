/**
 * A picture of images with names of its rows and columns: an SVG that holds the PNG. It needs no plotting library.
 *
 * @module
 */

import { escapeText, type Figure, type Words } from "./figure.ts";
import { encodePng, type Grid } from "./grid.ts";

/** What stands around a grid. Names are spread evenly: row names over the height, column names over the width. */
export interface GridLabels {
  readonly rows?: readonly string[];
  readonly columns?: readonly string[];
  /** What the columns are, under their names, with the unit. */
  readonly x?: string;
  /** What the rows are, beside their names. */
  readonly y?: string;
}

/** Of the text, in pixels. */
const SIZE = 13;

/** The grid alone, as PNG. */
export function gridFigure(words: Words, grid: Grid): Figure {
  return { ...words, file: `${words.name}.png`, content: encodePng(grid) };
}

/** The grid with the names of its rows on the left and of its columns above. */
export function labelledGrid(
  words: Words,
  grid: Grid,
  { rows = [], columns = [], x = "", y = "" }: GridLabels,
): Figure {
  const rowWidth = rows.length ? 10 + 0.6 * SIZE * Math.max(...rows.map(({ length }) => length)) : 0;
  const [left, top] = [Math.ceil(rowWidth + (y ? 24 : 0)) + 12, (columns.length ? 24 : 0) + (x ? 20 : 0) + 34];
  const [width, height] = [left + grid.width + 12, top + grid.height + 12];
  const text = (x: number, y: number, content: string, attributes = "") =>
    `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escapeText(content)}</text>`;
  const middle = (i: number, of: number, length: number) => (i + 0.5) / of * length;
  const lines = [
    text(12, 22, words.title, 'font-size="16" font-weight="600"'),
    x ? text(left + grid.width / 2, 46, x, 'text-anchor="middle"') : "",
    ...columns.map((name, i) =>
      text(left + middle(i, columns.length, grid.width), top - 8, name, 'text-anchor="middle"')
    ),
    y ? text(0, 0, y, `text-anchor="middle" transform="translate(${20} ${top + grid.height / 2}) rotate(-90)"`) : "",
    ...rows.map((name, i) =>
      text(left - 8, top + middle(i, rows.length, grid.height) + SIZE / 3, name, 'text-anchor="end"')
    ),
  ];
  const image = `<image x="${left}" y="${top}" width="${grid.width}" height="${grid.height}" ` +
    `image-rendering="pixelated" href="data:image/png;base64,${encodePng(grid).toBase64()}"/>`;
  const content = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ` +
    `font-family="Helvetica, Arial, sans-serif" font-size="${SIZE}" fill="#111">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    ...lines.filter(Boolean),
    image,
    "</svg>",
  ].join("\n");
  return { ...words, file: `${words.name}.svg`, content };
}
