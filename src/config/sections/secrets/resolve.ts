import { parseDuration } from '../../../base/duration.ts';
import type { Shapes } from '../../check/shapes.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import { resolveEntry } from '../../load/resolve-entry.ts';
import { formatPlace } from '../../place.ts';
import type { Problems } from '../../problems/problems.ts';
import { OTHER_NAME } from '../../rules.ts';
import type { BackendConfig } from '../backends/config.ts';
import type { BackendKindConfig } from '../backends/kind.ts';
import type { SecretConfig } from './config.ts';

const REFRESH_MS = 5 * 60_000;

/** The backends that a secret may name. */
export interface KnownBackends {
  /** The names of all backends in the section, also of those with problems of their own. */
  readonly names: readonly string[];
  /** The backends without problems. */
  readonly resolved: ReadonlyMap<string, BackendConfig>;
  /** The name that was probably meant. */
  nearest(name: string): string | undefined;
}

type SecretShape = Shapes['secret'];

let stored: typeof import('./resolve-stored.ts') | undefined;

/** Loads what is needed to resolve `certificateFrom`. Awaited before a configuration with one is resolved. */
export async function loadStored(): Promise<void> {
  stored = await import('./resolve-stored.ts');
}

/** A hint that lists the configured backends, at most ten of them. Undefined when there are none. */
export function configuredHint(names: readonly string[]): string | undefined {
  return names.length === 0 ? undefined : `Configured: ${namesToShow(names)}.`;
}

/** At most ten names. One that is refused as a name is not shown: it may be a secret in a wrong place. */
export function namesToShow(names: readonly string[]): string {
  const shown = names.filter((name) => OTHER_NAME.pattern.test(name));
  return `${shown.slice(0, MAX_NAMES).join(', ')}${shown.length > MAX_NAMES ? ', …' : ''}`;
}

const MAX_NAMES = 10;

/** Resolves secrets one by one against the kinds of backends that there are. */
export class SecretResolver {
  readonly #known: KnownBackends;
  readonly #problems: Problems;
  /** The kind that each request key asks, in the order in which messages list the keys. */
  readonly #kindOfKey: ReadonlyMap<string, BackendKindConfig>;
  /** The request keys that each companion key may stand beside. */
  readonly #goesWith: ReadonlyMap<string, readonly string[]>;

  constructor(kinds: readonly BackendKindConfig[], known: KnownBackends, problems: Problems) {
    this.#known = known;
    this.#problems = problems;
    this.#kindOfKey = new Map(kinds.flatMap((kind) => kind.requestKeys.map((key) => [key, kind])));
    this.#goesWith = companionsOf(kinds);
  }

  /**
   * The configuration of one secret. Undefined when something is wrong with it; it was added to the problems.
   * @param raw what is resolved instead of the value at the entry's path.
   */
  resolve(name: string, entry: ConfigEntry, raw?: unknown): SecretConfig | undefined {
    const make = (shape: SecretShape, problems: Problems) => this.#resolveShape(name, shape, entry, problems);
    return resolveEntry('secret', entry, this.#problems, make, raw === undefined ? {} : { raw });
  }

  #resolveShape(name: string, shape: SecretShape, entry: ConfigEntry, problems: Problems): SecretConfig | undefined {
    const { path } = entry;
    const before = problems.count;
    const backend = this.#chooseBackend(shape, entry, problems);
    const key = this.#chooseKey(shape, entry, problems);
    if (key === undefined) return undefined;
    const config = this.#known.resolved.get(backend ?? '');
    if (config !== undefined) this.#checkKind(config, key, entry, problems);
    this.#checkCompanions(key, shape, entry, problems);
    const request = this.#kindOfKey.get(key)?.resolveRequest(shape as never, entry, problems, config);
    // Else what the entry asks for would be left out in silence, and the configuration be called valid.
    if (request === undefined && problems.count === before) throw new TypeError(`${key} was not loaded to be resolved`);
    const certificateFrom = shape.certificateFrom && stored?.resolveStored(shape.certificateFrom, key, entry, problems);
    if (request === undefined || backend === undefined || problems.count > before) return undefined;
    return {
      name,
      backend,
      place: formatPlace([...path, key]),
      optional: shape.optional ?? false,
      refreshMs: shape.refresh === undefined ? REFRESH_MS : (parseDuration(shape.refresh) as number),
      ...(shape.maxStale === undefined ? {} : { maxStaleMs: parseDuration(shape.maxStale) as number }),
      request: certificateFrom === undefined ? request : { ...request, certificateFrom },
    };
  }

  #chooseBackend({ backend }: SecretShape, { file, path }: ConfigEntry, problems: Problems): string | undefined {
    const { names, nearest } = this.#known;
    const place = [...path, 'backend'];
    if (backend === undefined) {
      if (names.length > 1) {
        const seen = `backend is absent, and there are several: ${namesToShow(names)}`;
        problems.add('CONFIG_MISSING', file, place, seen);
      }
      return names.length === 1 ? names[0] : undefined;
    }
    // A configuration without any backend is one problem, which `resolveConfig` adds.
    if (names.length === 0) return undefined;
    if (names.includes(backend)) return backend;
    const unknown = { what: 'backend', name: backend, near: nearest(backend) };
    problems.addUnknown('CONFIG_UNKNOWN_BACKEND', file, place, unknown, configuredHint(names));
    return undefined;
  }

  #chooseKey(shape: SecretShape, { file, path }: ConfigEntry, problems: Problems): string | undefined {
    const keys = [...this.#kindOfKey.keys()];
    const given = keys.filter((key) => shape[key] !== undefined);
    if (given.length === 0) {
      const seen = `the secret has no request; one of ${keys.join(', ')} is expected`;
      problems.add('CONFIG_MISSING', file, path, seen);
    } else if (given.length > 1) {
      const seen = `the secret has several requests: ${given.join(', ')}`;
      problems.add('CONFIG_INVALID', file, path, seen, 'Keep one of them.');
    }
    return given.length === 1 ? given[0] : undefined;
  }

  #checkKind({ name, kind }: BackendConfig, key: string, { file, path }: ConfigEntry, problems: Problems): void {
    const askedKind = this.#kindOfKey.get(key)?.kind;
    if (kind === askedKind) return;
    const fitting = [...this.#kindOfKey].filter(([, other]) => other.kind === kind).map(([one]) => one);
    const seen = `${key} asks a backend of kind ${askedKind}, and ${name} is of kind ${kind}`;
    const hint = `A backend of kind ${kind} takes ${fitting.join(', ')}.`;
    problems.add('CONFIG_INVALID', file, [...path, key], seen, hint);
  }

  #checkCompanions(requestKey: string, shape: SecretShape, { file, path }: ConfigEntry, problems: Problems): void {
    for (const [key, requestKeys] of this.#goesWith) {
      if (requestKeys.includes(requestKey) || shape[key] === undefined) continue;
      const seen = `${key} goes with ${requestKeys.join(', ')}, not with ${requestKey}`;
      problems.add('CONFIG_INVALID', file, [...path, key], seen, 'Remove it.');
    }
  }
}

function companionsOf(kinds: readonly BackendKindConfig[]): ReadonlyMap<string, readonly string[]> {
  const goesWith = new Map<string, readonly string[]>();
  for (const { companionKeys } of kinds) {
    for (const [key, requestKeys] of Object.entries(companionKeys)) {
      goesWith.set(key, [...(goesWith.get(key) ?? []), ...requestKeys]);
    }
  }
  return goesWith;
}
