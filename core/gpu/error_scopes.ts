/**
 * Whose error it is. A device is shared: by models, by calls of one model, by its owner's own work. So each piece of work is enclosed in
 * error scopes of its own, and its errors reach the call that did it and no other.
 *
 * @module
 */

/** An error of the GPU, its driver, or of finding one. */
export class GpuError extends Error {
  /** The name of the class. */
  override readonly name = "GpuError";
}

/** From the outermost scope to the innermost. */
const FILTERS = ["internal", "out-of-memory", "validation"] as const satisfies readonly GPUErrorFilter[];

/** What of a Gpu error scopes ask for. */
export interface Scoped {
  /** Where scopes are opened. */
  readonly device: GPUDevice;
  /** Throws if the device is lost. */
  check(): void;
}

/** The errors of some work on a device. */
export class ErrorScopes {
  readonly #gpu: Scoped;
  #first: Promise<GPUError | undefined> | undefined;

  /**
   * Scopes on a device.
   *
   * @param gpu Whose errors are caught.
   */
  constructor(gpu: Scoped) {
    this.#gpu = gpu;
  }

  /**
   * Does work and notes its errors. The scopes of a device are a stack that everybody on it shares, so it is put back before anybody else
   * can run: `work` must not wait.
   */
  within<T>(work: () => T): T {
    const { device } = this.#gpu;
    for (const filter of FILTERS) device.pushErrorScope(filter);
    try {
      return work();
    } finally {
      const before = this.#first;
      // A lost device has no errors any more: that it is lost is told by check().
      const popped = FILTERS.map(() => device.popErrorScope().catch(() => null));
      this.#first = Promise.all([before, ...popped]).then((errors) => errors.find((error) => error) ?? undefined);
    }
  }

  /**
   * Waits for what is known of the work since the last call. No wait for the GPU: an adapter checks work when it is handed over.
   *
   * @throws {GpuError} If the device is lost, or with the first error there was.
   */
  async settle(): Promise<void> {
    const first = this.#first;
    this.#first = undefined;
    const error = await first;
    this.#gpu.check();
    if (error) throw new GpuError(`The GPU reports: ${error.message}`);
  }
}
