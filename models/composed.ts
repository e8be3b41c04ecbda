/**
 * A VAE with one level of latents or several: any encoder with any posterior, likelihood, condition and objective, each a setting. `vae`,
 * `beta_vae`, `cvae`, `iwae` and `conv_vae` are presets of it. It is no model.
 *
 * The settings are in `composed_settings.ts`. What is recorded of a configuration is in `plain.ts`, where it is no more than a VAE, and else in
 * `composed_parts.ts`, which is loaded by need.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { presetSettings } from "../core/settings.ts";
import { type ComposedConfig, composedSettings, given } from "./composed_settings.ts";
import { chosenLikelihood, likelihoodSupport } from "./likelihood_settings.ts";
import { isPlain, parts, plain } from "./plain.ts";
import type { PriorPart } from "./prior.ts";

/** What a model is beside a composed VAE. */
export interface Preset extends Pick<Model, "name" | "summary" | "source"> {
  /** The settings that make it what it is, which come first in the help. */
  readonly own: readonly (keyof ComposedConfig)[];
  /** Its defaults, where they differ. */
  readonly defaults?: Partial<ComposedConfig>;
  /** Priors of its own, by their names for `--prior`. */
  readonly priors?: Readonly<Record<string, PriorPart>>;
}

/** loss = E_q(z|x)[-log p(x | z)] + β KL(q(z | x) ‖ N(0, I)), or -E[log (1/L) Σₗ p(x | zₗ) p(zₗ) / q(zₗ | x)] */
export function composed({ name, summary, source, own, defaults = {}, priors = {} }: Preset): Model<ComposedConfig> {
  let whole: ReturnType<typeof parts.now.withParts> | undefined;
  const withParts = () => whole ??= parts.now.withParts(priors);
  const of = (config: ComposedConfig) => isPlain(config) ? plain : withParts();
  return {
    name,
    summary,
    source,
    settings: presetSettings(composedSettings(priors), defaults, own),
    missing: (config) => isPlain(config) ? undefined : parts.missing,
    check: (config) => isPlain(config) ? undefined : withParts().check(config),
    parameters: (config, data) => of(config).parameters(config, data),
    objectives: (t, p, batch, config) => of(config).objectives(t, p, batch, config),
    encode: (t, p, x, config, condition) => of(config).encode(t, p, x, config, condition),
    decode: (t, p, z, config, condition) => of(config).decode(t, p, z, config, condition),
    latents: (config, data) => of(config).latents(config, data),
    levels: (config, data) => of(config).levels(config, data),
    support: likelihoodSupport,
    findings: async (p, config) => isPlain(config) ? [] : await parts.now.likelihoodFindings(p, config),
    choose: defaults.likelihood ? undefined : chosenLikelihood,
    condition: given,
    prior: (config) => isPlain(config) ? undefined : withParts().prior(config),
    start: async (context, config) => isPlain(config) ? undefined : await withParts().start(context, config),
    caveats: (config) => of(config).caveats(config),
  };
}
