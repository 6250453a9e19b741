import type { Backend, Want } from '../../backend/backend.ts';
import type { Config, SecretConfig } from '../../config/config.ts';
import type { Groups } from '../../lease/refresh-together.ts';
import type { ComputedByName, ComputedSecret } from '../../render/render.ts';

/** What one output needs: configured secrets by name, and those whose paths its templates computed. */
export interface OutputNeeds {
  readonly names: ReadonlySet<string>;
  readonly computed: ComputedByName;
}

/**
 * The named wants of all outputs, for `LeaseManager.reconcile`. A configured secret that no output needs is not among
 * them: fetching it might mint credentials that nothing uses.
 */
export function wantsOf(
  config: Config,
  backends: ReadonlyMap<string, Backend>,
  needs: Iterable<OutputNeeds>,
): ReadonlyMap<string, Want> {
  const wants = new Map<string, Want>();
  for (const { names, computed } of needs) {
    for (const name of names) {
      const secret = config.secrets.get(name);
      const backend = secret === undefined ? undefined : backends.get(secret.backend);
      if (secret !== undefined && backend !== undefined) wants.set(name, wantOf(secret, backend.identity));
    }
    for (const [name, secret] of computed) {
      const backend = backends.get(secret.backend);
      const before = wants.get(name);
      if (backend === undefined || (before !== undefined && before.refreshMs <= secret.refreshMs)) continue;
      wants.set(name, wantOfComputed(secret, backend.identity));
    }
  }
  return wants;
}

/** By secret: for each output that needs it, the names of all secrets of the output. They share one set per output. */
export function namesTogether(needs: Iterable<OutputNeeds>): Groups {
  const together = new Map<string, ReadonlySet<string>[]>();
  for (const { names, computed } of needs) {
    const group = computed.size === 0 ? names : new Set([...names, ...computed.keys()]);
    for (const name of group) {
      const groups = together.get(name);
      if (groups === undefined) together.set(name, [group]);
      else groups.push(group);
    }
  }
  return together;
}

function wantOf(secret: SecretConfig, identity: string): Want {
  return Object.freeze({
    id: wantId(identity, secret.request),
    backend: secret.backend,
    request: secret.request,
    place: secret.place,
    refreshMs: secret.refreshMs,
    optional: secret.optional,
    ...(secret.maxStaleMs === undefined ? {} : { maxStaleMs: secret.maxStaleMs }),
  });
}

/**
 * The want of a secret that no configuration names. Its id is not that of a configured secret with the same request:
 * the configured one keeps its value when the secret is gone, and has a refresh of its own.
 */
export function wantOfComputed(secret: ComputedSecret, identity: string): Want {
  const known = computedWants.get(secret);
  if (known?.identity === identity) return known.want;
  const want = makeWantOfComputed(secret, identity);
  computedWants.set(secret, { identity, want });
  return want;
}

/** Thousands of names may be asked for one by one, and each time all wants are gathered. */
const computedWants = new WeakMap<ComputedSecret, { readonly identity: string; readonly want: Want }>();

function makeWantOfComputed(secret: ComputedSecret, identity: string): Want {
  const { backend, request, place, refreshMs, keptWhenGone } = secret;
  const id = `${wantId(identity, request)}\n${keptWhenGone === true ? 'asked' : 'computed'}`;
  const gone = keptWhenGone === true ? {} : { absentWhenGone: true as const };
  return Object.freeze({ id, backend, request, place, refreshMs, optional: false, ...gone });
}

/**
 * Identity of a want: backend (address, namespace, login) and request, never the name. A renamed secret keeps its
 * lease, two names for one request share one. The upkeep in a request says how the value is kept good and not what it
 * is. Requests are plain data; the order of their keys does not count. The identity is the text itself and not its
 * hash: it never leaves memory, and hashing would load node:crypto at every start.
 */
export function wantId(identity: string, { upkeep: _, ...asked }: SecretConfig['request']): string {
  return `${identity}\n${canonical(asked)}`;
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join()}}`;
}
