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

const encoder = new TextEncoder();

function terminal(stream: typeof Deno.stdout | typeof Deno.stderr): Terminal {
  return {
    interactive: stream.isTerminal() && Deno.env.get("TERM") !== "dumb",
    columns() {
      try {
        return Deno.consoleSize().columns || 80;
      } catch {
        return 80; // no screen to ask
      }
    },
    write(text) {
      // writeSync may take only a part of it
      for (let bytes = encoder.encode(text); bytes.length > 0;) bytes = bytes.subarray(stream.writeSync(bytes));
    },
  };
}

/** The process's standard output. */
export const stdout = (): Terminal => terminal(Deno.stdout);

/** The process's standard error. */
export const stderr = (): Terminal => terminal(Deno.stderr);
