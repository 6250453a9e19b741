import { isNothingThere } from '../backend/nothing-there.ts';
import { loadCrypto } from '../base/node-crypto.ts';
import type { Value } from '../base/value.ts';
import { isApiPath } from '../config/api-path.ts';
import type { SecretEntry, Snapshot } from '../lease/snapshot.ts';
import type { ComputedSecret } from './render.ts';
import type { ComputedLookup } from './template/evaluate.ts';
import { placeIn, RenderFault } from './template/fault.ts';
import type { SecretCall } from './template/nodes.ts';

/** How often a computed secret is polled when the template gives no `refresh`. */
const COMPUTED_REFRESH_MS = 300_000;

/** Limits the computed secrets of one output, so that a faulty template cannot load a server without end. */
const MAX_COMPUTED = 1_000;

/**
 * The key of the hashes that stand for private paths in names. One path has one name while this process runs, and the
 * name does not help to guess the path.
 */
let nameKey: Uint8Array | undefined;

/** Looks up computed paths for one render of an output, and records which secrets the templates asked for. */
export class ComputedSecrets {
  /** Every secret that was asked for so far, by its name. */
  readonly computed = new Map<string, ComputedSecret>();
  /** Names of those that the snapshot has no answer for yet. */
  readonly pending: string[] = [];
  readonly #snapshot: Snapshot;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  /**
   * The lookup for one file.
   * @param place the file's configuration path.
   * @param origin what messages call its template.
   */
  lookupFor(place: string, origin: string): ComputedLookup {
    return (call, path) => this.#lookUp(call, path, placeIn(place, origin, call.at));
  }

  /** @throws RenderFault RENDER_BAD_ARGUMENT for a path that is not valid, and for too many secrets. */
  #lookUp(call: SecretCall, path: string, place: string): Value | 'pending' | 'none' {
    if (!isApiPath(path)) {
      const seen = `${call.what} got a path that is empty or has an empty part, a part . or .., or a NUL byte`;
      throw new RenderFault('RENDER_BAD_ARGUMENT', seen, { at: call.at });
    }
    // A list names a folder with a slash at the end; a secret beside the folder has the same name without the slash.
    if (call.what === 'secret' && path.endsWith('/')) return 'none';
    const name = nameOf(call, path);
    const known = this.computed.get(name);
    if (known === undefined) {
      if (this.computed.size === MAX_COMPUTED) {
        const seen = `the output asks for more than ${MAX_COMPUTED} secrets by computed paths`;
        const hint = 'List fewer secrets, or spread them over several outputs.';
        throw new RenderFault('RENDER_BAD_ARGUMENT', seen, { at: call.at, hint });
      }
      const { backend, refreshMs = COMPUTED_REFRESH_MS } = call;
      this.computed.set(name, { backend, request: call.requests[call.what](path, !call.isLiteral), refreshMs, place });
    } else if (call.refreshMs !== undefined && call.refreshMs < known.refreshMs) {
      this.computed.set(name, { ...known, refreshMs: call.refreshMs });
    }
    const entry = this.#snapshot.get(name);
    if (entry === undefined || !isAnswer(entry)) {
      if (!this.pending.includes(name)) this.pending.push(name);
      return 'pending';
    }
    if (entry.state === 'absent') return 'none';
    const { fields } = entry.value;
    return call.what === 'secrets' ? (fields.get('keys') ?? []) : fields;
  }
}

/** Other failures to fetch a computed secret are waited for. */
const isAnswer = (entry: SecretEntry): boolean => entry.state !== 'absent' || isNothingThere(entry.why);

/** A name for logs and status. It holds spaces, so no configured secret can have it. */
function nameOf({ what, backend, isLiteral }: SecretCall, path: string): string {
  if (isLiteral) return `${what} ${backend} ${path}`;
  const { createHmac, randomBytes } = loadCrypto();
  nameKey ??= randomBytes(32);
  const hash = createHmac('sha256', nameKey).update(path).digest('base64url').slice(0, 16);
  return `${what} ${backend} (computed ${hash})`;
}
