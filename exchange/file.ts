/**
 * A file that an export consists of.
 *
 * @module
 */

/** A file of an export. */
export interface ExportedFile {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What it is, in a line. */
  readonly what: string;
}
