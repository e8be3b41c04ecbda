/**
 * The panel beside the views: what is open, a training with its controls, its losses and the use of the latents.
 *
 * @module
 */

import type { EpochEvent, Losses } from "../../core/training/events.ts";
import type { Engine, TrainRequest } from "../engine.ts";
import type { App } from "./app.ts";
import { barChart, type Line, lineChart } from "./charts.ts";
import { button, check, choice, element, entry, labelled, slider } from "./elements.ts";
import { isTable } from "../../core/description.ts";
import type { ShippedModel } from "../manifest.ts";
import { checkpointOf, droppedFiles, epochsOf, loadShipped, opened, type Reading, readManifest } from "./source.ts";

/** The nats below which a latent dimension counts as unused, as in the library. */
const UNUSED = 0.01;

/** The settings of the loss that the panel has sliders for. */
const SLIDERS = ["beta", "freeBits", "capacity"] as const;

/** A model that is trained here. */
interface Trainable {
  readonly title: string;
  /** Its name, where the choice is called otherwise. */
  readonly model?: string;
  /** Which sliders it has a use for. Default: all. */
  readonly loss?: readonly typeof SLIDERS[number][];
  /** Settings besides those of the fields, or in place of them. */
  readonly config?: (hidden: readonly number[], latents: number) => Readonly<Record<string, unknown>>;
  /** Codes in place of latents: it has no use for the fields of these. */
  readonly ofCodes?: boolean;
  readonly convolutions?: boolean;
}

/** They, by the names of the choices. */
export const TRAINABLE: Readonly<Record<string, Trainable>> = {
  vae: { title: "VAE" },
  conv_vae: { title: "Convolutional VAE", convolutions: true },
  beta_vae: { title: "β-VAE" },
  beta_tcvae: { title: "β-TCVAE" },
  factor_vae: { title: "FactorVAE" },
  info_vae: { title: "InfoVAE", loss: [] },
  aae: { title: "Adversarial autoencoder", loss: [] },
  cvae: { title: "CVAE (class given)" },
  iwae: { title: "IWAE", loss: [] },
  iaf_vae: { title: "VAE with a flow (IAF)", loss: ["beta", "capacity"] },
  ladder_vae: {
    title: "Ladder VAE, two levels",
    // The first latents are those that the data are decoded from.
    config: (hidden, latents) => ({ hidden: [...hidden, ...hidden], lowerLatents: [latents] }),
  },
  vq_vae: { title: "VQ-VAE", ofCodes: true, convolutions: true },
  vq_vae_residual: {
    ...{ title: "VQ-VAE, two codes a position", model: "vq_vae", ofCodes: true, convolutions: true },
    config: () => ({ codes: 32, depth: 2 }),
  },
  vq_vae_fsq: {
    ...{ title: "VQ-VAE, rounded (FSQ)", model: "vq_vae", ofCodes: true, convolutions: true },
    config: () => ({ quantizer: "fsq" }),
  },
};

/** Those that an engine can train: SwiftShader's compiler takes more than 6 GB for a convolution's kernel, which ends the browser's GPU process. */
function trainable({ adapter }: Engine): readonly (readonly [name: string, title: string])[] {
  const plain = /swiftshader/i.test(adapter);
  return Object.entries(TRAINABLE).flatMap(([name, { title, convolutions }]) =>
    plain && convolutions ? [] : [[name, title] as const]
  );
}

/** The settings of a training that the panel has fields for. */
interface Wanted {
  model: string;
  hidden: string;
  latents: string;
  prior: string;
  optimizer: string;
  learningRate: string;
}

/** The model and the configuration that the fields stand for. */
export function requestOf(
  wanted: Wanted,
  loss: Readonly<Record<string, number>>,
  rows: number = 0,
): TrainRequest {
  const { prior, optimizer, learningRate } = wanted;
  const { model = wanted.model, loss: sliders = SLIDERS, config, ofCodes } = TRAINABLE[wanted.model];
  const [hidden, latents] = [wanted.hidden.split(",").map(Number), Number(wanted.latents)];
  const ofLatents = {
    hidden,
    latents,
    ...prior === "standard" ? {} : { prior },
    // Those that have any: fewer than for a long training.
    ...prior === "mixture" || prior === "vamp" ? { components: 50 } : {},
    ...Object.fromEntries(sliders.map((name) => [name, loss[name]])),
  };
  return {
    model,
    config: {
      optimizer,
      learningRate: Number(learningRate),
      epochs: 1000,
      validation: Math.min(1000, Math.floor(rows / 6)),
      ...ofCodes ? {} : ofLatents,
      ...config?.(hidden, latents),
    },
  };
}

