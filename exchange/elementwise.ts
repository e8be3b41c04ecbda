/**
 * Expressions out of the text of a formula, as `elementwise` ops have it: the part of WGSL that formulas of numbers are written in.
 *
 * @module
 */

import { type Expression, type Expressions, UNARY } from "./expression.ts";

const TOKEN =
  /\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)[fu]?|([A-Za-z_]\w*)|([<>=!]=|&&|\|\||[-+*/(),<>&|]))/y;

const COMPARISONS: Readonly<Record<string, string>> = {
  ...{ "<": "less", "<=": "lessOrEqual", ">": "greater", ">=": "greaterOrEqual", "==": "equal" },
};

/**
 * The expression of a text.
 *
 * @throws {TypeError} If it says what is not a formula of numbers.
 */
export function parseElementwise(
  text: string,
  operands: Readonly<Record<string, Expression>>,
  expressions: Expressions,
): Expression {
  const fail = (expected: string): never => {
    throw new TypeError(`Cannot export the formula "${text}": expected ${expected}`);
  };
  const tokens: { readonly text: string; readonly kind: "number" | "name" | "sign" }[] = [];
  TOKEN.lastIndex = 0;
  while (text.slice(TOKEN.lastIndex).trim()) {
    const from = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) return fail(`no "${text.slice(from).trim()[0]}"`);
    const [, number, name, sign] = match;
    tokens.push(
      number !== undefined
        ? { text: number, kind: "number" }
        : name !== undefined
        ? { text: name, kind: "name" }
        : { text: sign, kind: "sign" },
    );
  }
  let at = 0;
  const is = (...signs: readonly string[]) => tokens[at]?.kind === "sign" && signs.includes(tokens[at].text);
  const take = (sign: string) => is(sign) ? void at++ : fail(`"${sign}" before "${tokens[at]?.text ?? "the end"}"`);
  const unary = (f: string, x: Expression): Expression => {
    if (x.operation.op === "number" && f === "neg") return expressions.number(-x.operation.value);
    return expressions.elementwise({ op: "unary", f }, [x]);
  };
  const binary = (f: string, a: Expression, b: Expression) => expressions.elementwise({ op: "binary", f }, [a, b]);
  const chain = (signs: Readonly<Record<string, string>>, next: () => Expression) => (): Expression => {
    let x = next();
    while (is(...Object.keys(signs))) x = binary(signs[tokens[at++].text], x, next());
    return x;
  };
  const call = (name: string, given: readonly Expression[]): Expression => {
    const [a, b, c] = given;
    const takes = (count: number) => given.length === count || fail(`${count} arguments of ${name}`);
    if ((UNARY as readonly string[]).includes(name)) return takes(1) && unary(name, a);
    switch (name) {
      case "identity":
        return a;
      case "f32":
      case "vec4f":
        return a ?? expressions.number(0);
      case "inverseSqrt":
        return takes(1) && binary("div", expressions.number(1), unary("sqrt", a));
      case "min":
      case "max":
      case "pow":
        return takes(2) && binary(name, a, b);
      case "clamp":
        return takes(3) && binary("min", binary("max", a, b), c);
      case "select":
        return takes(3) && expressions.elementwise({ op: "where" }, [c, b, a]);
    }
    return fail(`a function that there is elsewhere, not "${name}"`);
  };
  const primary = (): Expression => {
    const token = tokens[at++];
    if (!token) return fail("more");
    if (token.kind === "number") return expressions.number(Number(token.text));
    if (token.kind === "name") {
      if (!is("(")) return operands[token.text] ?? fail(`an operand "${token.text}"`);
      at++;
      const given: Expression[] = [];
      while (!is(")")) {
        given.push(either());
        if (!is(")")) take(",");
      }
      at++;
      return call(token.text, given);
    }
    if (token.text === "-") return unary("neg", primary());
    if (token.text !== "(") return fail(`a number or a name before "${token.text}"`);
    const inner = either();
    take(")");
    return inner;
  };
  const sum = chain({ "+": "add", "-": "sub" }, chain({ "*": "mul", "/": "div" }, primary));
  const comparison = (): Expression => {
    const x = sum();
    if (is("!=")) {
      at++;
      const y = sum();
      const zero = expressions.number(0);
      return binary("greater", unary("abs", binary("sub", x, y)), zero);
    }
    return is(...Object.keys(COMPARISONS)) ? binary(COMPARISONS[tokens[at++].text], x, sum()) : x;
  };
  const either = chain({ "|": "or", "||": "or" }, chain({ "&": "and", "&&": "and" }, comparison));
  const found = either();
  return at === tokens.length ? found : fail(`no "${tokens[at].text}"`);
}
