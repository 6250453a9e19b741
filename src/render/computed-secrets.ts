import { isNothingThere } from '../backend/nothing-there.ts';
import { loadCrypto } from '../base/node-crypto.ts';
import type { Value } from '../base/value.ts';
import { isApiPath } from '../config/api-path.ts';
import type { SecretEntry, Snapshot } from '../lease/snapshot.ts';
import type { ComputedSecret } from './render.ts';
import type { AskedValue } from './template/evaluate.ts';
import { placeIn, RenderFault } from './template/fault.ts';
import type { PathAsk } from './template/nodes.ts';

/** How often a secret by a computed path is polled where the template does not say it. */
const COMPUTED_REFRESH_MS = 300_000;

/** The most that one output may ask by computed paths; beyond it a template has run away. */
const MAX_ASKED = 1_000;

/** Names of private paths: the same for the same path while this process runs, and no help in guessing it. */
let nameKey: Uint8Array | undefined;

/** Answers the computed paths of one render from a snapshot, and keeps what was asked. */
export class ComputedSecrets {
  readonly computed = new Map<string, ComputedSecret>();
  /** Names without an answer yet. */
  readonly pending: string[] = [];
  readonly #snapshot: Snapshot;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  answerFor(place: string, origin: string): AskedValue {
    return (ask, path) => this.#answer(ask, path, placeIn(place, origin, ask.at));
  }

  #answer(ask: PathAsk, path: string, place: string): Value | 'pending' | 'none' {
    if (!isApiPath(path))
      throw new RenderFault('RENDER_BAD_ARGUMENT', `${ask.what} with a path that is none`, { at: ask.at });
    // The name of a folder in a list, which is no secret; a secret beside it has the same name without the slash.
    if (ask.what === 'secret' && path.endsWith('/')) return 'none';
    const name = nameOf(ask, path);
    const before = this.computed.get(name);
    if (before === undefined) {
      if (this.computed.size === MAX_ASKED) {
        const seen = `more than ${MAX_ASKED} secrets by computed paths`;
        throw new RenderFault('RENDER_BAD_ARGUMENT', seen, { at: ask.at, hint: 'List fewer, or in several outputs.' });
      }
      const { backend, refreshMs = COMPUTED_REFRESH_MS } = ask;
      this.computed.set(name, { backend, request: ask.requests[ask.what](path, !ask.isLiteral), refreshMs, place });
    } else if (ask.refreshMs !== undefined && ask.refreshMs < before.refreshMs) {
      this.computed.set(name, { ...before, refreshMs: ask.refreshMs });
    }
    const entry = this.#snapshot.get(name);
    if (entry === undefined || !isAnswer(entry)) {
      if (!this.pending.includes(name)) this.pending.push(name);
      return 'pending';
    }
    if (entry.state === 'absent') return 'none';
    const { fields } = entry.value;
    return ask.what === 'secrets' ? (fields.get('keys') ?? []) : fields;
  }
}

const isAnswer = (entry: SecretEntry): boolean => entry.state !== 'absent' || isNothingThere(entry.why);

/** Spaces keep it apart from every configured name. */
function nameOf({ what, backend, isLiteral }: PathAsk, path: string): string {
  if (isLiteral) return `${what} ${backend} ${path}`;
  const { createHmac, randomBytes } = loadCrypto();
  nameKey ??= randomBytes(32);
  const mark = createHmac('sha256', nameKey).update(path).digest('base64url').slice(0, 16);
  return `${what} ${backend} (computed ${mark})`;
}
