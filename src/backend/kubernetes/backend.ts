import { fail } from '../../base/errors.ts';
import { URGENCY, urgencyOf } from '../../base/urgency.ts';
import { equalValues, type Fields } from '../../base/value.ts';
import type { Fetch, Fetched, Source, Want, Watching, WatchListener } from '../backend.ts';
import type { BackendContext } from '../context.ts';
import type { KubeClient } from './client/client.ts';
import { kindWord, type ObjectRef, pathOf } from './client/object-ref.ts';
import { NoObjectError } from './client/refusal.ts';
import type { KubernetesBackendConfig, KubernetesRequest } from './config/config.ts';
import { type KubeObject, readObject } from './source/fields.ts';
import { warnDenied } from './watch/denied.ts';
import { ObjectWatch, type Subscriber } from './watch/object-watch.ts';

export interface KubeSourceDeps extends Pick<BackendContext, 'clock' | 'random' | 'emit'> {
  readonly config: KubernetesBackendConfig;
  readonly client: KubeClient;
}

const LIFE = { kind: 'none' } as const;

/**
 * For so long after a watch has told of a change every poll asks the server. Objects that were changed together belong
 * together, and the watch of another one may be a moment behind.
 */
const TOGETHER_MS = 1_000;

/** A server sends a bookmark about each minute. A watch that is silent for longer may be that of one that hangs. */
const SILENT_MS = 90_000;

/** What the last read of a want brought. */
interface Read {
  /** The version of the object. */
  readonly version: string;
  /** When the request was sent. */
  readonly atMonoMs: number;
}

/** A want that is watched; `watch` is undefined until it is known which object that is. */
interface Watched {
  readonly subscriber: Subscriber;
  watch: ObjectWatch | undefined;
}

/**
 * Reads Secrets and ConfigMaps. An object that is watched is read when the server says that it has changed, and not at
 * `refresh`: a poll finds the answer in what the watch has told. Everything else asks the server: a first fetch, a
 * refresh that somebody asked for, and every poll while no watch is open.
 */
export class KubeSource implements Source, Disposable {
  readonly #deps: KubeSourceDeps;
  readonly #watched = new Map<string, Watched>();
  /** By the id of a want; none: its last read failed. */
  readonly #reads = new Map<string, Read>();
  /** By the fields of a value: the newest version of the object that has just these. */
  readonly #versionOf = new WeakMap<Fields, string>();
  readonly #watches = new Map<string, ObjectWatch>();
  readonly #stop = new AbortController();
  /** When a watch has told of a change for the last time. */
  #toldMonoMs = Number.NEGATIVE_INFINITY;

  constructor(deps: KubeSourceDeps) {
    this.#deps = deps;
  }

  async fetch(want: Want, last: Fetched | undefined, signal: AbortSignal): Promise<Fetch> {
    const { id, place } = want;
    const request = requestOf(want);
    if (last !== undefined && urgencyOf(signal) === URGENCY.poll) {
      const asOfMonoMs = this.#isCurrentAsOf(want, last);
      if (asOfMonoMs !== undefined) return { state: 'unchanged', life: LIFE, asOfMonoMs };
    }
    const { client, clock } = this.#deps;
    const object = await this.#objectOf(request, signal);
    const atMonoMs = clock.monoMs();
    let found: KubeObject;
    try {
      const { body } = await client.read(object, place, signal);
      found = readObject(body, object, request.keys, place);
    } catch (error) {
      this.#reads.delete(id); // what the watch tells next is news, whatever version it has
      throw last === undefined ? error : asDeleted(error, object, place);
    }
    const { version, fields } = found;
    this.#reads.set(id, { version, atMonoMs });
    // A change of labels or of other keys is a new version of the object, and no new value. The newest version counts:
    // an agent that starts now knows no other one, and the statements of both are to be equal.
    if (last !== undefined && equalValues(last.fields, fields)) {
      this.#versionOf.set(last.fields, version);
      return { state: 'unchanged', life: LIFE, version };
    }
    this.#versionOf.set(fields, version);
    return { state: 'changed', value: { fields, version, life: LIFE } };
  }

