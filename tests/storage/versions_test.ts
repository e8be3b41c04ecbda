import { assertEquals, assertMatch } from "@std/assert";
import { pathToFileURL } from "node:url";
import project from "../../deno.json" with { type: "json" };
import { commitOf, VERSION, versions } from "../../storage/versions.ts";

Deno.test("versions() are those of elbo and Deno, and of a checkout the commit", async () => {
  assertEquals(VERSION, project.version);
  const { elbo, deno, commit } = await versions();
  assertEquals([elbo, deno], [project.version, Deno.version.deno]);
  if (commit !== undefined) assertMatch(commit, /^[0-9a-f]{40,64}$/);
});

Deno.test("commitOf() reads a branch, a packed branch, a detached head and a worktree, and finds none elsewhere", async () => {
  const folder = await Deno.makeTempDir({ prefix: "elbo" });
  try {
    const [a, b, c] = ["a", "b", "c"].map((digit) => digit.repeat(40));
    const write = async (path: string, text: string) => {
      await Deno.mkdir(`${folder}/${path}`.replace(/[^/]+$/, ""), { recursive: true });
      await Deno.writeTextFile(`${folder}/${path}`, text);
    };
    const git = (path: string) => pathToFileURL(`${folder}/${path}`);
    assertEquals(await commitOf(git(".git")), undefined);
    await write(".git/HEAD", "ref: refs/heads/main\n");
    assertEquals(await commitOf(git(".git")), undefined);
    await write(".git/packed-refs", `# pack-refs with: peeled\n${b} refs/heads/main\n`);
    assertEquals(await commitOf(git(".git")), b);
    await write(".git/refs/heads/main", `${a}\n`);
    assertEquals(await commitOf(git(".git")), a);
    await write(".git/worktrees/w/HEAD", "ref: refs/heads/main\n");
    await write(".git/worktrees/w/commondir", "../..\n");
    await write("w/.git", `gitdir: ${folder}/.git/worktrees/w\n`);
    assertEquals(await commitOf(git("w/.git")), a);
    await write(".git/HEAD", `${c}\n`);
    assertEquals(await commitOf(git(".git")), c);
    assertEquals(await commitOf(new URL("https://jsr.io/@elbo/elbo/0.1.0/.git")), undefined);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
