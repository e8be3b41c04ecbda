/** When Mesa's software adapter is asked for wider vectors. */

import { assertEquals } from "@std/assert";
import { vectorWidth, widensVectors } from "../../core/gpu/lavapipe/vector_width.ts";

const manifest = (version: string) =>
  JSON.stringify({ ICD: { api_version: version, library_path: "/usr/lib/libvulkan_lvp.so" } }, null, 4);
const files: Record<string, string> = {
  "/proc/cpuinfo": "flags : fpu avx2 avx512f avx512dq",
  "/usr/share/vulkan/icd.d/lvp_icd.json": manifest("1.1.230"),
  "/new.json": manifest("1.4.305"),
  "/other.json": manifest("1.1.230").replace("lvp", "intel"),
};
const widens = (changes: Record<string, string> = {}, variables: Record<string, string> = {}) =>
  widensVectors((path) => ({ ...files, ...changes })[path] ?? "", (name) => variables[name]);

Deno.test("widensVectors() says yes with AVX-512 and Mesa 22.3", () => {
  assertEquals(widens(), true);
});

Deno.test("widensVectors() says no without AVX-512, with a newer Mesa, another driver, or none", () => {
  assertEquals(widens({ "/proc/cpuinfo": "flags : fpu avx2" }), false);
  assertEquals(widens({}, { VK_DRIVER_FILES: "/new.json" }), false);
  assertEquals(widens({}, { VK_ICD_FILENAMES: "/other.json:/none.json" }), false);
  assertEquals(widens({ "/usr/share/vulkan/icd.d/lvp_icd.json": "" }), false);
});

Deno.test("vectorWidth() asks for 512 bits where that is wider, and not where the user has said how many", () => {
  const asked = (variables: Record<string, string>, cpu = files["/proc/cpuinfo"]) =>
    vectorWidth((path) => ({ ...files, "/proc/cpuinfo": cpu })[path] ?? "", (...names) => {
      // A second argument would be a value for whoever reads and sets variables with one function.
      assertEquals(names.length, 1);
      return variables[names[0]];
    });
  assertEquals(asked({}), { LP_NATIVE_VECTOR_WIDTH: "512" });
  assertEquals(asked({ LP_NATIVE_VECTOR_WIDTH: "256" }), {});
  assertEquals(asked({}, "flags : fpu avx2"), {});
});
