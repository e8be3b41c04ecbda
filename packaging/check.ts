/**
 * The package as others use it, outside of the gate: in a fresh Vite project under strict TypeScript that trains in Chromium, and in Node and
 * Bun with npm `webgpu`. It takes minutes, and a registry.
 *
 * @module
 */

import { open, serve } from "../tests/page/support.ts";
import { gzipped } from "./bundle.ts";
import { run } from "./run.ts";

/** What the projects install, at the versions that were tried. */
const PACKAGES = {
  ...{ vite: "8.3.8", typescript: "7.0.2", webgpu: "0.6.2", bun: "1.4.5", node: "24.21.0" },
};

/** As a user writes it; `report` is what is done with the numbers. */
const TRAINING = `
import { type Dataset, Gpu, load, train, vae } from "@elbo/elbo";

export async function training(): Promise<{ adapter: string; losses: number[]; pixels: number }> {
  const values = new Uint8Array(300 * 196).map((_, i) => (i * 7919) % (3 + (i % 5)) < 2 ? 255 : 0);
  const rows = { values, count: 300 };
  const dataset: Dataset = { name: "stripes", shape: [14, 14, 1], train: rows, test: rows };
  const gpu = await Gpu.open();
  const steps = train(vae, dataset, { hidden: [64], latents: 4, batchSize: 100, epochs: 10, validation: 0 }, { gpu });
  const losses: number[] = [];
  for await (const event of steps) if (event.event === "epoch") losses.push(event.train.loss);
  const again = await load(await steps.trained.toBytes(), { gpu });
  const image = await again.sample({ count: 1 });
  gpu.destroy();
  return { adapter: gpu.adapter, losses, pixels: image.length };
}
`;

const TSCONFIG = {
  compilerOptions: {
    ...{ target: "ES2022", module: "ESNext", moduleResolution: "bundler", lib: ["ESNext", "DOM", "DOM.Iterable"] },
    ...{ strict: true, noEmit: true, skipLibCheck: false, verbatimModuleSyntax: true, types: [] as string[] },
  },
  include: ["main.ts", "training.ts"],
};

const NODE = `
import { create, globals } from "webgpu";
Object.assign(globalThis, globals);
Object.defineProperty(globalThis.navigator, "gpu", { value: create([]), configurable: true });
const { training } = await import("./training.js");
console.log(JSON.stringify(await training()));
process.exit(0);
`;

/** Does all of it; what is wrong is thrown. */
export async function check(pack: URL): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "elbo" });
  const here = new URL(`file://${folder}/`);
  const write = (name: string, text: string) => Deno.writeTextFile(`${folder}/${name}`, text);
  const tool = (name: string) => `${folder}/node_modules/.bin/${name}`;
  try {
    const [packed] = JSON.parse(await run("npm", ["pack", "--json", "--pack-destination", folder], pack));
    const dependencies = { "@elbo/elbo": `file:${packed.filename.replace(/^@([^/]+)\//, "$1-")}`, ...PACKAGES };
    await write("package.json", JSON.stringify({ type: "module", private: true, dependencies }));
    await run("npm", ["install", "--no-audit", "--no-fund"], here);
    console.log("installed", Object.entries(PACKAGES).map((each) => each.join(" ")).join(", "));

    await write("tsconfig.json", JSON.stringify(TSCONFIG));
    await write("training.ts", TRAINING);
    await write(
      "main.ts",
      'import { training } from "./training.ts";\nObject.assign(globalThis, { result: await training() });\n',
    );
    await write(
      "index.html",
      '<!doctype html><html lang="en"><title>elbo</title><script type="module" src="main.ts"></script></html>',
    );
    console.log(
      "tsc --noEmit:",
      await run(tool("tsc"), ["--noEmit", "--allowImportingTsExtensions"], here) || "no error",
    );
    console.log(await run(tool("vite"), ["build", "--target", "es2022"], here));
    const { result, fetched } = await inChromium(`${folder}/dist`);
    console.log("Chromium:", summary(result));
    console.log("fetched:", fetched.join(", "));

    await run(tool("vite"), ["build", "--ssr", "training.ts", "--outDir", "program", "--target", "es2022"], here);
    await write("program/main.js", NODE);
    for (const [name, program] of [["Node", tool("node")], ["Bun", tool("bun")]]) {
      const { success, stdout, stderr } = await new Deno.Command(program, {
        args: [`${folder}/program/main.js`],
        cwd: folder,
        env: { VK_DRIVER_FILES: Deno.env.get("VK_DRIVER_FILES") ?? "/usr/lib/chromium/vk_swiftshader_icd.json" },
      }).output();
      const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim());
      if (!success) throw new Error(`${name} failed: ${error || out}`);
      console.log(
        `${name} ${(await run(program, ["--version"], here)).trim()}:`,
        summary(JSON.parse(out.split("\n").at(-1)!)),
      );
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Holds what came out against what must, in a line. */
function summary({ adapter, losses, pixels }: { adapter: string; losses: number[]; pixels: number }): string {
  const [first, last] = [losses[0], losses.at(-1)!];
  if (losses.length !== 10 || !(last < first) || pixels !== 196) throw new Error(`It does not train: ${losses}`);
  return `on ${adapter}, loss ${first} to ${last}`;
}

/** Serves what Vite built, and waits for what its page finds; `fetched` is what it took for that, as gzip packs it. */
async function inChromium(
  folder: string,
): Promise<{ readonly result: Parameters<typeof summary>[0]; readonly fetched: readonly string[] }> {
  const files: Record<string, Uint8Array<ArrayBuffer>> = {};
  for (const name of ["", "assets/"]) {
    for (const entry of Deno.readDirSync(`${folder}/${name}`)) {
      if (entry.isFile) files[name + entry.name] = await Deno.readFile(`${folder}/${name}${entry.name}`);
    }
  }
  await using site = serve(files);
  await using opened = await open();
  const page = await opened.browser.newPage();
  const paths = new Set<string>();
  page.on("request", (request) => paths.add(new URL(request.url()).pathname.slice(1)));
  await page.goto(site.address);
  await page.waitForFunction("globalThis.result");
  const scripts = [...paths].filter((path) => path.endsWith(".js"));
  const fetched = await Promise.all(
    scripts.map(async (path) => `${path} ${await gzipped(new TextDecoder().decode(files[path]))} bytes`),
  );
  return { result: await page.evaluate("result"), fetched };
}
