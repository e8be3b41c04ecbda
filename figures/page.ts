/**
 * The pieces of a page that holds everything in one file: no script, no other file, light, and as wide as a phone or a screen.
 *
 * @module
 */

import { escapeText, type Figure } from "./figure.ts";

/** A table: names of the columns, and the cells of each row as text. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Where the first cell of each row leads to, if anywhere. */
  readonly links?: readonly (string | undefined)[];
}

const STYLE = `
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 72rem; background: #fff; color: #1a1a1a;
  font: 16px/1.5 Helvetica, Arial, sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.2rem 0 .6rem; padding-top: .8rem; border-top: 1px solid #ddd; }
h3 { font-size: 1rem; margin: 1rem 0 .4rem; overflow-wrap: anywhere; }
p { margin: .3rem 0; max-width: 46rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .9rem .25rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid #eee; }
td.number, th.number { text-align: right; }
th { font-weight: 600; }
figure { margin: 1.2rem 0 2rem; }
figure > div { overflow-x: auto; }
figure svg, figure img { max-width: 100%; height: auto; display: block; }
figure img { image-rendering: pixelated; }
figcaption { color: #444; max-width: 46rem; margin-top: .4rem; }
.beside { display: flex; flex-wrap: wrap; gap: 0 2rem; }
.beside > * { flex: 1 1 18rem; min-width: 0; }
ul { padding-left: 1.2rem; }
`.trim();

/** A whole page of parts that are HTML; empty ones leave no trace. */
export function htmlPage(title: string, parts: readonly string[]): string {
  return [
    "<!DOCTYPE html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8"/>',
    '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
    `<title>${escapeText(title)}</title>`,
    // Without it a browser asks for one beside the page.
    '<link rel="icon" href="data:,"/>',
    `<style>${STYLE}</style>`,
    "</head>",
    "<body>",
    ...parts.filter(Boolean),
    "</body>",
    "</html>",
    "",
  ].join("\n");
}

/** The title on the page, and a line under it. */
export function htmlHeading(title: string, subtitle = ""): string {
  return `<h1>${escapeText(title)}</h1>` + (subtitle && `\n<p>${escapeText(subtitle)}</p>`);
}

/** A heading and what is under it; nothing under it, no heading. */
export function htmlSection(title: string, body: string): string {
  return body && `<h2>${escapeText(title)}</h2>\n${body}`;
}

/** Lines as a list; none, nothing. */
export function htmlList(lines: readonly string[]): string {
  return lines.length ? `<ul>${lines.map((line) => `<li>${escapeText(line)}</li>`).join("")}</ul>` : "";
}

/** A table whose cells that hold numbers are set to the right; no rows, nothing. */
export function htmlTable({ columns, rows, links = [] }: Table): string {
  if (rows.length === 0) return "";
  const numeric = columns.map((_, i) => rows.every((row) => /^(|[-+]?[\d,]+(\.\d+)?)$/.test(row[i] ?? "")));
  const cell = (tag: "td" | "th", text: string, i: number, link?: string) => {
    const content = link ? `<a href="${escapeText(link)}">${escapeText(text)}</a>` : escapeText(text);
    return `<${tag}${numeric[i] ? ' class="number"' : ""}>${content}</${tag}>`;
  };
  const head = columns.some(Boolean)
    ? `<thead><tr>${columns.map((name, i) => cell("th", name, i)).join("")}</tr></thead>`
    : "";
  const body = rows.map((row, r) =>
    `<tr>${columns.map((_, i) => cell("td", row[i] ?? "", i, i === 0 ? links[r] : undefined)).join("")}</tr>`
  );
  return `<div class="wide"><table>${head}<tbody>\n${body.join("\n")}\n</tbody></table></div>`;
}

/**
 * A figure with its words. An SVG is part of the page; a PNG is an image whose address holds its bytes.
 *
 * @param place Different for each figure of a page: parts within an SVG are named after it, so that no two have one name.
 */
export function htmlFigure(figure: Figure, place: string = figure.name): string {
  const { title, caption, content } = figure;
  const picture = typeof content === "string"
    ? `<div style="min-width: ${readableWidth(content)}px">${withOwnNames(content, place)}</div>`
    : `<img src="data:image/png;base64,${content.toBase64()}" alt="${escapeText(title)}"/>`;
  const words = typeof content === "string"
    ? escapeText(caption)
    : `<b>${escapeText(title)}.</b> ${escapeText(caption)}`;
  return `<figure id="${escapeText(place)}"><div>${picture}</div><figcaption>${words}</figcaption></figure>`;
}

/** Below this width the text of a plot can no longer be read: a narrow screen scrolls. */
function readableWidth(svg: string): number {
  return Math.min(600, Math.floor(Number(svg.match(/<svg[^>]*? width="([\d.]+)"/)?.[1] ?? 0)));
}

/** Names within an SVG hold for the whole page that it becomes part of. */
function withOwnNames(svg: string, place: string): string {
  const own = escapeText(place);
  return svg.replace(/\bid="([^"]+)"/g, `id="${own}-$1"`).replace(/url\(#([^)]+)\)/g, `url(#${own}-$1)`)
    .replace(/href="#([^"]+)"/g, `href="#${own}-$1"`);
}
