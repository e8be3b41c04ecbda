/** Environment variables, where they may be read. */

import { assertEquals } from "@std/assert";
import { environment, setDefault } from "../../core/gpu/environment.ts";

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
  name: "environment() and setDefault() give nothing and ask nobody where they are not permitted",
  permissions: { env: false },
  fn() {
    setDefault(NAME, "first");
    assertEquals(environment(NAME), undefined);
  },
});
