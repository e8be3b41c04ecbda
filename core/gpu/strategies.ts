/**
 * Which strategy is for which adapter. It is the one place outside of their folders that knows them: an adapter with a strategy of its own
 * is a line here.
 *
 * @module
 */

import { more } from "../by_need.ts";
import { CACHE_SWITCH, FAMILY, FEATURE, isLavapipe, NEEDS, THREADS } from "./lavapipe/adapter.ts";
import { plain, type Strategy } from "./strategy.ts";

/** The families of kernels that strategies bring, and what each needs of an adapter. */
export const OWN_FAMILIES = { [FAMILY]: NEEDS } as const;
/** One of their names. */
export type OwnFamily = keyof typeof OWN_FAMILIES;

/** What an adapter says of itself that matters here; not every host says all of it. */
export type AdapterFacts = Partial<
  Pick<GPUAdapterInfo, "isFallbackAdapter" | "subgroupMinSize" | "subgroupMaxSize">
>;

/** Whether an adapter runs on the processor's cores: by its name, and where a browser hides that, by what it says of itself. */
export function runsOnProcessor(adapter: string, facts: AdapterFacts = {}): boolean {
  return facts.isFallbackAdapter || /llvmpipe|lavapipe|swiftshader|warp|basic render/i.test(adapter);
}

/** Invocations of a subgroup where an adapter says that they are always as many; else 0. */
function lanesOf({ subgroupMinSize: least, subgroupMaxSize: most }: AdapterFacts): number {
  return least !== undefined && least === most ? least : 0;
}

/** What {@linkcode strategyFor} must know besides the adapter. */
export interface StrategyOptions {
  /** What the adapter says of itself. */
  readonly facts?: AdapterFacts;
  /** Features of {@linkcode wantedFeatures} that were granted. */
  readonly granted?: readonly string[];
  /** As in the options of a Gpu. */
  readonly compileAhead?: () => Worker;
  /** Told what does not work and is done without. */
  readonly onWarning?: (warning: string) => void;
}

/**
 * The strategy for an adapter, by its name and what else it says of itself. Where its own is not loaded it is the one for any host; see
 * {@linkcode loadStrategy}.
 */
export function strategyFor(device: GPUDevice, adapter: string, options: StrategyOptions): Strategy<OwnFamily> {
  const { facts = {}, granted = [], compileAhead: start, onWarning } = options;
  if (!runsOnProcessor(adapter, facts)) return plain(false);
  if (more.missing) return plain(true);
  const { compileAhead, lavapipe, software } = more.now;
  const subgroups = granted.includes(FEATURE);
  if (isLavapipe(adapter)) {
    return lavapipe(device, adapter, { subgroups, ahead: start && compileAhead(start, onWarning) });
  }
  return software(device, subgroups ? lanesOf(facts) : 0);
}

/** Loads what {@linkcode strategyFor} has for an adapter. */
export async function loadStrategy(adapter: string, facts: AdapterFacts = {}): Promise<void> {
  if (runsOnProcessor(adapter, facts)) await more.load();
}

/** Ends what strategies run beside, and waits until none of it is in a driver. */
export async function strategiesClosed(): Promise<void> {
  if (!more.missing) await more.now.compilersStopped();
}

/** Features that are worth asking an adapter for, some of which it may not list. */
export function wantedFeatures(
  adapter: string,
  facts: AdapterFacts = {},
  listed: Pick<GPUSupportedFeatures, "has"> = new Set<string>(),
): readonly string[] {
  const wanted = isLavapipe(adapter) || (listed.has(FEATURE) && runsOnProcessor(adapter, facts));
  return wanted ? [FEATURE] : [];
}

/**
 * Environment variables that drivers should find when they are loaded, of processes that share the processors of a machine.
 *
 * @param processors Processors of the machine.
 * @param processes Processes that compute on it at a time.
 */
export function driverVariables(processors: number, processes: number): Readonly<Record<string, string>> {
  return { [THREADS]: String(Math.max(1, Math.floor(processors / processes))) };
}

/** Environment variables by which one of several GPUs is chosen, before a driver is loaded. */
export const CHOOSING_VARIABLES = [
  "MESA_VK_DEVICE_SELECT",
  "VK_LOADER_DEVICE_SELECT",
  "VK_DRIVER_FILES",
  "CUDA_VISIBLE_DEVICES",
  "NVIDIA_VISIBLE_DEVICES",
  "ROCR_VISIBLE_DEVICES",
] as const;

/** Environment variables of drivers that strategies read. */
export const DRIVER_VARIABLES: readonly string[] = [CACHE_SWITCH];
