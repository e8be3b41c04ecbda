/**
 * Lines and bars on a canvas, in the colours of the page.
 *
 * @module
 */

/** One line: a name, a colour of the page, and points. */
export interface Line {
  readonly name: string;
  /** A custom property of the page: `--accent`. */
  readonly colour: string;
  readonly dash?: readonly number[];
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** A canvas at the screen's own resolution, of so many CSS pixels; gives its context. */
export function sharp(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const scale = devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d")!;
  context.scale(scale, scale);
  context.font = "12px system-ui, sans-serif";
  return context;
}

/** The value of a custom property of the page. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** About so many round numbers from `low` to `high`. */
export function ticks(low: number, high: number, about: number): number[] {
  const span = high - low;
  if (!(span > 0)) return [low];
  const rough = span / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough)!;
  const first = Math.ceil(low / step);
  return Array.from(
    { length: Math.floor(high / step) - first + 1 },
    (_, i) => Number(((first + i) * step).toPrecision(12)),
  );
}

/** Draws lines over a common x, with a legend. */
export function lineChart(canvas: HTMLCanvasElement, lines: readonly Line[], xTitle: string, height = 180): void {
  const width = canvas.parentElement?.clientWidth || 300;
  const context = sharp(canvas, width, height);
  const points = lines.flatMap((line) => line.points).filter(([, y]) => Number.isFinite(y));
  if (!points.length) return;
  const [left, right, top, bottom] = [44, width - 8, 22, height - 20];
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y).sort((a, b) => a - b);
  const [x0, x1] = [Math.min(...xs), Math.max(...xs)];
  // The first steps of a training would flatten all that follows.
  let [y0, y1] = [ys[Math.floor(0.03 * ys.length)], ys[Math.ceil(0.97 * ys.length) - 1]];
  const last = lines.flatMap((line) => line.points.length ? [line.points[line.points.length - 1][1]] : []);
  [y0, y1] = [Math.min(y0, ...last), Math.max(y1, ...last)];
  const margin = 0.06 * (y1 - y0 || 1);
  [y0, y1] = [y0 - margin, y1 + margin];
  const toX = (x: number) => left + (right - left) * (x1 > x0 ? (x - x0) / (x1 - x0) : 0.5);
  const toY = (y: number) => bottom - (bottom - top) * (y - y0) / (y1 - y0);
  context.strokeStyle = colour("--line");
  context.fillStyle = colour("--quiet");
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const y of ticks(y0, y1, 4)) {
    context.beginPath();
    context.moveTo(left, toY(y));
    context.lineTo(right, toY(y));
    context.stroke();
    context.fillText(String(y), left - 6, toY(y));
  }
  context.textAlign = "center";
  context.textBaseline = "top";
  const room = right - context.measureText(xTitle).width - 12;
  // Epochs are whole where there is room for more than one.
  const marks = ticks(x0, x1, Math.max(3, width / 90))
    .filter((x) => Number.isFinite(x) && (x1 - x0 < 1 || Number.isInteger(x)));
  for (const x of marks) {
    if (toX(x) + context.measureText(String(x)).width / 2 < room) context.fillText(String(x), toX(x), bottom + 4);
  }
  context.textAlign = "right";
  context.fillText(xTitle, right, bottom + 4);
  context.save();
  context.beginPath();
  context.rect(left, top - 2, right - left, bottom - top + 4);
  context.clip();
  for (const { colour: name, dash = [], points } of lines) {
    context.strokeStyle = colour(name);
    context.lineWidth = 2;
    context.setLineDash([...dash]);
    context.beginPath();
    points.forEach(([x, y], i) => i ? context.lineTo(toX(x), toY(y)) : context.moveTo(toX(x), toY(y)));
    if (points.length === 1) context.arc(toX(points[0][0]), toY(points[0][1]), 2, 0, 7);
    context.stroke();
  }
  context.restore();
  context.textAlign = "left";
  context.textBaseline = "alphabetic";
  let at = left;
  for (const { name, colour: ink, dash = [] } of lines) {
    context.strokeStyle = colour(ink);
    context.setLineDash([...dash]);
    context.beginPath();
    context.moveTo(at, 9);
    context.lineTo(at + 18, 9);
    context.stroke();
    context.fillText(name, at + 23, 13);
    at += 36 + context.measureText(name).width;
  }
  context.setLineDash([]);
}

/** Draws a bar for each value, in the order given, each with its number below. */
export function barChart(
  canvas: HTMLCanvasElement,
  values: readonly number[],
  { threshold = 0, height = 110 }: { readonly threshold?: number; readonly height?: number } = {},
): void {
  const width = canvas.parentElement?.clientWidth || 300;
  const context = sharp(canvas, width, height);
  const largest = Math.max(1, ...values);
  const [left, bottom] = [30, height - 18];
  const each = Math.min(40, (width - left) / values.length);
  context.fillStyle = colour("--quiet");
  context.strokeStyle = colour("--line");
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const y of ticks(0, largest, 3)) {
    const at = bottom - (bottom - 6) * y / largest;
    context.beginPath();
    context.moveTo(left, at);
    context.lineTo(width, at);
    context.stroke();
    context.fillText(String(y), left - 5, at);
  }
  context.textAlign = "center";
  context.textBaseline = "top";
  const every = Math.ceil(values.length * 20 / (width - left));
  values.forEach((value, i) => {
    const tall = Math.max(1, (bottom - 6) * value / largest);
    context.fillStyle = colour(value >= threshold ? "--accent" : "--line");
    context.fillRect(left + i * each + 1, bottom - tall, Math.max(1, each - 2), tall);
    context.fillStyle = colour("--quiet");
    if (i % every === 0) context.fillText(String(i + 1), left + (i + 0.5) * each, bottom + 4);
  });
}
