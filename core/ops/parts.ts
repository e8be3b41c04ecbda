/**
 * What a kernel of one's own may need besides the matrices that it reads: where elements lie, numbers that follow from the step, and random
 * ones.
 *
 * @module
 */

import type { Fragment } from "../gpu/kernel.ts";
import type { Tape } from "../graph/tape.ts";
import layoutPart from "../../shaders/layout.wgsl" with { type: "text" };
import layoutScalar from "../../shaders/layout_scalar.wgsl" with { type: "text" };
import randomPart from "../../shaders/random.wgsl" with { type: "text" };
import scalarPart from "../../shaders/scalar.wgsl" with { type: "text" };
import stateStruct from "../../shaders/state.wgsl" with { type: "text" };

/**
 * Gives, for matrices of `rows` stored rows ({@linkcode Tape.stored}), `at_scalar(rows, row, column)`, the place of an element in an
 * `array<f32>`; `at(rows, row, column4)`, that of four neighbours in an `array<vec4f>`, the columns 4 column4 ... 4 column4 + 3; and
 * `columns_below(columns, column4)`, which of the four are no padding.
 */
export const layout: Fragment = { parts: [layoutPart, layoutScalar] };

/** Gives `scalar(i)`: the number at the place i, which is what {@linkcode Tape.scalar} says of a scheduled one. */
export function scalars(t: Tape): Fragment {
  return { parts: [scalarPart], buffers: { scalars: t.readScalars() } };
}

/**
 * Gives `random_uniform` and `random_normal`: four numbers for (state.seed, state.step, stream, index), the stream a constant that
 * {@linkcode Tape.stream} gave.
 */
export function randoms(t: Tape): Fragment {
  return { parts: [stateStruct, randomPart], buffers: { state: t.readState() } };
}
