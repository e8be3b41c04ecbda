/**
 * How a camera was held, by the EXIF block that JPEG, WebP and PNG files may hold.
 *
 * @see https://www.cipa.jp/std/documents/e/DC-X008-Translation-2023-E.pdf (4.6.5.1.6)
 * @module
 */

const ORIENTATION = 0x0112;
const SHORT = 3;

/**
 * The orientation in a TIFF block, 1 to 8. A block that is damaged says nothing: the pixels are sound without it.
 *
 * @param block From the byte order mark on.
 */
export function orientationOf(block: Uint8Array | undefined): number {
  if (!block || block.length < 14) return 1;
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const mark = view.getUint16(0);
  if (mark !== 0x4949 && mark !== 0x4d4d) return 1;
  const little = mark === 0x4949;
  const directory = view.getUint32(4, little);
  if (view.getUint16(2, little) !== 42 || directory + 2 > block.length) return 1;
  const entries = view.getUint16(directory, little);
  for (let i = 0; i < entries; i++) {
    const at = directory + 2 + 12 * i;
    if (at + 12 > block.length) return 1;
    if (view.getUint16(at, little) !== ORIENTATION) continue;
    const value = view.getUint16(at + 8, little);
    return view.getUint16(at + 2, little) === SHORT && value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}
