/** One training a folder: a lock that goes with its holder. */

import { assertEquals, assertRejects } from "@std/assert";
import { withFolder } from "../support/folder.ts";
import { FolderLock, LOCK_FILE } from "../../storage/folder_lock.ts";

const RUNNING = "a training is running in it; wait for it, or name another folder";
const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name);

Deno.test("FolderLock makes the folder, refuses a second one by any of its names, and leaves nothing behind", () =>
  withFolder(async (folder) => {
    const run = `${folder}/a/run`;
    const lock = await FolderLock.take(run);
    assertEquals(names(run), [LOCK_FILE]);
    await Deno.symlink(run, `${folder}/latest`);
    for (const name of [run, `${run}/`, `${folder}/latest`]) {
      await assertRejects(() => FolderLock.take(name), Error, `Cannot write to the folder "${name}": ${RUNNING}`);
    }
    lock[Symbol.dispose]();
    lock[Symbol.dispose]();
    assertEquals(names(run), []);
    (await FolderLock.take(run))[Symbol.dispose]();
  }));

Deno.test("FolderLock is had by one of many at a time", () =>
  withFolder(async (folder) => {
    for (let round = 0; round < 20; round++) {
      const taken = await Promise.allSettled(Array.from({ length: 8 }, () => FolderLock.take(folder)));
      const locks = taken.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
      assertEquals(locks.length, 1);
      locks[0][Symbol.dispose]();
    }
  }));

Deno.test("FolderLock goes with a process that is killed, and its file that stays behind locks nothing", () =>
  withFolder(async (folder) => {
    const module = JSON.stringify(import.meta.resolve("../../storage/folder_lock.ts"));
    const code = `import { FolderLock } from ${module}; await FolderLock.take(${JSON.stringify(folder)});
      console.log("locked"); setInterval(() => {}, 1000);`;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-config", "--no-lock", "--ext=ts", code],
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    await assertRejects(() => FolderLock.take(folder), Error, RUNNING);
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    assertEquals(names(folder), [LOCK_FILE]);
    using _ = await FolderLock.take(folder);
  }));

Deno.test("FolderLock does not follow a link, nor wait for a pipe, and changes no file that is there", {
  ignore: Deno.build.os === "windows",
}, () =>
  withFolder(async (folder) => {
    const [run, mine] = [`${folder}/run`, `${folder}/mine.txt`];
    const path = `${run}/${LOCK_FILE}`;
    await Deno.mkdir(run);
    await Deno.writeTextFile(mine, "mine");
    await Deno.symlink(mine, path);
    await assertRejects(() => FolderLock.take(run), Error, "expected no symbolic link in a run folder, found one");
    await Deno.remove(path);
    await Deno.symlink(`${folder}/none`, path);
    await assertRejects(() => FolderLock.take(run), Error, "expected no symbolic link in a run folder, found one");
    await Deno.remove(path);
    await new Deno.Command("mkfifo", { args: [path] }).output();
    await assertRejects(() => FolderLock.take(run), Error, "expected .lock in it to be a file, found something else");
    await Deno.remove(path);
    await Deno.link(mine, path);
    (await FolderLock.take(run))[Symbol.dispose]();
    assertEquals(names(folder).sort(), ["mine.txt", "run"]);
    assertEquals(await Deno.readTextFile(mine), "mine");
  }));
