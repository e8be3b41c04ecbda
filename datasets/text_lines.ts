/**
 * Lines of a text file that is read piece by piece, and the cells of a line. This file knows no table.
 *
 * @module
 */

import { FileError } from "../core/bounds.ts";

/** A file that is read piece by piece, from the beginning each time. */
export interface PiecewiseFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Its bytes; a piece is good until the next is asked for. */
  pieces(): AsyncIterable<Uint8Array>;
}

/** Characters that a line may have: half of the longest text that the engine has. */
const LONGEST_LINE = 2 ** 28;

/**
 * The encoding by the mark that a text may begin with; UTF-8 without one. Excel's "Unicode text" is UTF-16.
 *
 * @see https://encoding.spec.whatwg.org/#bom-sniff
 */
function encodingOf(start: Uint8Array): string {
  if (start[0] === 0xff && start[1] === 0xfe) return "utf-16le";
  return start[0] === 0xfe && start[1] === 0xff ? "utf-16be" : "utf-8";
}

/**
 * Calls back for every line that is not blank, with its number from 1, until the callback gives `false`.
 *
 * @throws {FileError} If a line is too long.
 */
export async function eachLine(
  file: PiecewiseFile,
  use: (line: string, number: number) => boolean | void,
): Promise<void> {
  // The parts of a line: joined once, when its end is there.
  let [parts, length, number]: [string[], number, number] = [[], 0, 0];
  const hold = (text: string) => {
    parts.push(text);
    length += text.length;
    if (length > LONGEST_LINE) {
      throw new FileError(file.path, `expected at most ${LONGEST_LINE} characters in line ${number + 1}, found more`);
    }
  };
  const take = (last: string): boolean => {
    let line = last;
    if (length) {
      hold(last);
      line = parts.join("");
      [parts, length] = [[], 0];
    }
    number++;
    if (line.endsWith("\r")) line = line.slice(0, -1);
    return line.trim() === "" || use(line, number) !== false;
  };
  let decoder: TextDecoder | undefined;
  for await (const piece of file.pieces()) {
    decoder ??= new TextDecoder(encodingOf(piece));
    const text = decoder.decode(piece, { stream: true });
    let from = 0;
    for (let to: number; (to = text.indexOf("\n", from)) >= 0; from = to + 1) {
      if (!take(text.slice(from, to))) return;
    }
    hold(text.slice(from));
  }
  take(decoder?.decode() ?? "");
}

/** What stands between cells; `" "` is any number of blanks. */
export type Delimiter = "\t" | ";" | " " | ",";

/** In the order that decides where several fit: a comma may be part of a number. */
export const DELIMITERS: readonly Delimiter[] = ["\t", ";", " ", ","];

/** The cells of a line, one after the other: all of a long line at once would take many times its size. */
export function* cellsOf(line: string, delimiter: Delimiter): Generator<string> {
  if (line.includes('"')) return yield* quotedCells(line, delimiter);
  if (delimiter === " ") {
    for (const [cell] of line.matchAll(/\S+/g)) yield cell;
    return;
  }
  let from = 0;
  for (let to: number; (to = line.indexOf(delimiter, from)) >= 0; from = to + 1) yield line.slice(from, to).trim();
  yield line.slice(from).trim();
}

/** The same where some are in double quotes; a doubled quote within them is one. */
function* quotedCells(line: string, delimiter: Delimiter): Generator<string> {
  const ends = (letter: string) => delimiter === " " ? letter === " " || letter === "\t" : letter === delimiter;
  let [cell, quoted, any] = ["", false, false];
  for (let i = 0; i < line.length; i++) {
    if (line[i] === '"' && quoted && line[i + 1] === '"') cell += line[++i];
    else if (line[i] === '"') [quoted, any] = [!quoted, true];
    else if (ends(line[i]) && !quoted) {
      if (delimiter !== " " || cell !== "" || any) yield cell.trim();
      [cell, any] = ["", false];
    } else cell += line[i];
  }
  if (delimiter !== " " || cell !== "" || any) yield cell.trim();
}
