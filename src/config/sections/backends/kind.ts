import type * as z from 'zod/mini';
import type { ConfigEntry } from '../../load/entry.ts';
import type { Problems } from '../../problems/problems.ts';
import type { ResolveContext } from '../../resolve-context.ts';
import type { SecretRequest } from '../secrets/config.ts';
import type { BackendConfig } from './config.ts';
import type { PathRequests } from './path-requests.ts';

/** A key of a secret that goes with a request key and says more about the request. */
export interface CompanionKey {
  /** Optional in the schema. A key that several kinds have must be the same schema object in all of them. */
  readonly schema: z.core.$ZodType;
  /** The request keys that it goes with. */
  readonly goesWith: readonly string[];
}

/**
 * What the configuration must know about one kind of backend. The configuration, its JSON Schema, the templates and the
 * environment of commands read it, and none of them mentions a kind by name.
 */
export interface BackendKindConfig {
  /** The value of `kind` in the section `backends`. */
  readonly kind: string;
  /** The keys of a backend of this kind: a strict object whose `kind` is the literal above. */
  readonly schema: z.core.$ZodTypeDiscriminable & z.ZodMiniObject;
  /**
   * The runtime configuration of one backend. Undefined when something is wrong; it was added to `context.problems`.
   * @param shape the entry as `schema` parsed it.
   */
  resolve(name: string, shape: never, entry: ConfigEntry, context: ResolveContext): BackendConfig | undefined;
  /** The keys by which a secret asks this kind, each optional in its schema. A key belongs to one kind only. */
  readonly requestKeys: Readonly<Record<string, z.core.$ZodType>>;
  readonly companionKeys: Readonly<Record<string, CompanionKey>>;
  /**
   * The request of a secret that has one of `requestKeys`. Undefined when something is wrong; it was added to
   * `problems`.
   * @param shape the secret's entry as the schemas of all keys parsed it.
   */
  resolveRequest(shape: never, entry: ConfigEntry, problems: Problems): SecretRequest | undefined;
  /** Environment variables that hold credentials of this kind: no command that the agent starts inherits them. */
  readonly credentialVariables: readonly string[];
  /** Absent: templates cannot ask this kind by a path. */
  readonly pathRequests?: PathRequests;
  /** Whether the section `proxy` can name such a backend. Absent: no. */
  readonly hasProxy?: true;
}

/** The kind of a configured backend. @throws TypeError when there is none, which the schema of backends rules out. */
export function kindOf<K extends BackendKindConfig>(kinds: readonly K[], { kind }: Pick<BackendConfig, 'kind'>): K {
  const found = kinds.find((candidate) => candidate.kind === kind);
  if (found === undefined) throw new TypeError(`there is no kind of backend named ${kind}`);
  return found;
}
