/** `--prior`: densities of the encodings that are fitted, kept in the run folder, taken up again, and fitted anew where they must be. */

import { assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { decodeCheckpoint } from "../../core/training/checkpoint.ts";
import { evaluateTask } from "../../tasks/evaluate.ts";
import { sampleTask } from "../../tasks/sample.ts";
import { trainTask } from "../../tasks/train.ts";
import { attempt, inFolder, jsonLines, small } from "./support.ts";

const KEPT = "run/priors/gmm.safetensors";
const gmm = ["--prior", "gmm", "--components", "2", "--prior-epochs", "3"];

async function trained(model: string, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await attempt(trainTask, ["--model", model, ...small, "--out", "run", ...args]);
  assertEquals([code, stderr], [0, ""]);
}

/** The samples as numbers, and what was said. */
async function sampled(...args: readonly string[]) {
  const { code, stdout, stderr } = await attempt(sampleTask, ["--run", "run", "--out", "samples.npy", ...args]);
  assertEquals([code, stderr], [0, ""]);
  return { stdout, bytes: await Deno.readFile("samples.npy") };
}

const FITTED_ANEW = /fitted anew/;

Deno.test("sample --prior fits a density to the encodings, keeps it, and draws from what was kept, without the data", () =>
  inFolder(async () => {
    await trained("ae");
    const none = await sampled();
    assertStringIncludes(none.stdout, "ae has no prior: what was decoded is N(0, I)");
    assertStringIncludes(none.stdout, "--prior gmm fits one to its encodings");
    const first = await sampled(...gmm);
    assertStringIncludes(first.stdout, `${KEPT}: gmm fitted to the encodings\n`);
    assertStringIncludes(first.stdout, "samples.npy: 100 rows drawn from ae, z from gmm fitted to the encodings\n");
    assertEquals(first.stdout.includes("no prior"), false);
    assertNotEquals(first.bytes, none.bytes);
    const file = await Deno.readFile(KEPT);
    // Data that are not there are not missed.
    const again = await sampled(...gmm, "--dataset", "gone.csv");
    assertEquals(again.bytes, first.bytes);
    assertEquals(again.stdout, "samples.npy: 100 rows drawn from ae, z from gmm fitted to the encodings\n");
    assertEquals(await Deno.readFile(KEPT), file);
    const other = await sampled(...gmm, "--seed", "1");
    assertNotEquals(other.bytes, first.bytes);
  }));

Deno.test("a kept density is fitted anew to other weights, with other settings, and where it is damaged", () =>
  inFolder(async () => {
    await trained("vae");
    const first = await sampled(...gmm);
    const file = await Deno.readFile(KEPT);
    const { config } = decodeCheckpoint(file, KEPT);
    assertEquals([config.components, config.covariance], [2, "full"]);
    const diagonal = await sampled(...gmm, "--covariance", "diagonal");
    assertMatch(diagonal.stdout, /gmm\.safetensors: fitted anew, with other settings\n/);
    await Deno.writeFile(KEPT, file.subarray(0, 900));
    const mended = await sampled(...gmm);
    assertMatch(mended.stdout, /^Cannot (?:load|read) "run\/priors\/gmm\.safetensors": .*; fitted anew\n/);
    assertEquals([await Deno.readFile(KEPT), mended.bytes], [file, first.bytes]);
    assertEquals((await attempt(trainTask, ["--resume", "run", "--epochs", "5"])).code, 0);
    const later = await sampled(...gmm, "--checkpoint", "last");
    assertMatch(later.stdout, /fitted anew, since the weights are others than those that it was fitted to\n/);
    assertNotEquals(await Deno.readFile(KEPT), file);
    assertEquals(FITTED_ANEW.test((await sampled(...gmm, "--checkpoint", "last")).stdout), false);
  }));

Deno.test("a file in priors/ of another model is not drawn from", () =>
  inFolder(async () => {
    await trained("ae");
    const first = await sampled(...gmm);
    await Deno.copyFile("run/checkpoint.safetensors", KEPT);
    const { stdout, bytes } = await sampled(...gmm);
    assertMatch(stdout, FITTED_ANEW);
    assertEquals(bytes, first.bytes);
    await Deno.remove("run/priors", { recursive: true });
    await Deno.mkdir("elsewhere");
    await Deno.symlink("../elsewhere", "run/priors");
    const linked = await attempt(sampleTask, ["--run", "run", ...gmm]);
    assertStringIncludes(linked.stderr, 'Cannot write to "run/priors": expected no symbolic link');
    assertEquals((await Array.fromAsync(Deno.readDir("elsewhere"))).length, 0);
  }));

for (const kind of ["aggregate", "flow", "two-stage", "vamp"]) {
  Deno.test(`sample --prior ${kind} draws, the same by the same seed`, () =>
    inFolder(async () => {
      await trained(kind === "vamp" ? "vae" : "ae");
      const epochs = kind === "aggregate" ? [] : ["--prior-epochs", "2"];
      const { bytes } = await sampled("--prior", kind, ...epochs);
      assertEquals((await sampled("--prior", kind, ...epochs)).bytes, bytes);
      assertNotEquals((await sampled("--prior", kind, ...epochs, "--seed", "1")).bytes, bytes);
      const kept = await Deno.stat(`run/priors/${kind}.safetensors`).then(() => true, () => false);
      assertEquals(kept, kind !== "aggregate");
    }));
}

Deno.test("--prior says what it cannot do, and what its flags are for", () =>
  inFolder(async () => {
    await attempt(trainTask, "--model gmm --dataset blocks --components 2 --epochs 2 --out run".split(" "));
    const refused = async (args: string) => {
      const { code, stderr } = await attempt(sampleTask, ["--run", "run", ...args.split(" ")]);
      return [code, stderr.split("\n", 1)[0]];
    };
    const discrete = "its latents are discrete, and it has learned a prior of them: draw from that one";
    assertEquals(await refused("--prior flow"), [
      1,
      `Error: Cannot fit a prior to the encodings of "gmm": ${discrete}`,
    ]);
    const wrong = async (args: string, message: string) => {
      const [code, line] = await refused(args);
      assertEquals(code, 2, String(line));
      assertStringIncludes(String(line), message);
    };
    await wrong("--prior flow --components 3", "--components: expected --prior gmm or vamp, found --prior flow");
    await wrong("--prior-epochs 3", "--prior-epochs: expected --prior gmm, flow, two-stage or vamp, found --prior own");
    await wrong("--prior gmm --temperature 0.5", "--temperature: expected 1 with --prior gmm, found 0.5");
    const evaluated = await attempt(evaluateTask, ["--run", "run", "--prior", "gmm"]);
    assertStringIncludes(evaluated.stderr, "--prior gmm: expected --frechet beside it");
    const { stdout } = await attempt(sampleTask, ["--run", "run", "--json"]);
    assertEquals("prior" in jsonLines(stdout)[0], false);
  }));
