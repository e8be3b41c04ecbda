/**
 * Parquet files, written by npm hyparquet-writer (MIT), which is fetched at the first one.
 *
 * @module
 */

/** The package, as pinned in deno.lock. */
const PACKAGE = "hyparquet-writer@0.17.0";

/** A column to be written. */
export interface ParquetColumn {
  readonly name: string;
  readonly data: Float32Array | Float64Array | Int32Array | readonly string[];
  readonly type: "FLOAT" | "DOUBLE" | "INT32" | "STRING";
}

/** What is used here of hyparquet-writer. */
interface Writer {
  parquetWriteBuffer(table: { readonly columnData: readonly ParquetColumn[] }): ArrayBuffer;
}

/**
 * The bytes of a Parquet file of columns of equal length.
 *
 * @throws {Error} If the package is neither in Deno's cache nor can be fetched.
 */
export async function encodeParquet(columns: readonly ParquetColumn[]): Promise<Uint8Array<ArrayBuffer>> {
  // Computed, so that the package is fetched by those who write such files only.
  const { parquetWriteBuffer }: Writer = await import(["npm", PACKAGE].join(":")).catch((cause) => {
    throw new Error(
      `Cannot write Parquet files: npm package ${PACKAGE} is not in Deno's cache and could not be fetched; ` +
        "the first use needs an npm registry (or write .csv)",
      { cause },
    );
  });
  return new Uint8Array(parquetWriteBuffer({ columnData: columns }));
}
