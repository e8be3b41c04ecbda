/**
 * Shaders as packages and pages carry them.
 *
 * @module
 */

/**
 * The text of a part without remarks, indentation, empty lines, and spaces beside signs that mean the same without. What begins with `//:` is read
 * when kernels are joined.
 */
export function withoutRemarks(text: string): string {
  return text.split("\n").map((line) => line.trim()).map((line) => {
    if (line.startsWith("//:")) return line;
    return line.replace(/\s*\/\/.*$/, "").replace(/ *([=*,:;({}]) */g, "$1").replaceAll(" )", ")");
  }).filter((line) => line !== "").join("\n") + "\n";
}
