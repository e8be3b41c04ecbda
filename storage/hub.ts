/**
 * Models on the Hugging Face Hub, or on a server that answers as it does: found by a reference, fetched once, held against the digests
 * that the Hub says.
 *
 * @module
 */

import { FileError, requireMemory } from "../core/bounds.ts";
import { isRecord } from "../core/json.ts";
import { HUB, HUB_CACHE } from "./hub_address.ts";
import { isFile, readIfThere } from "./read.ts";
import { FILES, join } from "./run_folder.ts";
import { writeFileAtomically, writeText } from "./write.ts";

/** The file of a model's weights there. */
export const HUB_WEIGHTS = "model.safetensors";

/** A model on the Hub. */
export interface HubReference {
  readonly owner: string;
  readonly name: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
}

/** How {@linkcode fetchModel} fetches. */
export interface HubOptions {
  /** The folder that fetched models are kept in. Default: {@linkcode HUB_CACHE}. */
  readonly cache?: string;
  /** Default: `HF_ENDPOINT`, or {@linkcode HUB}. */
  readonly endpoint?: string;
  /** Default: `HF_TOKEN`, or the file that `hf auth login` writes. */
  readonly token?: string;
  readonly signal?: AbortSignal;
}

/**
 * `hf:owner/name`, or `hf:owner/name@revision`.
 *
 * @throws {RangeError} If it is none.
 */
export function parseReference(text: string): HubReference {
  const match = /^hf:([\w-][\w.-]*)\/([\w-][\w.-]*)(?:@([\w-][\w./-]*))?$/.exec(text);
  if (!match || text.includes("..")) {
    throw new RangeError(`Cannot find "${text}": expected hf:owner/name, or hf:owner/name@revision`);
  }
  const [, owner, name, revision = "main"] = match;
  return { owner, name, revision };
}

/** The token that the environment names, or the file that Hugging Face's own tools keep. */
async function ownToken(): Promise<string | undefined> {
  const given = Deno.env.get("HF_TOKEN");
  if (given) return given.trim();
  const home = Deno.env.get("HF_HOME") ??
    (Deno.env.get("HOME") ?? Deno.env.get("USERPROFILE") ?? "").replace(/(.)$/, "$1/.cache/huggingface");
  const bytes = home ? await readIfThere(join(home, "token")).catch(() => undefined) : undefined;
  return bytes && (new TextDecoder().decode(bytes).trim() || undefined);
}

/** What the Hub says of a file. */
interface HubFile {
  readonly size: number;
  /** SHA-256 of a large file; of another the SHA-1 that Git has. */
  readonly digest: { readonly algorithm: "SHA-256" | "SHA-1"; readonly hex: string };
}

/** Settles what a repository has: the commit of a revision, and the weights. */
function parseListing(listing: unknown, source: string): { readonly commit: string; readonly weights: HubFile } {
  const fail = (expected: string): never => {
    throw new FileError(source, `expected ${expected}, found another answer`);
  };
  if (!isRecord(listing)) return fail("a model");
  const { sha, siblings } = listing;
  if (typeof sha !== "string" || !/^[0-9a-f]{40}$/.test(sha) || !Array.isArray(siblings)) {
    return fail("the commit and the files of a model");
  }
  const found = siblings.find((file) => isRecord(file) && file.rfilename === HUB_WEIGHTS);
  if (!isRecord(found)) {
    throw new FileError(source, `expected a file ${HUB_WEIGHTS} in the repository, found none`);
  }
  const { size, lfs, blobId } = found;
  const [algorithm, hex] = isRecord(lfs) ? ["SHA-256", lfs.sha256] as const : ["SHA-1", blobId] as const;
  const isSize = typeof size === "number" && Number.isSafeInteger(size) && size > 0;
  if (!isSize || typeof hex !== "string" || !/^[0-9a-f]{40,64}$/.test(hex)) {
    return fail(`the size and the digest of ${HUB_WEIGHTS}`);
  }
  return { commit: sha, weights: { size, digest: { algorithm, hex } } };
}

