/**
 * The three products of a convolution or transposed convolution, recorded as one op. It is no op itself: {@linkcode conv2d} and
 * {@linkcode convTranspose2d} say which operands the products have.
 *
 * @module
 */

import { type Fragment, merge } from "../gpu/kernel.ts";
import { PANEL, roundUp, type Tensor } from "../gpu/tensor.ts";
import type { Parameter } from "../graph/parameters.ts";
import { storing, type Tape, type Variable } from "../graph/tape.ts";
import type { Product, SplitProduct } from "../products/tiles.ts";
import { activated, type Activation } from "./activations.ts";
import { type Geometry, type Images, isMoved, isPacked, matrixOf, pixelsOf, placed } from "./images.ts";
import { layerOutput } from "./layer.ts";
import { reshaped } from "./reshape.ts";
import finishPart from "../../shaders/epilogues/finish.wgsl" with { type: "text" };

/** A layer from fine images to coarse ones or, `transposed`, from coarse ones to fine ones. */
export interface ConvLayer {
  readonly x: Variable;
  readonly parameter: Parameter;
  readonly fine: Images;
  readonly coarse: Images;
  readonly g: Geometry;
  readonly transposed: boolean;
  readonly activation: Activation | undefined;
}

/** Sizes and operands of the products. The gradient that they are given is dL/da, stored as the output is. */
export interface ConvProducts {
  /** Of the forward product. The weight gradient sums over its rows, and has a row for each index that it sums over. */
  readonly size: Pick<Product, "rows" | "depth" | "columns" | "residues">;
  /** A fragment giving load_a: x, as the forward product and the weight gradient read it. */
  a(): Fragment;
  forward(): Pick<Product, "b" | "biasRow">;
  /** Where the forward product does not form the output yet: where its values are kept, and a fragment giving load_a that sums them. */
  readonly gather?: { readonly from: Variable; load(): Fragment };
  inputGradient(gradient: Tensor): Pick<Product, "rows" | "depth" | "columns" | "residues" | "a" | "b">;
  weightGradient(gradient: Tensor): Pick<SplitProduct, "b" | "slices" | "sum" | "summedColumns">;
}

/** Records a layer and its gradients, and returns its output. */
export function recordConv(t: Tape, layer: ConvLayer, products: ConvProducts): Variable {
  const { x, parameter, fine, coarse, g, transposed, activation = "identity" } = layer;
  const { name, biasRow, shape: { inputs, outputs } } = parameter;
  const { size, gather } = products;
  const output = transposed ? fine : coarse;
  const { rows, columns } = matrixOf(output);
  const moved = !gather && isMoved(output, g, transposed);
  const { y, epilogue } = layerOutput(t, name, rows, columns, activation, !moved);
  const macs = coarse.count * pixelsOf(coarse) * inputs * outputs;
  t.record({
    name,
    inputs: [x],
    parameters: [parameter],
    formula(f) {
      const input = transposed ? coarse : fine;
      const [from, to] = [input, output].map(({ height, width, channels }) => [height, width, channels] as const);
      const { KERNEL: kernel, STRIDE: stride, PADDING: padding } = g.constants;
      const how = { from, to, kernel, stride, padding, transposed, flat: output.flat };
      return activated(f, f.convolved(f.of(x), parameter, how), activation);
    },
    forward() {
      const end = gather ? { epilogue: keeping(t, gather.from) } : placed(epilogue(), output, g, transposed);
      const operands = { a: products.a(), ...products.forward() };
      t.product({ label: `${name} forward`, kind: "forward", ...size, ...operands, ...end, macs });
      if (gather) t.map(`${name} forward, sum`, gather.load(), epilogue(), y);
    },
    backward() {
      const gradient = t.gradient(y);
      // The input gradient first: the weight gradient ends by changing W.
      if (t.needsGradient(x)) {
        contribute(t, layer, (end) => ({
          label: `${name} input gradient`,
          kind: "inputGradient",
          ...products.inputGradient(gradient),
          ...end,
          macs,
        }));
      }
      if (t.needsGradient(parameter)) {
        t.splitProduct({
          label: `${name} weight gradient`,
          ...size,
          rows: size.depth,
          depth: roundUp(size.rows, PANEL),
          a: products.a(),
          ...products.weightGradient(gradient),
          summedRows: biasRow + 1,
          epilogue: t.contribution(parameter),
          macs,
        });
      }
    },
  }, y);
  return y;
}

/** An epilogue that only stores. */
function keeping(t: Tape, variable: Variable): Fragment {
  return merge({ parts: [finishPart] }, storing(t.tensor(variable)));
}

/** Records the product that forms the gradient of x, wherever and however its images are stored. */
function contribute(
  t: Tape,
  { x, fine, coarse, g, transposed }: ConvLayer,
  describe: (end: Pick<Product, "epilogue" | "store">) => Product,
): void {
  const images = transposed ? coarse : fine;
  const byResidue = !transposed;
  if (!images.flat || !isPacked(images)) {
    t.product(describe(placed(t.contribution(x), images, g, byResidue)));
    return;
  }
  // Four channels of a pixel do not stay together in rows that are no multiple of four: pixel by pixel first, then in rows.
  const pixels: Images = { ...images, flat: false };
  const { rows, columns } = matrixOf(pixels);
  const gradient = t.variable(`gradient of ${x.name} by pixels`, columns, "f32", rows);
  t.product(describe(placed(keeping(t, gradient), pixels, g, byResidue)));
  t.map(`${x.name} gradient`, reshaped("a", t.tensor(gradient), x.rows, x.columns), t.contribution(x), x);
}