/** Files whose columns one may want to say something of. */
const TABLES = /\.(csv|tsv|txt)(\.gz)?$/i;

/** Fields for how a table is read. */
function tableFields(
  { labelColumn = "", missing = "error" }: Reading,
  changed: (change: Reading) => void,
): HTMLElement[] {
  const { host, input } = entry("Class column", { value: labelColumn, title: "A name, a number from 1, or none" });
  input.addEventListener("change", () => changed({ labelColumn: input.value }));
  const cells = choice(
    "Missing cells",
    [["error", "are an error"], ["mean", "become the mean"], ["drop", "drop their rows"]],
    missing,
    (value) => changed({ missing: value as Reading["missing"] }),
  );
  return [host, cells.host];
}

/** What each number and setting of the loss is. */
const TERMS = [
  ["ELBO", "the evidence lower bound, -(NLL + KL): a lower bound of log p(x), to be maximized"],
  ["NLL", "the expected negative log-likelihood, E[-log p(x | z)]: how badly data are reconstructed"],
  ["KL", "the divergence of q(z | x) from the prior: the nats that the latents hold of a datum"],
  ["β", "the weight of the KL: above 1 the latents hold less, and more of them fall to 0"],
  ["Free bits", "nats that each latent may hold at no cost, so that it need not collapse"],
  ["Capacity", "the KL is held at this many nats in place of being minimized; 0 for none"],
] as const;

/**
 * Builds the panel, and opens what the address names on an engine.
 *
 * @param engine Takes the place of what the views were drawn by until now.
 */
