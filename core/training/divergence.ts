/** The loss, or something that it is made of, is no longer a finite number. */
export class DivergenceError extends Error {
  /** The name of the class. */
  override readonly name = "DivergenceError";
  /**
   * @param step The step in which it happened, from 0.
   * @param epoch The epoch of that step, from 1.
   * @param place The first buffer that held it and the kernel that wrote it.
   * @param hint What may help.
   */
  /** `place`: the first buffer that was no longer finite. */
  constructor(
    readonly step: number,
    readonly epoch: number,
    readonly place: string,
    hint = "A smaller learning rate often helps",
  ) {
    super(
      `Cannot go on training: epoch ${epoch}, step ${step} gave a number that is not finite, first in ${place}. ${hint}`,
    );
  }
}

/** A number that is not finite and was seen elsewhere than in the loss of a step: after the last step that was done. */
export interface Sighting {
  /** What holds it. */
  readonly place: string;
  /** What holds one in the parameters as they stand now, or their slots; undefined where nothing does. */
  search?(): Promise<string | undefined>;
  /** Puts the parameters back that were last good. */
  restore(): void;
}
