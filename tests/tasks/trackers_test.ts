/** Trackers: what TensorBoard reads, what MLflow and W&B are sent while they are there and while they are away, and one's own modules. */

import { assert, assertAlmostEquals, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { default as protobuf } from "npm:protobufjs@7.6.6";
import { slice } from "../../core/dataset.ts";
import { gradientsOf } from "../../core/training/gradients.ts";
import { load, train, vae } from "../../mod.ts";
import { logTask } from "../../tasks/log.ts";
import { trainTask } from "../../tasks/train.ts";
import { crc32c, eventOf, fileStart, histogram, picture, scalar } from "../../trackers/event_file.ts";
import { type Destination, Outbox } from "../../trackers/outbox.ts";
import { wandbKey } from "../../trackers/wandb.ts";
import { gpu } from "../support/gpu.ts";
import { stripes } from "../support/stripes.ts";
import { attempt, inFolder, small } from "./support.ts";

/** TensorFlow's definitions, as far as they are used: tensorboard/compat/proto/event.proto and summary.proto. */
const definitions = protobuf.parse(`
  syntax = "proto3";
  message Event { double wall_time = 1; int64 step = 2; oneof what { string file_version = 3; Summary summary = 5; } }
  message Summary { repeated Value value = 1; }
  message Value { string tag = 1; oneof value { float simple_value = 2; Image image = 4; HistogramProto histo = 5; } }
  message Image { int32 height = 1; int32 width = 2; int32 colorspace = 3; bytes encoded_image_string = 4; }
  message HistogramProto {
    double min = 1; double max = 2; double num = 3; double sum = 4; double sum_squares = 5;
    repeated double bucket_limit = 6 [packed = true]; repeated double bucket = 7 [packed = true];
  }
`).root.lookupType("Event");

interface DecodedValue {
  readonly tag: string;
  readonly simpleValue: number;
  readonly image: { readonly width: number; readonly height: number; readonly encodedImageString: Uint8Array };
  readonly histo: Readonly<Record<"min" | "max" | "num" | "sum" | "sumSquares", number>> & {
    readonly bucket: readonly number[];
    readonly bucketLimit: readonly number[];
  };
}

interface Decoded {
  readonly step?: number;
  readonly fileVersion?: string;
  readonly summary?: { readonly value: readonly DecodedValue[] };
}

/** The records of an event file; it fails where a checksum is wrong. */
function decoded(file: Uint8Array): Decoded[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const events: Decoded[] = [];
  const check = (from: number, to: number) => {
    const crc = crc32c(file.subarray(from, to));
    assertEquals(view.getUint32(to, true), (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
  };
  for (let at = 0; at < file.length;) {
    const length = Number(view.getBigUint64(at, true));
    check(at, at + 8);
    check(at + 12, at + 12 + length);
    const message = definitions.decode(file.subarray(at + 12, at + 12 + length));
    events.push(definitions.toObject(message, { longs: Number, arrays: false }) as Decoded);
    at += 16 + length;
  }
  return events;
}

Deno.test("crc32c() is Castagnoli's, as RFC 3720 has it", () => {
  const text = (value: string) => new TextEncoder().encode(value);
  assertEquals(crc32c(text("123456789")), 0xe3069283);
  assertEquals(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assertEquals(crc32c(new Uint8Array(32).fill(255)), 0x62a8ab43);
});

Deno.test("an event file is what TensorFlow's definitions read", () => {
  const png = Uint8Array.of(137, 80, 78, 71);
  const values = [
    scalar("train/elbo", -12.5),
    picture("samples", { png, width: 3, height: 2 }),
    histogram("w", [1, 2, 2, 5]),
  ];
  const bytes = [fileStart(7.5), eventOf(8.25, 300, values), eventOf(9, 2 ** 33, [scalar("a", 1)])];
  const [start, event, late] = decoded(Uint8Array.from(bytes.flatMap((each) => [...each])));
  assertEquals(start.fileVersion, "brain.Event:2");
  assertEquals([event.step, late.step], [300, 2 ** 33]);
  const [number, image, spread] = event.summary!.value;
  assertEquals([number.tag, number.simpleValue], ["train/elbo", -12.5]);
  assertEquals([image.image.width, image.image.height, [...image.image.encodedImageString]], [3, 2, [...png]]);
  const { min, max, num, sum, sumSquares, bucket, bucketLimit } = spread.histo;
  assertEquals([min, max, num, sum, sumSquares], [1, 5, 4, 10, 34]);
  assertEquals(bucket.reduce((all, count) => all + count), 4);
  assertEquals(bucketLimit.at(-1), 5);
});

Deno.test("gradientsOf() gives what a step of plain gradient descent takes, and changes nothing", async () => {
  const settings = {
    hidden: [5],
    latents: 2,
    validation: 0,
    epochs: 1,
    batchSize: 120,
    optimizer: "sgd",
    learningRate: 1,
  } as const;
  const training = train(vae, stripes, settings, { gpu });
  let before: Uint8Array<ArrayBuffer> | undefined;
  for await (const event of training) if (event.event === "start") before = await training.trained.toBytes();
  const after = await training.trained.parameters.read({ slots: false });
  training.trained.destroy();
  using model = await load(before!, { gpu });
  const gradients = await gradientsOf(model, slice(stripes.train, 0, 120));
  const found = await gradients.read();
  gradients.destroy();
  const weights = await model.parameters.read({ slots: false });
  assert(found.size > 3);
  for (const [name, gradient] of found) {
    const of = (tensors: typeof weights) =>
      ["weight", "bias"].flatMap((part) => [...tensors.get(`${name}.${part}`)?.data ?? []]);
    const [from, to] = [of(weights), of(after)];
    gradient.forEach((value, i) => assertAlmostEquals(value, from[i] - to[i], 1e-5));
  }
});

/** A server that speaks as MLflow's does, and can be away or refuse. */
class Server implements AsyncDisposable {
  readonly metrics: { key: string; value: number; step: number; timestamp: number }[] = [];
  readonly params = new Map<string, string>();
  status = "";
  runs = 0;
  /** Requests that are still refused. */
  refuse = 0;
  #experiment = false;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(port: number) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, (request) => this.#answer(request));
  }

  async #answer(request: Request): Promise<Response> {
    const path = new URL(request.url).pathname.replace("/api/2.0/mlflow/", "");
    const body = request.method === "POST" ? await request.json() : undefined;
    if (this.refuse-- > 0) return Response.json({ error_code: "INTERNAL_ERROR", message: "busy" }, { status: 500 });
    switch (path) {
      case "experiments/get-by-name":
        return this.#experiment
          ? Response.json({ experiment: { experiment_id: "7" } })
          : Response.json({ error_code: "RESOURCE_DOES_NOT_EXIST" }, { status: 404 });
      case "experiments/create":
        this.#experiment = true;
        return Response.json({ experiment_id: "7" });
      case "runs/create":
        this.runs++;
        assertEquals(body.experiment_id, "7");
        return Response.json({ run: { info: { run_id: "r1" } } });
      case "runs/log-batch":
        assertEquals(body.run_id, "r1");
        for (const { key, value } of body.params ?? []) this.params.set(key, value);
        this.metrics.push(...body.metrics ?? []);
        return Response.json({});
      case "runs/update":
        this.status = body.status;
        return Response.json({});
    }
    return new Response("", { status: 404 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** A port that nobody listens on. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

Deno.test("MLflow is sent each epoch once, whether it is there, away, or refuses in the middle", () =>
  inFolder(async () => {
    const port = freePort();
    Deno.env.set("MLFLOW_TRACKING_URI", `http://127.0.0.1:${port}`);
    try {
      const away = await attempt(trainTask, [...small, "--out", "run", "--no-report", "--log", "mlflow"]);
      assertEquals([away.code, away.stderr], [0, ""]);
      assertStringIncludes(
        away.stdout,
        `Not all was sent to mlflow: MLflow at http://127.0.0.1:${port} was not reached`,
      );
      assertStringIncludes(away.stdout, "deno task log --run run --to mlflow");
      await using server = new Server(port);
      server.refuse = 1;
      const refused = await attempt(logTask, ["--run", "run", "--to", "mlflow"]);
      assertEquals(refused.code, 1);
      assertStringIncludes(refused.stderr, "refused experiments/get-by-name?experiment_name=elbo: 500 busy");
      const sent = await attempt(logTask, ["--run", "run", "--to", "mlflow"]);
      assertEquals([sent.code, sent.stderr], [0, ""]);
      const elbos = () => server.metrics.filter(({ key }) => key === "validation/elbo").map(({ step }) => step);
      assertEquals(elbos(), [1, 2, 3, 4]);
      assertEquals([server.params.get("hidden"), server.params.get("model"), server.status], ["6", "vae", "FINISHED"]);
      // All is there: nothing comes twice, and what a resumed training adds comes once.
      await attempt(logTask, ["--run", "run", "--to", "mlflow"]);
      const more = await attempt(trainTask, ["--resume", "run", "--epochs", "6", "--no-report", "--log", "mlflow"]);
      assertEquals([more.code, more.stderr], [0, ""]);
      assertEquals([elbos(), server.runs], [[1, 2, 3, 4, 5, 6], 1]);
    } finally {
      Deno.env.delete("MLFLOW_TRACKING_URI");
    }
  }));

/** A server that speaks as W&B's does to its package: what the mutation is given, and files by line. */
class WandbServer implements AsyncDisposable {
  readonly history: Record<string, unknown>[] = [];
  begun: Record<string, string>[] = [];
  complete: number | undefined;
  keys = new Set<string>();
  /** Whether files are refused, and how many requests to begin still are. */
  refusesFiles = false;
  refuses = 0;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(port: number) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, (request) => this.#answer(request));
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const body = await request.json();
    this.keys.add(atob(request.headers.get("authorization")!.replace("Basic ", "")));
    if (pathname === "/graphql") {
      if (this.refuses-- > 0) return Response.json({ errors: [{ message: "no such entity" }] }, { status: 404 });
      if (body.query.includes("viewer")) return Response.json({ data: { viewer: { id: "1", entity: "us" } } });
      this.begun.push(body.variables);
      this.complete = undefined;
      return Response.json({ data: { upsertBucket: { bucket: { displayName: body.variables.displayName } } } });
    }
    if (this.refusesFiles) return new Response("", { status: 503 });
    assertStringIncludes(pathname, "/files/us/elbo/");
    const { content = [], offset = 0 } = body.files?.["wandb-history.jsonl"] ?? {};
    content.forEach((line: string, i: number) => this.history[offset + i] = JSON.parse(line));
    if (body.complete) this.complete = body.exitcode;
    return Response.json({});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

Deno.test("W&B is sent the whole of a run, whether it is there, away, refuses, or the run goes on later", () =>
  inFolder(async () => {
    const port = freePort();
    Deno.env.set("WANDB_BASE_URL", `http://127.0.0.1:${port}`);
    const key = "k".repeat(40);
    Deno.env.set("WANDB_API_KEY", key);
    try {
      const away = await attempt(trainTask, [...small, "--out", "run", "--no-report", "--log", "wandb"]);
      assertEquals([away.code, away.stderr], [0, ""]);
      assertStringIncludes(
        away.stdout,
        `Not all was sent to wandb: wandb at http://127.0.0.1:${port}: connect ECONNREFUSED`,
      );
      assertStringIncludes(away.stdout, "deno task log --run run --to wandb");
      await using server = new WandbServer(port);
      const log = () => attempt(logTask, ["--run", "run", "--to", "wandb"]);
      server.refuses = 1;
      const refused = await log();
      assertEquals(refused.code, 1);
      assertStringIncludes(refused.stderr, "wandb at http://127.0.0.1");
      assertStringIncludes(refused.stderr, "404");
      // Lines that are not taken are noticed, though the package does not look at the answer.
      server.refusesFiles = true;
      const lost = await log();
      assertEquals(lost.code, 1);
      assertStringIncludes(lost.stderr, "503");
      server.refusesFiles = false;
      const sent = await log();
      assertEquals([sent.code, sent.stderr], [0, ""]);
      const epochs = () => server.history.map(({ _step, epoch }) => [_step, epoch]);
      assertEquals(epochs(), [1, 2, 3, 4].map((epoch) => [epoch, epoch]));
      assertEquals(Object.keys(server.history[3]).filter((name) => name.startsWith("validation/")).length > 2, true);
      assertEquals([server.complete, [...server.keys]], [0, [`api:${key}`]]);
      const { name, project, displayName, config } = server.begun.at(-1)!;
      assertEquals([project, displayName, JSON.parse(config).hidden], ["elbo", "run", [6]]);
      // All is there: nothing is begun again. What a resumed training adds comes into the same run.
      const begun = server.begun.length;
      await log();
      assertEquals(server.begun.length, begun);
      const more = await attempt(trainTask, ["--resume", "run", "--epochs", "6", "--no-report", "--log", "wandb"]);
      assertEquals([more.code, more.stderr], [0, ""]);
      assertEquals(epochs(), [1, 2, 3, 4, 5, 6].map((epoch) => [epoch, epoch]));
      assertEquals([server.begun.at(-1)!.name, server.begun.length, server.complete], [name, begun + 1, 0]);
    } finally {
      Deno.env.delete("WANDB_BASE_URL");
      Deno.env.delete("WANDB_API_KEY");
    }
  }));

Deno.test("wandbKey() takes the variable, or what wandb login has left for the host", () =>
  inFolder(async () => {
    const netrc =
      "machine github.com login a password b\nmachine api.wandb.ai\n  login user\n  password secret\nmachine c login d";
    await Deno.mkdir("me");
    await Deno.writeTextFile("me/.netrc", netrc);
    const of = (variables: Record<string, string>) => wandbKey((name) => variables[name]);
    assertEquals(await of({ HOME: "me" }), "secret");
    assertEquals(await of({ HOME: "me", WANDB_API_KEY: "own" }), "own");
    for (const none of [{ HOME: "nowhere" }, { HOME: "me", WANDB_BASE_URL: "https://wandb.example" }]) {
      await assertRejects(
        () => of(none as Record<string, string>),
        TypeError,
        "expected a key in WANDB_API_KEY or for",
      );
    }
  }));

Deno.test("what a tracker fails to take is sent again, from where it stood", () =>
  inFolder(async () => {
    assertEquals((await attempt(trainTask, [...small, "--out", "run", "--no-report"])).code, 0);
    const taken: number[] = [];
    let fails = 1;
    const tracker: Destination = {
      name: "mine",
      begin: () => Promise.resolve("id"),
      log: (_, events) => {
        if (fails-- > 0) return Promise.reject(new Error("away"));
        taken.push(...events.map((event) => event.event === "epoch" ? event.epoch : 0));
        return Promise.resolve();
      },
    };
    await assertRejects(() => new Outbox("run", tracker).send(), Error, "away");
    const box = new Outbox("run", tracker);
    box.post();
    assert(await box.settled(5000));
    assertEquals(taken, [1, 2, 3, 4, 0]);
  }));

Deno.test("train --log tensorboard,./mine.ts writes an event file, encodings to project, and tells the module", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(
      "mine.ts",
      `export default (event, run) => Deno.writeTextFileSync(run.folder + "/told.txt", event.event + "\\n", { append: true });`,
    );
    const { code, stderr, stdout } = await attempt(trainTask, [
      ...[...small, "--out", "run", "--no-report", "--log", `tensorboard,${folder}/mine.ts`],
    ]);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, "For TensorBoard: tensorboard --logdir run/tensorboard");
    assertEquals(await Deno.readTextFile("run/told.txt"), "epoch\nepoch\nepoch\nepoch\nend\n");
    const names = [...Deno.readDirSync("run/tensorboard")].map(({ name }) => name).sort();
    assertEquals(names.slice(1), ["latents.tsv", "projector_config.pbtxt", "sprite.png"]);
    const [, ...events] = decoded(await Deno.readFile(`run/tensorboard/${names[0]}`));
    assertEquals(events.map(({ step }) => step), [10, 20, 29, 39]);
    const tags = events[0].summary!.value.map(({ tag }) => tag);
    for (const tag of ["train/elbo", "validation/kl", "samples", "reconstructions"]) assert(tags.includes(tag), tag);
    assertEquals(tags.filter((tag) => tag.startsWith("gradients/")).length, 4);
    assertEquals((await Deno.readTextFile("run/tensorboard/latents.tsv")).trim().split("\n")[0].split("\t").length, 2);
    const later = await attempt(logTask, ["--run", "run", "--to", "tensorboard"]);
    assertEquals([later.code, later.stderr], [0, ""]);
    const none = await attempt(trainTask, [...small, "--out", "other", "--log", "tensorbord"]);
    assertEquals(none.code, 2);
    assertStringIncludes(none.stderr, 'Cannot log to "tensorbord": expected tensorboard, mlflow, wandb or a module');
  }));
