/** Kernels with the vectors that the adapter is asked for by itself: the other tests ask Mesa's for 256 bits, whatever the processor. */

import { assertEquals, assertMatch } from "@std/assert";

const root = new URL("../../", import.meta.url);

for (const name of ["dense", "bernoulli_nll"]) {
  Deno.test(`${name} passes its tests with vectors as wide as the processor's`, async () => {
    const { LP_NATIVE_VECTOR_WIDTH: _, ...env } = Deno.env.toObject();
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--no-check", "--lock=tests/deno.lock", `tests/core/ops/${name}_test.ts`],
      cwd: root,
      clearEnv: true,
      env: { ...env, NO_COLOR: "1" },
    }).output();
    const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assertEquals(code, 0, out + error);
    assertMatch(out, /^ok \| [1-9]\d* passed .*\| 0 failed/m);
  });
}
