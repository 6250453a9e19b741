import type { KnownTables } from '../../check/table.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import type { ConfigTree } from '../../load/source-file.ts';
import type { Problems } from '../../problems/problems.ts';
import type { ResolveContext } from '../../resolve-context.ts';
import type { Words } from '../../words/words.ts';
import type { SecretRequest } from '../secrets/config.ts';
import type { BackendConfig } from './config.ts';
import type { KindSchemas } from './kind-schemas.ts';
import type { PathRequests } from './path-requests.ts';

/**
 * What the configuration must know about one kind of backend. The configuration, its JSON Schema, the templates and the
 * environment of commands read it, and none of them mentions a kind by name.
 */
export interface BackendKindConfig {
  /** The value of `kind` in the section `backends`. */
  readonly kind: string;
  /**
   * The schemas of its keys. They are loaded by the build, and by a start whose configuration needs an explanation:
   * what imports zod is imported in here.
   */
  loadSchemas(): Promise<KindSchemas>;
  /** What `pannier explain` and the JSON Schema say about its keys. Absent: nothing. */
  loadWords?(): Promise<Words>;
  /**
   * For what few configurations have: loads what `resolve` needs. Awaited before a configuration with a backend
   * of this kind is resolved. Absent: nothing is loaded.
   * @param entries the backends of this kind, unchecked.
   * @returns the tables of its schemas, where `bringsTables` says so.
   */
  loadResolve?(entries: readonly ConfigTree[]): Promise<KnownTables | undefined>;
  /** Whether no start but those with such a backend has the tables of its schemas. Absent: every start has them. */
  readonly bringsTables?: true;
  /**
   * The runtime configuration of one backend. Undefined when something is wrong; it was added to `context.problems`.
   * @param shape the entry, which fits the schema of backends.
   */
  resolve(name: string, shape: never, entry: ConfigEntry, context: ResolveContext): BackendConfig | undefined;
  /** The keys by which a secret asks this kind. A key belongs to one kind only. */
  readonly requestKeys: readonly string[];
  /** The keys that say more about the request, each with the request keys that it may stand beside. */
  readonly companionKeys: Readonly<Record<string, readonly string[]>>;
  /**
   * The request of a secret that has one of `requestKeys`. Undefined when something is wrong; it was added to
   * `problems`.
   * @param shape the secret's entry, which fits the schemas of all keys.
   * @param backend the one that is asked, which may be of another kind; undefined when it has problems of its own.
   */
  resolveRequest(
    shape: never,
    entry: ConfigEntry,
    problems: Problems,
    backend: BackendConfig | undefined,
  ): SecretRequest | undefined;
  /**
   * By request key, for keys that few configurations have: loads what `resolveRequest` needs for it. Awaited before a
   * configuration with such a key is resolved.
   */
  readonly lateRequestKeys?: Readonly<Record<string, () => Promise<unknown>>>;
  /** Environment variables that hold credentials of this kind: no command that the agent starts inherits them. */
  readonly credentialVariables: readonly string[];
  /** Absent: templates cannot ask this kind by a path. */
  readonly pathRequests?: PathRequests;
  /** Whether `state.transit` can name such a backend. Absent: no. */
  readonly wrapsKeys?: true;
  /** Whether the section `proxy` can name such a backend. Absent: no. */
  readonly hasProxy?: true;
  /** Whether clients that speak AWS's protocol can read from such a backend by the names that they give. Absent: no. */
  readonly hasAwsProtocol?: true;
}

/** The kind of a configured backend. @throws TypeError when there is none, which the schema of backends rules out. */
export function kindOf<K extends BackendKindConfig>(kinds: readonly K[], { kind }: Pick<BackendConfig, 'kind'>): K {
  const found = kinds.find((candidate) => candidate.kind === kind);
  if (found === undefined) throw new TypeError(`there is no kind of backend named ${kind}`);
  return found;
}