/** The digest of bytes, as the Hub says that of a file. */
async function digestOf(bytes: Uint8Array<ArrayBuffer>, algorithm: HubFile["digest"]["algorithm"]): Promise<string> {
  const head = algorithm === "SHA-1" ? new TextEncoder().encode(`blob ${bytes.length}\0`) : new Uint8Array();
  const all = new Uint8Array(head.length + bytes.length);
  all.set(head);
  all.set(bytes, head.length);
  return new Uint8Array(await crypto.subtle.digest(algorithm, all)).toHex();
}

/**
 * The run folder that a model on the Hub is kept in, fetched where it is not there yet.
 *
 * Which commit a revision is, the Hub is asked each time; where it cannot be reached, the last answer holds. A token goes to the endpoint alone,
 * not to where it redirects.
 *
 * @throws {FileError} If there is no such model, it may not be read, or what came is not what the Hub says that it is.
 */
export async function fetchModel(reference: string, options: HubOptions = {}): Promise<string> {
  const { owner, name, revision } = parseReference(reference);
  const { cache = HUB_CACHE, signal } = options;
  const endpoint = (options.endpoint ?? (Deno.env.get("HF_ENDPOINT") || HUB)).replace(/\/+$/, "");
  const folder = join(cache, `${owner}--${name}`);
  const known = join(folder, `${revision.replaceAll("/", "--")}.json`);
  const token = options.token ?? await ownToken();
  const headers: HeadersInit = token ? { authorization: `Bearer ${token}` } : {};
  const ask = async (path: string): Promise<Response> => {
    const response = await fetch(`${endpoint}/${path}`, { headers, signal });
    if (response.ok) return response;
    await response.body?.cancel();
    const why = response.status === 401 || response.status === 403
      ? `access that is granted, found ${response.status}; it is private, gated or not there: ${
        token ? "the token does not suffice" : "a token goes into HF_TOKEN"
      }`
      : response.status === 404
      ? `a model at ${endpoint}, found none of that name and revision`
      : `an answer of ${endpoint}, found ${response.status} ${response.statusText}`;
    throw new FileError(reference, `expected ${why}`, { verb: "load" });
  };
  const path = `api/models/${owner}/${name}/revision/${encodeURIComponent(revision)}?blobs=true`;
  let text: string;
  try {
    text = await (await ask(path)).text();
  } catch (cause) {
    const last = cause instanceof TypeError ? await readIfThere(known) : undefined;
    if (!last) throw cause instanceof TypeError ? unreached(reference, endpoint, cause) : cause;
    text = new TextDecoder().decode(last);
  }
  const { commit, weights } = parseListing(parsed(text, reference), reference);
  const run = join(folder, commit);
  if (await isFile(join(run, FILES.checkpoint))) return run;
  const response = await ask(`${owner}/${name}/resolve/${commit}/${HUB_WEIGHTS}`).catch((cause) => {
    throw cause instanceof TypeError ? unreached(reference, endpoint, cause) : cause;
  });
  requireMemory(weights.size, reference, "weights");
  const bytes = new Uint8Array(weights.size);
  let at = 0;
  for await (const part of response.body!) {
    if (at + part.length > weights.size) break;
    bytes.set(part, at);
    at += part.length;
  }
  const { algorithm, hex } = weights.digest;
  const found = at === weights.size ? await digestOf(bytes, algorithm) : `${at} bytes`;
  if (found !== hex) {
    throw new FileError(
      reference,
      `expected ${HUB_WEIGHTS} of ${weights.size} bytes, ${algorithm} ${hex}, found ${found}`,
      {
        verb: "load",
      },
    );
  }
  await Deno.mkdir(run, { recursive: true });
  await writeFileAtomically(join(run, FILES.checkpoint), bytes);
  await writeText(known, text);
  return run;
}

function parsed(text: string, reference: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FileError(reference, "expected an answer in JSON, found another", { cause, verb: "load" });
  }
}

function unreached(reference: string, endpoint: string, cause: Error): FileError {
  return new FileError(reference, `expected an answer of ${endpoint}, found none: ${cause.message}`, {
    cause,
    verb: "load",
  });
}
