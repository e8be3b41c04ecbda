/**
 * Tasks that list what a training can be told to take: models, datasets.
 *
 * @module
 */

import type { Settings } from "../../core/settings.ts";
import { flagName, settingRows, tableLines } from "./flags.ts";
import type { Task } from "./run.ts";
import { textColumns } from "./terminal.ts";

/** What a task lists. */
export interface Listing {
  /** The task, as in `deno task <name>`. */
  readonly name: string;
  readonly summary: string;
  /** What `deno task train` takes one by: `--model`. */
  readonly flag: string;
  readonly listed: ReadonlyMap<string, Listed>;
  /** Lines below the list. */
  readonly hints: readonly string[];
}

interface Listed {
  readonly name: string;
  readonly summary: string;
  readonly source: string;
  readonly settings?: object;
}

/** The task. Settings that others have alike, those under a heading, are only named. */
export function listingTask({ name, summary, flag, listed, hints }: Listing): Task {
  return {
    flags: { name, summary, groups: {} },
    run(_, { terminal, print, emit }) {
      for (const { name, summary, source, settings = {} } of listed.values()) {
        emit({ name, summary, source, settings });
        print(`${name}: ${summary}`);
        print(`  Source: ${source}`);
        const all = Object.entries(settings as Settings<Record<string, unknown>>);
        const own = Object.fromEntries(all.filter(([, { heading }]) => heading === undefined));
        const rows = settingRows({ title: name, settings: own as Settings<unknown> });
        for (const line of tableLines(rows, textColumns(terminal))) print(line);
        const others = all.filter(([key]) => !(key in own)).map(([key]) => flagName(key));
        if (others.length) print(`  and ${others.join(", ")}: deno task train ${flag} ${name} --help`);
        print();
      }
      for (const line of hints) print(line);
    },
  };
}
