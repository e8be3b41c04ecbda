/**
 * Which strategy is for which adapter. It is the one place outside of their folders that knows them: an adapter with a strategy of its own
 * is a line here.
 *
 * @module
 */

import { CACHE_SWITCH, compileAhead, FAMILY, FEATURE, isLavapipe, lavapipe, NEEDS } from "./lavapipe/strategy.ts";
import { DRIVERS, VECTOR_WIDTH, vectorWidth } from "./lavapipe/vector_width.ts";
import { compilersStopped } from "./lavapipe/compile_ahead.ts";
import { plain, type Strategy } from "./strategy.ts";

/** The families of kernels that strategies bring, and what each needs of an adapter. */
export const OWN_FAMILIES = { [FAMILY]: NEEDS } as const;
/** One of their names. */
export type OwnFamily = keyof typeof OWN_FAMILIES;

/** Whether an adapter runs on the processor's cores, by its name. */
export function runsOnProcessor(adapter: string): boolean {
  return /llvmpipe|lavapipe|swiftshader|warp|basic render/i.test(adapter);
}

/** What {@linkcode strategyFor} must know besides the adapter. */
export interface StrategyOptions {
  /** Features of {@linkcode unlistedFeatures} that were granted. */
  readonly granted?: readonly string[];
  /** As in the options of a Gpu. */
  readonly compileAhead?: boolean;
  /** Told what does not work and is done without. */
  readonly onWarning?: (warning: string) => void;
}

/** The strategy for an adapter, by its name. */
export function strategyFor(device: GPUDevice, adapter: string, options: StrategyOptions): Strategy<OwnFamily> {
  if (isLavapipe(adapter)) {
    return lavapipe(device, adapter, {
      subgroups: options.granted?.includes(FEATURE) ?? false,
      ahead: options.compileAhead ? compileAhead(options.onWarning) : undefined,
    });
  }
  return plain(runsOnProcessor(adapter));
}

/** Ends what strategies run beside, and waits until none of it is in a driver. */
export async function strategiesClosed(): Promise<void> {
  await compilersStopped();
}

/** Features that are worth asking an adapter for, though it does not list them. */
export function unlistedFeatures(adapter: string): readonly string[] {
  return isLavapipe(adapter) ? [FEATURE] : [];
}

/** Environment variables that the drivers should find when they are loaded; the arguments give the text of a file, and a variable. */
export function driverVariables(
  read: (path: string) => string,
  variable: (name: string) => string | undefined,
): Readonly<Record<string, string>> {
  return vectorWidth(read, variable);
}

/** Environment variables that strategies set for drivers, or read. */
export const DRIVER_VARIABLES: readonly string[] = [VECTOR_WIDTH, CACHE_SWITCH, ...DRIVERS];