  /** Wants of one object share its watch. */
  watch(want: Want, listener: Pick<WatchListener, 'changed'>): Watching {
    const watched: Watched = {
      subscriber: {
        version: () => this.#reads.get(want.id)?.version,
        changed: () => {
          this.#toldMonoMs = this.#deps.clock.monoMs();
          listener.changed();
        },
      },
      watch: undefined,
    };
    this.#watched.set(want.id, watched);
    const stop = new AbortController();
    void this.#begin(want, watched, stop.signal);
    return {
      [Symbol.dispose]: () => {
        stop.abort();
        this.#reads.delete(want.id);
        if (this.#watched.get(want.id) === watched) this.#watched.delete(want.id);
        watched.watch?.remove(watched.subscriber);
        this.#endUnused();
      },
    };
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    for (const watch of this.#watches.values()) watch[Symbol.dispose]();
    this.#watches.clear();
    this.#watched.clear();
  }

  /** The namespace may stand in a file that is not there yet: then the object is polled, and the next start watches. */
  async #begin(want: Want, watched: Watched, signal: AbortSignal): Promise<void> {
    const { client, clock, random, emit } = this.#deps;
    const object = await this.#objectWhenKnown(want, signal);
    if (object === undefined || signal.aborted || this.#stop.signal.aborted) return;
    const key = pathOf(object);
    const denied = warnDenied(emit);
    const watch = this.#watches.get(key) ?? new ObjectWatch(object, want.place, { client, clock, random, denied });
    this.#watches.set(key, watch);
    watched.watch = watch;
    watch.add(watched.subscriber);
  }

  async #objectWhenKnown(want: Want, signal: AbortSignal): Promise<ObjectRef | undefined> {
    const { clock, random } = this.#deps;
    while (!signal.aborted && !this.#stop.signal.aborted) {
      try {
        return await this.#objectOf(requestOf(want), signal);
      } catch {
        // The fetch of the same want tells of the failure.
        await clock.sleep(WAIT_MS * (0.5 + random()), AbortSignal.any([signal, this.#stop.signal]));
      }
    }
    return undefined;
  }

  async #objectOf({ resource, object, namespace }: KubernetesRequest, signal: AbortSignal): Promise<ObjectRef> {
    const { client } = this.#deps;
    return { resource, name: object, namespace: namespace ?? (await client.connection(signal)).namespace };
  }

  /**
   * When the object was last known to have the version of this value, on the monotonic clock, if an open watch would
   * have told of another one. Undefined: the server is to be asked, also since it has been silent for so long.
   */
  #isCurrentAsOf({ id, refreshMs, maxStaleMs = Number.POSITIVE_INFINITY }: Want, last: Fetched): number | undefined {
    const nowMs = this.#deps.clock.monoMs();
    if (nowMs - this.#toldMonoMs < TOGETHER_MS) return undefined;
    const version = this.#versionOf.get(last.fields);
    const heardMs = version === undefined ? undefined : this.#watched.get(id)?.watch?.heardOf(version);
    if (heardMs === undefined) return undefined;
    const asOfMs = Math.max(heardMs, this.#reads.get(id)?.atMonoMs ?? heardMs);
    // Before the next poll the value must not be older than it may be.
    const limitMs = Math.min(SILENT_MS, (maxStaleMs - refreshMs) / 2);
    return nowMs - asOfMs < limitMs ? asOfMs : undefined;
  }

  #endUnused(): void {
    for (const [key, watch] of this.#watches) {
      if (watch.isUsed) continue;
      this.#watches.delete(key);
      watch[Symbol.dispose]();
    }
  }
}

/** How long is waited for a credential that cannot be read. */
const WAIT_MS = 10_000;

/** An object that is not there any more, in other words than one that never was. */
function asDeleted(error: unknown, object: ObjectRef, place: string): unknown {
  if (!(error instanceof NoObjectError)) return error;
  const { name, namespace } = object;
  const hint = 'Create it again, or remove the secret from the configuration.';
  return fail('SECRET_DELETED', place, `the ${kindWord(object)} ${name} in the namespace ${namespace} was deleted`, {
    hint,
  });
}

function requestOf({ request, place }: Want): KubernetesRequest {
  if (request.kind === 'kubernetes-object') return request as KubernetesRequest;
  throw fail('INTERNAL', place, `a Kubernetes backend got a request of kind ${request.kind}`);
}
