/**
 * Where MLflow's tracking server is: apart from what speaks with it, since permissions follow from it before anything is loaded.
 *
 * @module
 */

/** Variables by which MLflow's own clients are told where to go and as whom. */
export const MLFLOW_VARIABLES = [
  "MLFLOW_TRACKING_URI",
  "MLFLOW_EXPERIMENT_NAME",
  "MLFLOW_TRACKING_TOKEN",
  "MLFLOW_TRACKING_USERNAME",
  "MLFLOW_TRACKING_PASSWORD",
] as const;

/** Where a server is that was started without further words. */
const DEFAULT_URI = "http://127.0.0.1:5000";

/**
 * The address of the server.
 *
 * @throws {TypeError} If the variable is no address.
 */
export function mlflowAddress(variable: (name: string) => string | undefined): URL {
  const given = variable("MLFLOW_TRACKING_URI") || DEFAULT_URI;
  const address = URL.canParse(given) ? new URL(given) : undefined;
  if (address && /^https?:$/.test(address.protocol)) return address;
  throw new TypeError(`Cannot use MLFLOW_TRACKING_URI: expected an address such as ${DEFAULT_URI}, found "${given}"`);
}
