import { assertEquals, assertStringIncludes } from "@std/assert";

/** The script in a project of its own, and a PATH with nothing but the commands that a test puts there. */
async function project(commands: Record<string, string>) {
  const root = await Deno.makeTempDir();
  await Deno.mkdir(`${root}/tasks`);
  await Deno.mkdir(`${root}/bin`);
  await Deno.copyFile(new URL("../../tasks/bootstrap.sh", import.meta.url), `${root}/tasks/bootstrap.sh`);
  for (const [name, body] of Object.entries(commands)) {
    await Deno.writeTextFile(`${root}/bin/${name}`, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }
  return {
    root,
    async run(...args: string[]) {
      const output = await new Deno.Command("/bin/sh", {
        args: [`${root}/tasks/bootstrap.sh`, ...args],
        env: { PATH: `${root}/bin`, HOME: root },
        clearEnv: true,
      }).output();
      const decoder = new TextDecoder();
      return { code: output.code, stdout: decoder.decode(output.stdout), stderr: decoder.decode(output.stderr) };
    },
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

/** A Deno of a version that finds an adapter where `adapter` succeeds, and says which task it was given. */
const deno = (version: string, adapter = "true") =>
  `case $1 in
    --version) echo "deno ${version} (stable)"; echo "v8 1" ;;
    eval) ${adapter} ;;
    task) echo "$@" ;;
  esac`;

const linux = "echo Linux";
const ignore = Deno.build.os === "windows";
const test = (name: string, fn: () => Promise<void>) => Deno.test({ name, ignore, fn });

test("bootstrap.sh without a task shows its usage and exits with 2", async () => {
  await using place = await project({});
  const { code, stderr } = await place.run();
  assertEquals(code, 2);
  assertStringIncludes(stderr, "Usage: sh tasks/bootstrap.sh <task>");
});

test("bootstrap.sh without Deno and npm says in one line what to install", async () => {
  await using place = await project({});
  const { code, stdout, stderr } = await place.run("test");
  assertEquals([code, stdout], [1, ""]);
  assertEquals(stderr.match(/\n/g)?.length, 1);
  assertStringIncludes(stderr, "install Deno");
  assertStringIncludes(stderr, "Node.js with npm");
});

for (const version of ["2.9.6", "2.10.0", "3.0.0", "2.9.7+abcdef", "10.0.0-rc.1"]) {
  test(`bootstrap.sh uses Deno ${version} from PATH and is quiet`, async () => {
    await using place = await project({ deno: deno(version), uname: linux });
    const expected = { code: 0, stdout: "task sample --out a b.png\n", stderr: "" };
    assertEquals(await place.run("sample", "--out", "a b.png"), expected);
  });
}

for (const version of ["2.9.5", "2.8.99", "1.46.3", "0.99.99", "nonsense", ""]) {
  test(`bootstrap.sh ignores Deno "${version}" on PATH`, async () => {
    await using place = await project({ deno: deno(version), uname: linux });
    const { code, stderr } = await place.run("test");
    assertEquals(code, 1);
    assertStringIncludes(stderr, "Neither Deno");
  });
}

test("bootstrap.sh prefers the project's own Deno to one on PATH that is too old", async () => {
  await using place = await project({ deno: deno("1.0.0"), uname: linux });
  await Deno.mkdir(`${place.root}/.deno/bin`, { recursive: true });
  await Deno.writeTextFile(`${place.root}/.deno/bin/deno`, `#!/bin/sh\n${deno("2.9.6")}\n`, { mode: 0o755 });
  assertEquals(await place.run("test"), { code: 0, stdout: "task test\n", stderr: "" });
});

test("bootstrap.sh without an adapter tells who is not root the command", async () => {
  const commands = { deno: deno("2.9.6", "false"), uname: linux, id: "echo 1000", "apt-get": "exit 1", sudo: "exit 1" };
  await using place = await project(commands);
  const { code, stdout, stderr } = await place.run("test");
  assertEquals([code, stdout], [1, ""]);
  assertStringIncludes(stderr, "sudo sh -c 'apt-get update && apt-get install -y mesa-vulkan-drivers'\n");
});

test("bootstrap.sh without an adapter installs one as root and goes on", async () => {
  // the adapter is there once the package manager has written its file
  const installed = '"${0%/*}/installed"';
  await using place = await project({
    deno: deno("2.9.6", `[ -f ${installed} ]`),
    uname: linux,
    id: "echo 0",
    mkdir: 'exec /bin/mkdir "$@"',
    sh: 'exec /bin/sh "$@"',
    "apt-get": `[ "$1" = update ] || echo "$*" >${installed}`,
  });
  const { code, stdout, stderr } = await place.run("sample");
  assertEquals([code, stdout], [0, "task sample\n"]);
  assertEquals(stderr.match(/\n/g)?.length, 1);
  assertEquals(await Deno.readTextFile(`${place.root}/bin/installed`), "install -y mesa-vulkan-drivers\n");
});

test("bootstrap.sh installs Open MPI as root for the tests, and goes on where it cannot", async () => {
  const commands = { deno: deno("2.9.6"), uname: linux, id: "echo 0", sh: 'exec /bin/sh "$@"' };
  const installed = '"${0%/*}/installed"';
  await using place = await project({ ...commands, "apt-get": `echo "$*" >${installed}` });
  assertEquals((await place.run("test:process")).code, 0);
  assertStringIncludes(
    await Deno.readTextFile(`${place.root}/bin/installed`),
    "install -y --no-install-recommends openmpi-bin",
  );
  await using without = await project({ ...commands, "apt-get": "exit 1" });
  const { code, stdout, stderr } = await without.run("ok");
  assertEquals([code, stdout], [0, "task ok\n"]);
  assertStringIncludes(stderr, "No Open MPI could be installed");
  await using there = await project({ ...commands, "apt-get": "exit 1", mpirun: "true" });
  assertEquals((await there.run("ok")).stderr, "");
});

test("bootstrap.sh says so when the driver that it installed gives no adapter", async () => {
  await using place = await project({
    deno: deno("2.9.6", "false"),
    uname: linux,
    id: "echo 0",
    mkdir: 'exec /bin/mkdir "$@"',
    sh: 'exec /bin/sh "$@"',
    dnf: "true",
  });
  const { code, stderr } = await place.run("test");
  assertEquals(code, 1);
  assertStringIncludes(stderr, "There is still no Vulkan adapter after: dnf install -y mesa-vulkan-drivers");
});

test("bootstrap.sh asks for no Vulkan on macOS", async () => {
  await using place = await project({ deno: deno("2.9.6", "false"), uname: "echo Darwin" });
  assertEquals(await place.run("test"), { code: 0, stdout: "task test\n", stderr: "" });
});