export async function mountPanel(host: HTMLElement, app: App, engine: Engine): Promise<void> {
  const { manifest, state } = app;
  const about = element("p", { className: "quiet" });
  const numbers = element("dl", { className: "numbers" });
  const losses = element("canvas");
  const bars = element("canvas");
  const use = element("p", { className: "quiet" });

  /** Views are drawn by this engine once it has a model; until then what they were drawn by stays. */
  const modelOpened = () => {
    app.engine = engine;
    app.changed("model");
  };
  const dataOpened = () => app.engine === engine && app.changed("data");
  const open = async (name: string) => {
    const found = manifest.models.find((each) => each.name === name);
    if (!found) {
      throw new Error(`Cannot open "${name}": expected one of ${manifest.models.map((m) => m.name).join(", ")}`);
    }
    app.model = await engine.open(await checkpointOf(found));
    state.set("run", name);
    describe();
    await showMetrics(found);
    modelOpened();
  };
  /** The losses of a run that was trained elsewhere. */
  const showMetrics = async (run: ShippedModel) => {
    showEpochs(await epochsOf(run));
  };
  const showEpochs = (epochs: readonly EpochEvent[]) => {
    app.epochs = [...epochs];
    points.train = epochs.map(({ epoch, train }) => [epoch, train]);
    points.validation = epochs.flatMap(({ epoch, validation }) => validation ? [[epoch, validation]] : []);
    const last = epochs.at(-1);
    if (last) show(last.validation ?? last.train);
    redraw(true);
  };
  const describe = () => {
    const { model, data, latents, parameters, step } = app.model!;
    about.textContent = `${model} on ${data.name}: ${latents} latents, ${parameters.toLocaleString("en")} parameters` +
      (step ? `, ${step.toLocaleString("en")} steps` : "");
  };

  const models = trainable(engine);
  const wanted: Wanted = {
    model: models.find(([name]) => name === state.get("model"))?.[0] ?? models[0][0],
    hidden: state.get("hidden") ?? "256",
    latents: state.get("latents") ?? "2",
    prior: state.get("prior") ?? "standard",
    optimizer: state.get("optimizer") ?? "adam",
    learningRate: state.get("rate") ?? "0.001",
  };
  const loss: Record<string, number> = {
    beta: state.number("beta", 1),
    freeBits: state.number("freeBits", 0),
    capacity: state.number("capacity", 0),
  };
  const text = (label: string, key: keyof Wanted, name: string, properties: Record<string, unknown>) => {
    const { host, input } = entry(label, { value: wanted[key], ...properties });
    input.addEventListener("change", () => state.set(name, wanted[key] = input.value));
    return host;
  };
  const one = (label: string, key: keyof Wanted, options: readonly (readonly [string, string])[]) =>
    choice(label, options, wanted[key], (value) => state.set(key, wanted[key] = value)).host;

  /** What was read of files of one's own. */
  const ownData = element("div");
  let training = false;
  let running = false;
  const points = { train: [] as [number, Losses][], validation: [] as [number, Losses][] };
  const play = button("Train from the start", () => app.attempt(begin), { className: "main" });
  const pause = button("Pause", () => app.attempt(toggle), { disabled: true });
  const step = button("One step", () => app.attempt(() => engine.control({ steps: 1 })), { disabled: true });
  const say = () => {
    play.disabled = engine.way === "plain";
    pause.textContent = running ? "Pause" : "Go on";
    pause.disabled = !training;
    step.disabled = !training || running;
  };
  const begin = async () => {
    play.disabled = true;
    // Until the views are of the new model, its weights are none of theirs.
    training = false;
    about.textContent = "Compiling the shaders …";
    points.train.length = points.validation.length = app.epochs.length = 0;
    try {
      app.model = await engine.train(requestOf(wanted, loss, app.loaded?.train));
    } finally {
      play.disabled = false;
      if (app.model) describe();
    }
    training = running = true;
    say();
    modelOpened();
  };
  const toggle = async () => {
    running = !running;
    say();
    await engine.control({ running });
  };
  const adjust = (name: string) => (value: number) => {
    loss[name] = value;
    state.set(name, value);
    if (!training) return;
    void app.attempt(async () => {
      await engine.control({ adjust: { [name]: value } });
      app.model = { ...app.model!, config: { ...app.model!.config, [name]: value } };
    });
  };

  const lines = (): Line[] => {
    const of = (from: [number, Losses][], key: "nll" | "kl" | "elbo") =>
      from.map(([at, each]) => [at, each[key]] as const);
    return [
      { name: "NLL", colour: "--second", points: of(points.train, "nll") },
      { name: "KL", colour: "--third", points: of(points.train, "kl") },
      { name: "ELBO", colour: "--accent", points: of(points.train, "elbo") },
      { name: "validation", colour: "--accent", dash: [4, 3], points: of(points.validation, "elbo") },
    ];
  };
  let drawn = 0;
  const redraw = (force: boolean) => {
    if (!force && performance.now() - drawn < 200) return;
    drawn = performance.now();
    losses.closest("figure")!.hidden = !points.train.length;
    if (points.train.length) lineChart(losses, lines(), "epochs");
  };
  const show = ({ elbo, nll, kl }: Losses) => {
    const value = (name: string, number: number) =>
      element("div", {}, element("dt", {}, name), element("dd", {}, number.toFixed(2)));
    numbers.replaceChildren(value("ELBO", elbo), value("NLL", nll), value("KL", kl));
  };
  const measureLatents = async () => {
    if (!app.data || !app.model?.can.encode) return;
    const { kl } = await engine.encodeRows({ split: "test", count: 500 });
    bars.parentElement!.hidden = !kl;
    if (!kl) return;
    barChart(bars, kl, { threshold: UNUSED });
    use.textContent = `${kl.filter((value) => value >= UNUSED).length} of ${kl.length} dimensions in use`;
  };
  let shown = 0;
  engine.onEvent((event) => {
    if (event.event === "progress") {
      show(event.train);
      points.train.push([event.epoch, event.train]);
      // As many points as the chart has pixels, or so.
      if (points.train.length > 800) points.train = points.train.filter((_, i) => i % 2 === 0);
      redraw(false);
      if (training && (performance.now() - shown > 700 || !running)) {
        shown = performance.now();
        app.changed("weights");
        void app.attempt(measureLatents);
      }
    } else if (event.event === "epoch") {
      app.epochs.push(event);
      if (event.validation) points.validation.push([event.epoch, event.validation]);
      redraw(true);
    } else if (event.event === "end") {
      training = running = false;
      say();
      app.changed("weights");
    } else if (event.event === "failed") {
      training = running = false;
      say();
      app.say(event.message);
    }
  });
  app.onChange((change) => {
    if (change === "model") void app.attempt(measureLatents);
  });

  /** Opens the run anew whenever its training has written another checkpoint. */
  function follow(): void {
    let changed = manifest.models.find(({ name }) => name === state.get("run"))?.changed;
    let last = state.get("run");
    setInterval(() => {
      if (training || document.hidden) return;
      void app.attempt(async () => {
        const now = (await readManifest()).models.find(({ name }) => name === state.get("run"));
        if (now?.name !== last) [last, changed] = [now?.name, now?.changed];
        if (!now || now.changed === changed) return;
        changed = now.changed;
        app.model = await engine.open(await checkpointOf(now));
        describe();
        await showMetrics(now);
        app.changed("weights");
        await measureLatents();
      });
    }, 3000);
  }

  const dataset = choice(
    "Data",
    manifest.datasets.map(({ name, title }) => [name, title] as const),
    state.get("data") ?? "",
    (name) => app.attempt(() => useData(name)),
  );
  const useData = async (name: string) => {
    const found = manifest.datasets.find((each) => each.name === name) ?? manifest.datasets[0];
    await app.useData(engine, await loadShipped(found));
    state.set("data", found.name);
    ownData.replaceChildren();
    dataOpened();
  };

  const own = entry("Your own", {
    type: "file",
    multiple: true,
    accept: ".safetensors,.jsonl,.csv,.tsv,.txt,.npy,.npz,.gz,image/*",
    title: "A checkpoint, a table, arrays, or images; they do not leave this machine",
  });
  host.append(
    element("h2", {}, "Model"),
    choice(
      "Run",
      manifest.models.map(({ name, title }) => [name, title] as const),
      state.get("run") ?? "",
      (name) => app.attempt(() => open(name)),
    ).host,
    about,
    element("h2", {}, "Training"),
    dataset.host,
    own.host,
    ownData,
    one("Model", "model", models),
    text("Hidden units", "hidden", "hidden", { type: "text", pattern: "[0-9]+(,[0-9]+)*", inputMode: "numeric" }),
    text("Latents", "latents", "latents", { type: "number", min: 1, max: 200 }),
    one("Prior", "prior", [["standard", "N(0, I)"], ["mixture", "mixture"], ["vamp", "VampPrior"], [
      "maf",
      "flow (MAF)",
    ]]),
    one("Optimizer", "optimizer", [["adam", "Adam"], ["adamw", "AdamW"], ["rmsprop", "RMSprop"], ["sgd", "SGD"]]),
    text("Learning rate", "learningRate", "rate", { type: "number", min: 0, step: "any" }),
    element("div", { className: "row" }, play, pause, step),
    element("h3", {}, "The loss, also while it trains"),
    slider("β", { min: 0, max: 10, step: 0.1, value: loss.beta }, adjust("beta")).host,
    slider("Free bits", { min: 0, max: 2, step: 0.05, value: loss.freeBits }, adjust("freeBits")).host,
    slider("Capacity", { min: 0, max: 30, step: 0.5, value: loss.capacity }, adjust("capacity")).host,
    element(
      "details",
      { className: "quiet" },
      element("summary", {}, "What these are"),
      element("dl", {}, ...TERMS.flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, text)])),
    ),
    numbers,
    labelled(losses, "Losses in nats per datum", undefined),
    element("div", {}, labelled(bars, "KL of each latent dimension, nats"), use),
  );
  say();
  // A checkpoint, images or a table that are dropped or chosen: they stay on this machine.
  const take = (from: Promise<readonly File[]>, reading: Reading = {}) =>
    app.attempt(async () => {
      const files = await from;
      const again = (change: Reading) => void take(Promise.resolve(files), { ...reading, ...change });
      // How a table is read can be changed where it could not be read, too.
      const said = element("p", { className: "quiet", role: "status" });
      const isText = files.some(({ name }) => TABLES.test(name));
      ownData.replaceChildren(said, ...isText ? tableFields(reading, again) : []);
      const found = await opened(files, reading);
      if ("dataset" in found) {
        const { name, shape, train, test, scaling, classNames } = await app.useData(engine, found.dataset);
        said.textContent = `${name}: ${train} rows to train on, ${test} to test on` +
          (classNames ? `; classes ${classNames.join(", ")}` : "");
        if (isTable(shape)) {
          ownData.append(check("Standardize the columns", !!scaling, (standardize) => again({ standardize })));
        }
        dataOpened();
      } else {
        app.model = await engine.open(found.checkpoint);
        ownData.replaceChildren();
        state.set("run", undefined);
        describe();
        showEpochs(found.epochs);
        modelOpened();
      }
    });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer) void take(droppedFiles(event.dataTransfer));
  });
  own.input.addEventListener("change", () => take(Promise.resolve([...own.input.files ?? []])));
  if (manifest.server) follow();
  // A training that began before the first model is open would be ended by it.
  host.inert = play.disabled = true;
  await app.attempt(async () => {
    await useData(state.get("data") ?? manifest.datasets[0]?.name);
    if (manifest.models.length) await open(state.get("run") ?? manifest.models[0].name);
  });
  host.inert = false;
  app.engine = engine;
  say();
}
