/**
 * The convolutional layers of several levels of latents: images of latents below, a vector on top. It is no model.
 *
 * @module
 */

import { features } from "../core/dataset.ts";
import type { DataShape } from "../core/model.ts";
import { activation, chain, conv, hidden, type ImageShape, linear, mlp } from "../core/nn/mod.ts";
import { add } from "../core/ops/add.ts";
import { concat } from "../core/ops/concat.ts";
import { reshape } from "../core/ops/reshape.ts";
import type { Parameters } from "../core/graph/parameters.ts";
import type { Tape, Variable } from "../core/graph/tape.ts";
import type { LayersConfig } from "./conv.ts";
import { blocks, doublings, downsample, pyramid, rowsOf, upsample } from "./conv_stack.ts";
import { levelName, type LevelNetworks } from "./hierarchy.ts";
import { contextColumns } from "./posterior_flow.ts";
import type { HierarchyConfig } from "./composed_settings.ts";

/**
 * The halvings of `channels` divided evenly among levels, or levels among them: several share images of one size then
 *
 * z of a level below the top is an image as large as that behind its halvings, of `lowerLatents` channels; the top is a vector of `latents`
 * behind the dense layers of `hidden`. What is generated carries features downwards, h ← f(h + z * W), so that a level follows from all those
 * above it. Residual blocks are on the images of every level. Source: the deterministic path of Maaløe et al., "BIVA",
 * arXiv:1902.02102, section 3, without its second path of inference.
 *
 * @param condition c, or how many columns it has: joined to the smallest image and to z of the top.
 */
export function convLevels(
  config: LayersConfig & HierarchyConfig,
  data: DataShape,
  condition: Variable | number = 0,
): LevelNetworks {
  const { channels, lowerLatents, hierarchy, latents, activation: f } = config;
  const images = pyramid(config, data.shape);
  const top = lowerLatents.length;
  const smallest = images.at(-1)!;
  const conditions = typeof condition === "number" ? condition : condition.columns;
  const joined = (t: Tape, x: Variable) => typeof condition === "number" ? x : concat(t, [x, condition]);
  /** The number of the halving whose images a level has. */
  const at = (level: number) => Math.ceil((level + 1) * channels.length / (top + 1));
  const window = { kernel: 3, padding: 1 };
  /** A layer of the images of a level, with its residual blocks. */
  const same = (name: string, input: ImageShape, output: ImageShape) =>
    chain(
      hidden(name, (each, f) => conv(each, input, output[2], { ...window, activation: f }), config),
      blocks(name, output, config),
    );
  /** Statistics of images of latents, a row for each. */
  const statistics = (name: string, level: number) => {
    const [height, width] = images[at(level)];
    const outputs = 2 * lowerLatents[level];
    const layer = conv(name, images[at(level)], outputs, { ...window, flat: outputs % 4 === 0 });
    return {
      shapes: layer.shapes,
      apply: (t: Tape, p: Parameters, h: Variable) => rowsOf(t, layer.apply(t, p, h), h.rows / (height * width)),
    };
  };
  const dense = { ...config, residual: 0 };
  const trunk = [features(smallest) + conditions, ...config.hidden];
  const fan = mlp("fan", [latents + conditions, ...config.hidden.toReversed(), features(smallest)], dense);
  const found = (level: number) =>
    level < top ? statistics(levelName("encoder", level) + ".posterior", level) : chain(
      mlp("trunk", trunk, dense),
      linear("posterior", trunk.at(-1)!, 2 * latents + contextColumns(config)),
    );
  const up = (level: number) => {
    const [from, to] = [level === 0 ? 0 : at(level - 1), at(level)];
    const given = level > 0 && hierarchy === "plain" ? lowerLatents[level - 1] : images[from][2];
    if (from < to) {
      return downsample(config, data.shape, { between: [from, to], channels: given, last: f, flat: false });
    }
    const [height, width] = images[from];
    return same(levelName("encoder", level), [height, width, given], images[to]);
  };
  /** Features of a level joined by its z, up to the images of the level below. */
  const merge = (level: number) => {
    const [height, width, outputs] = images[at(level)];
    const name = levelName("decoder", level) + ".merge";
    return conv(name, [height, width, lowerLatents[level]], outputs, window);
  };
  const down = (level: number) => {
    const [from, to] = [at(level), at(level - 1)];
    const first = level === top ? [blocks(`decoder.${channels.length}`, smallest, config)] : [];
    const between = from > to
      ? doublings(config, data.shape, from, to)
      : same(levelName("decoder", level), images[from], images[to]);
    return chain(...first, between);
  };
  const expected = (level: number) => statistics(levelName("decoder", level + 1) + ".prior", level);
  const last = upsample(config, data.shape, at(0));
  const merged = (t: Tape, p: Parameters, level: number, z: Variable, above: Variable) =>
    activation(f).apply(t, p, add(t, above, merge(level).apply(t, p, z)));
  const all = Array.from({ length: top + 1 }, (_, level) => level);
  return {
    shapes: {
      ...chain(
        ...all.flatMap((level) => [up(level), found(level)]),
        fan,
        ...all.slice(1).toReversed().flatMap((level) => [down(level), expected(level - 1), merge(level - 1)]),
      ).shapes,
      ...last.shapes,
    },
    latents: [...lowerLatents.map((each, level) => each * images[at(level)][0] * images[at(level)][1]), latents],
    blocks: [...lowerLatents, latents],
    carries: true,
    up(t, p, level, below) {
      const features = up(level).apply(t, p, below);
      const [height, width] = images[at(level)];
      const rows = level < top ? features : joined(t, rowsOf(t, features, features.rows / (height * width)));
      return { features, found: found(level).apply(t, p, rows) };
    },
    down(t, p, level, z, above) {
      const h = level === top ? reshape(t, fan.apply(t, p, joined(t, z)), smallest[2]) : merged(t, p, level, z, above!);
      return down(level).apply(t, p, h);
    },
    expected: (t, p, level, above) => expected(level).apply(t, p, above),
    likelihood: (t, p, z, above) => last.decode(t, p, merged(t, p, 0, z, above!), z.rows),
  };
}
