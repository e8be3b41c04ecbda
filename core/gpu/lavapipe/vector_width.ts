/**
 * How wide Mesa's software adapter should make its vectors: 256 bits, as it does by itself, or 512. On a processor with AVX-512 the wider
 * ones train 1.2 to 1.4 times as fast with Mesa 22.3. With Mesa 25.0 a kernel of them takes three times as long to compile and to run.
 * (Measured with 22.3.6 and 25.0.7; no public issue is known.)
 *
 * @module
 */

/** The variable that the driver reads when it is loaded: bits of a vector. */
export const VECTOR_WIDTH = "LP_NATIVE_VECTOR_WIDTH";

/** Variables by which a user names drivers to the loader of Vulkan. */
export const DRIVERS = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"] as const;

/** Where the loader of Vulkan finds the driver, if no variable says otherwise. */
const MANIFESTS = ["/usr/share/vulkan/icd.d/lvp_icd.x86_64.json", "/usr/share/vulkan/icd.d/lvp_icd.json"];

/** The patch number of the Vulkan version in the manifest of Mesa 22.3. */
const NEWEST = 230;

/**
 * Whether to ask for vectors of 512 bits.
 *
 * @param read Gives the text of a file, or nothing where there is none.
 * @param variable Gives an environment variable.
 */
export function widensVectors(read: (path: string) => string, variable: (name: string) => string | undefined): boolean {
  if (!/\bavx512f\b/.test(read("/proc/cpuinfo"))) return false;
  const given = DRIVERS.map((name) => variable(name)).find((paths) => paths !== undefined);
  return (given?.split(":") ?? MANIFESTS).map(read).some((text) => {
    const patch = /"api_version"\s*:\s*"\d+\.\d+\.(\d+)"/.exec(text)?.[1];
    return text.includes("libvulkan_lvp") && patch !== undefined && Number(patch) <= NEWEST;
  });
}

/** What the driver should be told by environment variables, where the user has told it nothing. */
export function vectorWidth(...asked: Parameters<typeof widensVectors>): Readonly<Record<string, string>> {
  const [, variable] = asked;
  return variable(VECTOR_WIDTH) === undefined && widensVectors(...asked) ? { [VECTOR_WIDTH]: "512" } : {};
}
