/**
 * The model that the page opens with: `vae` on MNIST with 256 hidden units and 2 latents, trained for 50 epochs by the command
 * `deno task train --hidden 256 --latents 2 --epochs 50 --learning-rate-schedule cosine`.
 *
 * @module
 */

/** The bytes of its checkpoint, without the state of the optimizer. */
export async function digits(): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await fetch(new URL("digits.safetensors", import.meta.url))).arrayBuffer());
}
