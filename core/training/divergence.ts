/** The loss, or something that it is made of, is no longer a finite number. */
export class DivergenceError extends Error {
  /** The name of the class. */
  override readonly name = "DivergenceError";
  /**
   * @param step The step in which it happened, from 0.
   * @param place The first buffer that held it and the kernel that wrote it.
   * @param hint What may help.
   */
  /** `place`: the first buffer that was no longer finite. */
  constructor(readonly step: number, readonly place: string, hint = "A smaller learning rate often helps") {
    super(`Cannot go on training: step ${step} gave a number that is not finite, first in ${place}. ${hint}`);
  }
}
