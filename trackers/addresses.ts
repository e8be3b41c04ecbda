/**
 * Where trackers elsewhere are: apart from what speaks with them, since permissions follow from it before anything is loaded.
 *
 * @module
 */

/** Where a tracker is, and what its own clients read of the environment. */
export interface TrackerAddress {
  /** The variable that holds the address. */
  readonly variable: string;
  /** The address where the variable holds none. */
  readonly default: string;
  /** Variables that are read. */
  readonly variables: readonly string[];
}

/** Trackers elsewhere, by name. */
export const ADDRESSES = {
  mlflow: {
    variable: "MLFLOW_TRACKING_URI",
    // A server that was started without further words.
    default: "http://127.0.0.1:5000",
    variables: [
      "MLFLOW_TRACKING_URI",
      "MLFLOW_EXPERIMENT_NAME",
      "MLFLOW_TRACKING_TOKEN",
      "MLFLOW_TRACKING_USERNAME",
      "MLFLOW_TRACKING_PASSWORD",
    ],
  },
  wandb: {
    variable: "WANDB_BASE_URL",
    default: "https://api.wandb.ai",
    // The last ones are read by the package itself.
    variables: [
      "WANDB_BASE_URL",
      "WANDB_API_KEY",
      "WANDB_PROJECT",
      "WANDB_ENTITY",
      "WANDB_MODE",
      "NETRC",
      "HOME",
      "USERPROFILE",
      ...["WANDB_APP_URL", "WANDB_DEBUG", "WANDB_ENV", "WANDB_WORKER", "HOMEDRIVE", "HOMEPATH", "NODE_ENV"],
    ],
  },
} as const satisfies Readonly<Record<string, TrackerAddress>>;

/** A tracker that has an address. */
export type Addressed = keyof typeof ADDRESSES;

/**
 * The address of a tracker.
 *
 * @throws {TypeError} If its variable is no address.
 */
export function trackerAddress(name: Addressed, variable: (name: string) => string | undefined): URL {
  const { variable: from, default: usual } = ADDRESSES[name];
  const given = variable(from) || usual;
  const address = URL.canParse(given) ? new URL(given) : undefined;
  if (address && /^https?:$/.test(address.protocol)) return address;
  throw new TypeError(`Cannot use ${from}: expected an address such as ${usual}, found "${given}"`);
}
