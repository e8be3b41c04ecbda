/**
 * Five steps through a VAE, on the model that is open: encoder, posterior, draw, decoder, and the two losses.
 *
 * @module
 */

import type { View } from "../app.ts";
import { button, element } from "../elements.ts";
import { pairName, picture } from "../picture.ts";

/** MathML of a formula, which browsers set themselves. */
function formula(markup: string): HTMLElement {
  const host = element("p", { className: "formula" });
  // Brackets of the height of the text.
  const flat = markup.replaceAll(/<mo>(?=[()[\]])/g, '<mo stretchy="false">');
  host.innerHTML = `<math display="block">${flat}</math>`;
  return host;
}

const q = "<mi>q</mi><mo>(</mo><mi>z</mi><mo>∣</mo><mi>x</mi><mo>)</mo>";
const p = "<mi>p</mi><mo>(</mo><mi>x</mi><mo>∣</mo><mi>z</mi><mo>)</mo>";

/** A guided tour. */
export const tour: View = {
  id: "tour",
  title: "Tour",
  unfit: ({ model, data }) =>
    !model?.can.encode || !model.can.decode
      ? "The tour wants a model that encodes and decodes."
      : data
      ? undefined
      : "The tour wants data.",
  mount(host, app) {
    const { engine, state } = app;
    const { data, latents, condition } = app.model!;
    let at = Math.min(4, Math.max(0, state.number("step", 0)));
    let seed = 1;
    const shown = picture(data, "On the model that is open");
    const said = element("p", { "aria-live": "polite" });
    const title = element("h2");
    const text = element("div");
    const row = state.number("from", 0);

    const datum = async () => {
      const { x, labels } = await engine.rows({ split: "test", rows: [row] });
      const given = condition && labels ? [labels[0]] : undefined;
      return { x, given, ...await engine.encode(x, given) };
    };
    const list = (values: ArrayLike<number>) =>
      Array.from(values).slice(0, 4).map((value) => value.toFixed(2)).join(", ") + (values.length > 4 ? ", …" : "");
    const steps = [
      {
        title: "1. The encoder",
        words: "A datum x goes in. The encoder, a neural network, says where in latent space it belongs.",
        formula:
          `<mi>x</mi><mo>↦</mo><mo>(</mo><mi>μ</mi><mo>(</mo><mi>x</mi><mo>)</mo><mo>,</mo><mi>σ</mi><mo>(</mo><mi>x</mi><mo>)</mo><mo>)</mo>`,
        show: async () => {
          const { x, mean } = await datum();
          shown.show(x, { perRow: 1 });
          return `This datum is placed at μ = (${list(mean)}).`;
        },
      },
      {
        title: "2. The posterior",
        words: "Not a point but a cloud: q(z | x) is a Gaussian around μ, as wide as the model is unsure.",
        formula:
          `${q}<mo>=</mo><mi>N</mi><mo>(</mo><mi>z</mi><mo>;</mo><mi>μ</mi><mo>,</mo><msup><mi>σ</mi><mn>2</mn></msup><mo>)</mo>`,
        show: async () => {
          const { x, logVariance } = await datum();
          shown.show(x, { perRow: 1 });
          return `Its deviations are σ = (${
            list(logVariance.map((value) => Math.exp(value / 2)))
          }); the prior's are 1.`;
        },
      },
      {
        title: "3. The draw",
        words: "A point is drawn from the cloud. Written as μ + σ ε, the draw lets gradients pass to the encoder.",
        formula:
          `<mi>z</mi><mo>=</mo><mi>μ</mi><mo>+</mo><mi>σ</mi><mi>ε</mi><mo>,</mo><mi>ε</mi><mo>∼</mo><mi>N</mi><mo>(</mo><mn>0</mn><mo>,</mo><mi>I</mi><mo>)</mo>`,
        show: async () => {
          const { mean, logVariance, given } = await datum();
          const { z: noise } = await engine.sample({ count: 9, seed: seed++ });
          const z = noise.map((e, i) => mean[i % latents] + Math.exp(logVariance[i % latents] / 2) * e);
          shown.show(await engine.decode(z, given), { perRow: 3 });
          return "Nine draws from the cloud of the same datum, decoded: how alike they are is how sure the encoder is.";
        },
      },
      {
        title: "4. The decoder",
        words:
          "A second network turns the point back into a distribution over data, p(x | z). Its mean is the reconstruction.",
        formula: `<mi>z</mi><mo>↦</mo>${p}`,
        show: async () => {
          const { x, mean, given } = await datum();
          const both = new Float32Array(2 * x.length);
          both.set(x);
          both.set(await engine.decode(mean, given), x.length);
          shown.show(both, { perRow: 2, name: pairName });
          return "The datum, and its reconstruction.";
        },
      },
      {
        title: "5. The two losses",
        words:
          "Training maximizes the evidence lower bound: reconstruct well, and keep the clouds near the prior, so that draws from the " +
          "prior decode to data. β weighs the two.",
        formula:
          `<mi>ELBO</mi><mo>=</mo><msub><mi>E</mi>${q}</msub><mo>[</mo><mi>log</mi>${p}<mo>]</mo><mo>−</mo><mi>KL</mi><mo>(</mo>${q}<mo>‖</mo><mi>p</mi><mo>(</mo><mi>z</mi><mo>)</mo><mo>)</mo>`,
        show: async () => {
          const { kl } = await engine.encodeRows({ split: "test", count: 500 });
          shown.show((await engine.sample({ count: 25, seed: seed++ })).x, { perRow: 5 });
          const sum = kl?.reduce((total, value) => total + value, 0);
          return `Draws from the prior, decoded.${
            sum === undefined ? "" : ` The KL of test data is ${sum.toFixed(1)} nats.`
          } ` +
            "Now move β beside this view while a model trains, and watch both.";
        },
      },
    ] as const;
    const back = button("Back", () => go(at - 1));
    const next = button("Next", () => go(at + 1), { className: "main" });
    const show = app.newest(async () => {
      said.textContent = await steps[at].show();
    });
    const go = (to: number) => {
      at = Math.min(steps.length - 1, Math.max(0, to));
      state.set("step", at);
      title.textContent = steps[at].title;
      text.replaceChildren(element("p", {}, steps[at].words), formula(steps[at].formula));
      back.disabled = at === 0;
      next.disabled = at === steps.length - 1;
      show();
    };
    host.append(element(
      "div",
      { className: "columns" },
      element("div", {}, title, text, said, element("div", { className: "row" }, back, next)),
      element("div", { className: "medium" }, shown.host),
    ));
    go(at);
    return app.onChange((change) => change === "weights" && show());
  },
};
