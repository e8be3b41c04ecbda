/**
 * What a figure is: a file's content and what is to be said of it. Whoever draws figures returns them; whoever wants files writes them.
 *
 * @module
 */

/** A picture with its words. */
export interface Figure {
  /** A short name, unique within a report: "latent-scatter". */
  readonly name: string;
  /** What it shows, in a few words. */
  readonly title: string;
  /** What a reader must know to read it: what rows and columns are, how many data, which unit. */
  readonly caption: string;
  /** The file's name: the figure's, with the ending of its format. */
  readonly file: `${string}.png` | `${string}.svg`;
  /** The file: bytes of a PNG, text of an SVG. */
  readonly content: Uint8Array<ArrayBuffer> | string;
}

/** The words of a figure. */
export type Words = Pick<Figure, "name" | "title" | "caption">;

/** The content of a figure as a file has it. */
export function bytesOf({ content }: Figure): Uint8Array<ArrayBuffer> {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}

/** Text as it stands in HTML and XML, in an element or in an attribute. */
export function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
