/**
 * The explorer as `deno task explore` serves it, on few digits: for its tests, its measures and its pictures.
 *
 * @module
 */

import { digits } from "../../explorer/digits.ts";
import { explorerServer } from "../../explorer/server.ts";
import { pageFiles, shipData, shipModel } from "../../explorer/site.ts";
import { findDataset } from "../../files.ts";

/** What takes long to make, once for all that serve it. */
const made = Promise.all([pageFiles(), findDataset("mnist").load(), digits()]);

/** Serves it on a free port. */
export async function served(
  counts = { train: 1500, test: 300 },
): Promise<{ readonly address: string } & AsyncDisposable> {
  const [page, mnist, model] = await made;
  const files = new Map(page);
  const shipped = await shipModel(files, model, { name: "digits", title: "digits" });
  const manifest = {
    datasets: [await shipData(files, mnist, "Digits", counts)],
    models: [shipped, { ...shipped, name: "again", title: "again" }],
  };
  const explorer = explorerServer({ files, manifest, runs: "/nowhere" });
  const http = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, explorer.fetch);
  return {
    address: `http://127.0.0.1:${http.addr.port}/`,
    async [Symbol.asyncDispose]() {
      await explorer.close();
      await http.shutdown();
    },
  };
}
