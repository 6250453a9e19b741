import { loadCrypto } from '../base/node-crypto.ts';
import { hashOfWant } from '../deliver/hash-of-want.ts';
import type { Made, MadeValue } from '../deliver/output-state.ts';
import { configIdentity } from './config-identity.ts';
import type { Observed } from './observed.ts';

/** What an output has published: from which versions, with which configuration, and by which Pannier. */
export interface Statement {
  readonly generation: number;
  /** Absent: an earlier process published it and left no note that counts. */
  readonly of?: {
    /** The identity of the configuration; absent: an agent without one. */
    readonly configuration?: string;
    /** Pannier's version. */
    readonly version: string;
    /** Equal for files of the same versions; leases, certificates and files of the machine do not count. */
    readonly sources: string;
    /** Absent: an earlier process published it that did not note when. */
    readonly atWallMs?: number;
    readonly secrets: readonly StatedSecret[];
    /** When the value that was confirmed least lately was last known good; absent: no secret is in the files. */
    readonly oldestWallMs?: number;
  };
  /** Whether the agent holds another value than the published one of some secret; absent where `of` is. */
  readonly isBehind?: boolean;
}

export interface StatedSecret {
  /** The name of a computed one has a space in it. */
  readonly name: string;
  readonly version: string;
  /** See `MadeValue.isOwn`. */
  readonly isOwn: boolean;
  /** When this version was last known to be the present one, as far as the agent still knows. */
  readonly fetchedWallMs: number;
  /** Whether it is the value that the agent holds; absent: the agent holds none yet, or none any more. */
  readonly isCurrent?: boolean;
}

export type StatementAgent = Pick<Observed, 'version'> & {
  readonly secrets: Pick<Observed['secrets'], 'entryOf' | 'wantIdOf'>;
  readonly outputs: Pick<Observed['outputs'], 'published'>;
};

/** Undefined: the output has published nothing, or it is not known yet. */
export function statementOf(output: string, agent: StatementAgent): Statement | undefined {
  const published = agent.outputs.published(output);
  if (published === undefined) return undefined;
  const { generation, made } = published;
  if (made === undefined) return { generation };
  const { by, atWallMs } = made;
  const secrets = [...made.values].map(([name, value]) => stated(name, value, agent));
  const oldestWallMs = secrets.reduce((oldest, one) => Math.min(oldest, one.fetchedWallMs), Number.POSITIVE_INFINITY);
  const configuration = typeof made.config === 'object' ? configIdentity(made.config) : made.config;
  return {
    generation,
    of: {
      ...(configuration === undefined ? {} : { configuration }),
      version: by ?? agent.version,
      sources: sourcesOf(made, secrets),
      ...(atWallMs === undefined ? {} : { atWallMs }),
      secrets,
      ...(secrets.length === 0 ? {} : { oldestWallMs }),
    },
    isBehind: secrets.some(({ isCurrent }) => isCurrent === false),
  };
}

function stated(name: string, made: MadeValue, agent: StatementAgent): StatedSecret {
  const { id, version, isOwn, fetchedWallMs, valueNumber } = made;
  const entry = agent.secrets.entryOf(name);
  if (entry === undefined || entry.state === 'absent') return { name, version, isOwn, fetchedWallMs };
  const { value, earlier } = entry;
  const isOfWant = isSameWant(id, agent.secrets.wantIdOf(name));
  const isSame = value.version === version || entry.valueNumber === valueNumber;
  const isCurrent = isSame && isOfWant;
  if (isCurrent) return { name, version: value.version, isOwn, fetchedWallMs: entry.fetchedWallMs, isCurrent };
  // The value was confirmed until another one came, also after the files were made of it.
  const known = isOfWant && earlier?.version === version ? earlier : undefined;
  return { name, version, isOwn, fetchedWallMs: known?.fetchedWallMs ?? fetchedWallMs, isCurrent };
}

const isSameWant = (id: string, now: string | undefined) => now !== undefined && (id === now || id === hashOfWant(now));

/** The versions of a generation are hashed once, as long as they have no other names. */
const known = new WeakMap<Made, string>();

function sourcesOf(made: Made, secrets: readonly StatedSecret[]): string {
  if (secrets.some(({ name, version }) => made.values.get(name)?.version !== version)) return hashOf(secrets);
  const sources = known.get(made) ?? hashOf(secrets);
  known.set(made, sources);
  return sources;
}

/** The name of a computed secret holds its path, so its version alone counts. */
function hashOf(secrets: readonly StatedSecret[]): string {
  const shared = secrets.filter(({ isOwn }) => !isOwn);
  const texts = shared.map(({ name, version }) => JSON.stringify(name.includes(' ') ? [version] : [name, version]));
  return loadCrypto().hash('sha256', texts.sort().join(), 'hex').slice(0, 16);
}
