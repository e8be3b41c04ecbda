/**
 * Where the Hugging Face Hub is: apart from what fetches from it, since permissions follow from it before anything is loaded.
 *
 * @module
 */

/** Where the Hub is, where nothing else is said. */
export const HUB = "https://huggingface.co";

/** Environment variables that say where the Hub is and who asks. */
export const HUB_VARIABLES = ["HF_ENDPOINT", "HF_TOKEN", "HF_HOME", "HOME", "USERPROFILE"] as const;

/** Where fetched models are kept, unless it is said. */
export const HUB_CACHE = "data/hub";

/** Whether a text is a reference to the Hub, and no path. */
export function isReference(text: string): boolean {
  return text.startsWith("hf:");
}

/** The hosts that a fetch may ask: the endpoint, on any port, and where the Hub keeps large files, to which mirrors redirect too. */
export function hubHosts(endpoint: string | undefined): readonly string[] {
  return [new URL(endpoint || HUB).hostname, "*.huggingface.co", "*.hf.co"];
}
