/**
 * The one place where the plotting library is loaded: a specification in, SVG out. Here it is loaded when the first plot is drawn; Deno
 * fetches it from npm before, where a lock file names it, or then.
 *
 * @module
 */

/** A specification in the language of Vega-Lite 6. */
export type PlotSpecification = Readonly<Record<string, unknown>>;

/** The plotting library could not be loaded: there was no network and it is not in the cache. */
export class PlotLibraryError extends Error {
  override readonly name = "PlotLibraryError";
}

/** Of Vega-Lite: what is used. */
interface VegaLite {
  compile(specification: PlotSpecification, options: { readonly config: PlotSpecification }): { readonly spec: object };
}

/** Of Vega: what is used. */
interface Vega {
  parse(specification: object): object;
  View: new (runtime: object, options: { readonly renderer: "none" }) => { toSVG(): Promise<string>; finalize(): void };
}

const PACKAGES = { vegaLite: "vega-lite@6.5.0", vega: "vega@6.4.0" } as const;

/** Eight colours that the colour-blind tell apart: Okabe and Ito, "Color Universal Design", 2008, the yellow last. */
export const CATEGORIES: readonly string[] = [
  "#0072b2",
  "#d55e00",
  "#009e73",
  "#cc79a7",
  "#e69f00",
  "#56b4e9",
  "#000000",
  "#f0e442",
];

/** Ten, for classes: Tol, "Colour Schemes", SRON/EPS/TN/09-002, the muted ones and black. */
const CLASSES: readonly string[] = [
  "#332288",
  "#88ccee",
  "#44aa99",
  "#117733",
  "#999933",
  "#ddcc77",
  "#cc6677",
  "#882255",
  "#aa4499",
  "#000000",
];

/** A colour for each of so many classes: beyond ten, shades that repeat none but cannot all be told apart. */
export function classColours(count: number): readonly string[] {
  if (count <= CLASSES.length) return CLASSES.slice(0, count);
  return Array.from({ length: count }, (_, i) => `hsl(${Math.round(360 * i / count)} 65% ${i % 2 ? 35 : 55}%)`);
}

/** The look of every plot: light, with a title, a grid and a font that is on every machine. */
const CONFIG: PlotSpecification = {
  background: "white",
  // A description of every mark would make up most of the file.
  aria: false,
  font: "Helvetica, Arial, sans-serif",
  padding: 12,
  title: { anchor: "start", fontSize: 16, fontWeight: 600, offset: 12 },
  axis: {
    labelFlush: false,
    labelFontSize: 12,
    titleFontSize: 13,
    titleFontWeight: "normal",
    titlePadding: 8,
    gridColor: "#e6e6e6",
    domainColor: "#777",
    tickColor: "#777",
  },
  legend: { labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", symbolSize: 90, labelLimit: 300 },
  view: { stroke: null },
  range: { category: CATEGORIES },
  line: { strokeWidth: 2 },
};

/**
 * Draws a plot.
 *
 * @param specification In Vega-Lite; colours, fonts and grids are filled in.
 * @returns SVG text.
 * @throws {PlotLibraryError} If the library is neither in the cache nor to be fetched.
 */
export async function renderPlot(specification: PlotSpecification): Promise<string> {
  const { vegaLite, vega } = await (library ??= loadLibrary());
  const { spec } = vegaLite.compile(specification, { config: CONFIG });
  const view = new vega.View(vega.parse(spec), { renderer: "none" });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** Kept even where it fails: every plot would wait for the network again. */
let library: Promise<{ readonly vegaLite: VegaLite; readonly vega: Vega }> | undefined;

async function loadLibrary(): Promise<{ readonly vegaLite: VegaLite; readonly vega: Vega }> {
  try {
    const [vegaLite, vega]: [VegaLite, Vega] = await Promise.all([
      import(["npm", PACKAGES.vegaLite].join(":")),
      import(["npm", PACKAGES.vega].join(":")),
    ]);
    return { vegaLite, vega };
  } catch (cause) {
    throw new PlotLibraryError(
      `Cannot draw plots: npm packages ${PACKAGES.vegaLite} and ${PACKAGES.vega} are not in Deno's cache and could not be ` +
        "fetched; the first use needs an npm registry",
      { cause },
    );
  }
}
