/**
 * Where the command line writes to. An object, so that tests can look at what would have been written.
 *
 * @module
 */

/** A stream for text, and what is known of the screen behind it. */
export interface Terminal {
  /** True where a line can be drawn again: a screen, not a pipe or a file. */
  readonly interactive: boolean;
  /** Width of the screen in characters. */
  columns(): number;
  /** Writes text as it is. */
  write(text: string): void;
}

/** Where nobody looks. */
export const nowhere: Terminal = { interactive: false, columns: () => 100, write() {} };

/** Width to wrap text to: that of the screen up to 100, which a file is given too. */
export function textColumns(terminal: Terminal): number {
  return terminal.interactive ? Math.min(100, terminal.columns()) : 100;
}

/** Characters that a terminal obeys in place of showing them: controls (ESC is one), line separators, and what turns the direction of text. */
const OBEYED = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/**
 * Text that a terminal shows and does not obey: a name out of a file may hold an escape sequence. Each such character is written as
 * JSON writes it, `\u001b`, so JSON stays what it was.
 */
export function shown(text: string): string {
  return text.replace(OBEYED, (character) => "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0"));
}

/**
 * A line in lines of so many columns, broken between words. What is set in, commands and tables, stays one line: a command that was broken
 * could not be copied.
 */
export function wrapped(line: string, columns: number): readonly string[] {
  if (line.length <= columns || line.startsWith("  ")) return [line];
  return wrap(line, columns);
}

/** Text in lines of so many columns, broken between words. */
export function wrap(text: string, columns: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines[lines.length - 1];
    if (last === "") lines[lines.length - 1] = word;
    else if (last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** The last line of a screen, drawn again and again. */
export interface StatusLine extends Disposable {
  /** Draws a line in place of the last one, as much of it as fits. */
  readonly draw: (line: string) => void;
  /** Takes it away, so that other text can be printed. */
  readonly clear: () => void;
}

/** A line on a screen. */
export function statusLine(terminal: Terminal): StatusLine {
  let drawn = false;
  const clear = () => {
    if (drawn) terminal.write("\r\x1b[K");
    drawn = false;
  };
  return {
    draw(line) {
      // The last column stays free: some terminals wrap once it is written.
      terminal.write("\r" + shown(line).slice(0, terminal.columns() - 1) + "\x1b[K");
      drawn = true;
    },
    clear,
    [Symbol.dispose]: clear,
  };
}

const encoder = new TextEncoder();

function terminal(stream: typeof Deno.stdout | typeof Deno.stderr): Terminal {
  const isTerminal = stream.isTerminal();
  return {
    interactive: isTerminal && Deno.env.get("TERM") !== "dumb",
    columns() {
      try {
        return Deno.consoleSize().columns || 80;
      } catch {
        return 80; // no screen to ask
      }
    },
    write(text) {
      try {
        // writeSync may take only a part of it
        for (let bytes = encoder.encode(text); bytes.length > 0;) bytes = bytes.subarray(stream.writeSync(bytes));
      } catch (error) {
        // Of a terminal that was closed SIGHUP tells, which ends the task in order.
        if (!isTerminal) throw error;
      }
    },
  };
}

/** The process's standard output. */
export const stdout = (): Terminal => terminal(Deno.stdout);

/** The process's standard error. */
export const stderr = (): Terminal => terminal(Deno.stderr);
