/** Environment variables and system files, where they may be read. */

import { assertEquals } from "@std/assert";
import { environment, readText, setDefault } from "../../core/gpu/environment.ts";

const NAME = "ELBO_TEST_OF_THE_ENVIRONMENT";

Deno.test("setDefault() sets a variable that has no value, and leaves one that has", () => {
  try {
    assertEquals(environment(NAME), undefined);
    setDefault(NAME, "first");
    setDefault(NAME, "second");
    assertEquals(environment(NAME), "first");
  } finally {
    Deno.env.delete(NAME);
  }
});

Deno.test({
  name: "environment(), setDefault() and readText() give nothing and ask nobody where they are not permitted",
  permissions: { env: false, read: false },
  fn() {
    setDefault(NAME, "first");
    assertEquals(environment(NAME), undefined);
    assertEquals(readText("/proc/version"), "");
  },
});
