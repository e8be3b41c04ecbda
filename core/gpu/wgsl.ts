/**
 * WGSL texts as far as joining kernels asks for it: declarations of a module, what they refer to, and giving names other names.
 *
 * @module
 */

/** A declaration at module scope. */
export interface Declaration {
  readonly name: string;
  readonly kind: "fn" | "const" | "var" | "struct" | "alias";
  /** Its text, attributes included, without comments. */
  readonly text: string;
}

/** How a kernel starts: `fn main` with the attribute `@compute`. */
export interface EntryPoint {
  /** Invocations of a workgroup, which has one dimension. */
  readonly size: number;
  /** The builtin value of each parameter. */
  readonly builtins: readonly string[];
  /** The same as a function that is called. */
  readonly text: string;
}

const TOKEN = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|[A-Za-z_]\w*|\d[\w.]*|\s+|[^]/g;
const COMMENT = /^\/[/*]/;
const IDENTIFIER = /^[A-Za-z_]/;
const KINDS: readonly string[] = ["fn", "const", "var", "struct", "alias"] satisfies Declaration["kind"][];

function tokens(text: string): string[] {
  return text.match(TOKEN)?.filter((token) => !COMMENT.test(token)) ?? [];
}

/**
 * The declarations of a module in their order.
 *
 * @returns Undefined where there is something else at module scope: a directive, an override, an assertion.
 */
export function declarations(code: string): Declaration[] | undefined {
  const found: Declaration[] = [];
  let text = "";
  let depth = 0;
  for (const token of tokens(code)) {
    text += token;
    if ("({[".includes(token)) depth++;
    if (")}]".includes(token)) depth--;
    if (depth > 0 || (token !== ";" && token !== "}")) continue;
    text = text.trim();
    // A struct may be followed by a semicolon.
    if (text !== ";") {
      const [, kind, name] = /^(?:@\w+(?:\([^)]*\))?\s*)*(\w+)(?:<[^>]*>)?\s+(\w+)/.exec(text) ?? [];
      if (!KINDS.includes(kind)) return undefined;
      found.push({ name, kind: kind as Declaration["kind"], text });
    }
    text = "";
  }
  return text.trim() ? undefined : found;
}

/** The tokens of a declaration, each with whether it is a name that something at module scope may have. */
function* names(text: string): Generator<[token: string, isName: boolean]> {
  const all = tokens(text);
  const isStruct = /^struct\b/.test(text);
  const next = (i: number) => all.slice(i + 1).find((token) => token.trim());
  let before = "";
  for (const [i, token] of all.entries()) {
    const isMember = before === "." || (isStruct && next(i) === ":");
    yield [token, IDENTIFIER.test(token) && !isMember && before !== "@"];
    if (token.trim()) before = token;
  }
}

/** Every name in a text that something at module scope may have; names of parameters and local values are among them. */
export function references(text: string): Set<string> {
  return new Set([...names(text)].filter(([, isName]) => isName).map(([token]) => token));
}

/**
 * A text with other names. Parameters and local values of those names are renamed with the others, which changes nothing as long as no new
 * name is in the text already.
 */
export function rename(text: string, to: ReadonlyMap<string, string>): string {
  return [...names(text)].map(([token, isName]) => isName ? to.get(token) ?? token : token).join("");
}

/** Values by name of the declarations that are a constant whole number and nothing more. */
export function constantsOf(all: readonly Declaration[]): Map<string, number> {
  return new Map(all.flatMap(({ name, text }) => {
    const [, value] = /^const\s+\w+\s*=\s*(\d+)u?;$/.exec(text) ?? [];
    return value === undefined ? [] : [[name, Number(value)]];
  }));
}

/** A literal or the name of a constant as a number; NaN where it is neither. */
function numberOf(text: string, constants: ReadonlyMap<string, number>): number {
  return constants.get(text) ?? Number(text.replace(/u$/, ""));
}

/** The entry point of a declaration; undefined where it is none, or one with a workgroup of several dimensions, or of a size not known. */
export function entryPoint(
  { name, text }: Declaration,
  constants: ReadonlyMap<string, number> = new Map(),
): EntryPoint | undefined {
  const [head, invocations = "", parameters] =
    /^@compute\s+@workgroup_size\((\w+)\)\s+fn\s+main\(([^{]*)\)\s*(?=\{)/.exec(text) ?? [];
  const size = numberOf(invocations, constants);
  if (name !== "main" || head === undefined || !Number.isInteger(size)) return undefined;
  const builtins = [...parameters.matchAll(/@builtin\((\w+)\)/g)].map(([, builtin]) => builtin);
  const plain = parameters.replace(/@builtin\(\w+\)\s*/g, "");
  return { size, builtins, text: `fn main(${plain}) ${text.slice(head.length)}` };
}

const SIZES: Readonly<Record<string, number>> = { f32: 4, u32: 4, i32: 4, vec2f: 8, vec4f: 16, vec4u: 16, vec4i: 16 };

/** Bytes of a variable of a module, for arrays of numbers and of vectors, and for arrays of those; Infinity for what is not known. */
export function bytesOf({ text }: Declaration, constants: ReadonlyMap<string, number> = new Map()): number {
  const sizeOf = (type: string): number => {
    const [, element, count = ""] = /^array<(.+),\s*(\w+)>$/.exec(type) ?? [];
    return element ? sizeOf(element) * numberOf(count, constants) : SIZES[type];
  };
  const bytes = sizeOf(/:\s*([^;]*[^;\s])\s*;$/.exec(text)?.[1] ?? "");
  return Number.isFinite(bytes) ? bytes : Infinity;
}
