import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { Figure } from "../../figures/figure.ts";
import { encodePng, imageGrid } from "../../figures/grid.ts";
import { htmlFigure } from "../../figures/page.ts";
import { comparisonPage, differenceTable, modelTable, type Report, reportPage } from "../../figures/report.ts";
import { requireWellFormed } from "./support.ts";

const png: Figure = {
  name: "samples",
  title: "Samples <1>",
  caption: 'of "p" & q',
  file: "samples.png",
  content: encodePng(imageGrid(new Uint8Array([1, 2, 3, 4]), { shape: [2, 2, 1] })),
};

const drawn: Figure = {
  name: "curves",
  title: "Losses",
  caption: "over epochs",
  file: "curves.svg",
  content: '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><clipPath id="clip0"></clipPath>' +
    '<g clip-path="url(#clip0)"></g></svg>',
};

const report: Report = {
  title: "vae on <mnist>",
  subtitle: "a & b",
  remarks: ["σ < 1"],
  losses: {
    training: { elbo: -100.123, nll: 80, kl: 20.123, loss: 100.123 },
    validation: { elbo: -101, nll: 80, kl: 21, loss: 101, ssim: 0.5 },
  },
  configuration: { hidden: [500, 300], latents: 2, note: "</td><script>alert(1)</script>", none: [] },
  shapes: {
    "encoder.0": { inputs: 784, outputs: 500 },
    "conv": { inputs: 16, outputs: 8, images: [28, 28, 1] },
    scale: { inputs: 0, outputs: 784 },
  },
  figures: [png, drawn],
};

Deno.test("reportPage() is one well-formed file with every figure, loss, layer and setting, and no script", () => {
  const page = reportPage(report);
  requireWellFormed(page);
  const inside = `data:image/png;base64,${(png.content as Uint8Array).toBase64()}`;
  for (
    const text of [inside, 'id="curves"', "-100.12", "0.50", "encoder.0", "500, 300", "over epochs", 'name="viewport"']
  ) {
    assertStringIncludes(page, text);
  }
  assert(!page.includes("<script"));
  // Nothing is fetched: every address is in the page itself.
  const addresses = [...page.matchAll(/(?:src|href)="([^"]{0,20})/g)].map(([, address]) => address);
  assertEquals(addresses.filter((address) => !address.startsWith("data:")), []);
});

Deno.test("reportPage() escapes text wherever it stands", () => {
  const page = reportPage(report);
  for (const text of ["vae on &#60;mnist&#62;", "a &#38; b", "σ &#60; 1", "&#60;/td&#62;&#60;script&#62;"]) {
    assertStringIncludes(page, text);
  }
  assertStringIncludes(page, "of &#34;p&#34; &#38; q");
});

Deno.test("reportPage() of little is still a page", () => {
  const page = reportPage({ title: "t", remarks: [], losses: {}, configuration: {}, figures: [] });
  requireWellFormed(page);
  for (const heading of ["Final losses", "Figures", "Model", "Configuration"]) assert(!page.includes(heading));
});

Deno.test("requireWellFormed() finds what is not closed and not escaped", () => {
  assertThrows(() => requireWellFormed("<p><b>x</p>"), Error, "closes another element");
  assertThrows(() => requireWellFormed("<p>a < b</p>"), Error, "not escaped");
  assertThrows(() => requireWellFormed("<p>a & b</p>"), Error, "not escaped");
  assertThrows(() => requireWellFormed("<p>a"), Error, "never closed: p");
});

Deno.test("htmlFigure() names the parts of an SVG after its place, so that two on a page do not share them", () => {
  const html = htmlFigure(drawn, "run-1-curves");
  assertStringIncludes(html, 'id="run-1-curves-clip0"');
  assertStringIncludes(html, "url(#run-1-curves-clip0)");
  assert(!html.includes('"clip0"') && !html.includes("#clip0"));
});

Deno.test("modelTable() counts weights and biases, in numbers and in bytes of float32", () => {
  const { rows } = modelTable(report.shapes!);
  assertEquals(rows.map(([layer, , , , parameters, bytes]) => [layer, parameters, bytes]), [
    ["encoder.0", "392,500", "1,570,000"],
    ["conv", "136", "544"],
    ["scale", "784", "3,136"],
    ["total", "393,420", "1,573,680"],
  ]);
});

Deno.test("comparisonPage() shows what differs, the losses of all, and figures side by side", () => {
  const other = { ...report, title: "other", configuration: { ...report.configuration, latents: 20 } };
  const page = comparisonPage({ title: "2 runs", runs: [report, other], figures: [drawn], remarks: ["a note"] });
  requireWellFormed(page);
  for (const text of ["run-1-samples", "run-2-samples", 'id="curves"', "a note", "other"]) {
    assertStringIncludes(page, text);
  }
  assertEquals(differenceTable([report, other]), {
    columns: ["setting", report.title, "other"],
    rows: [["latents", "2", "20"]],
  });
  assertStringIncludes(comparisonPage({ title: "t", runs: [report, report], figures: [] }), "all settings are equal");
});
