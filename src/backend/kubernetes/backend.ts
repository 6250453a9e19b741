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
  /** By the id of a want: the version of the object that its last read brought. None: that read failed. */
  readonly #versions = new Map<string, string>();
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
    if (last !== undefined && urgencyOf(signal) === URGENCY.poll && this.#isCurrent(id, last)) {
      return { state: 'unchanged', life: LIFE };
    }
    const { client } = this.#deps;
    const object = await this.#objectOf(request, signal);
    let found: KubeObject;
    try {
      const { body } = await client.read(object, place, signal);
      found = readObject(body, object, request.keys, place);
    } catch (error) {
      this.#versions.delete(id); // what the watch tells next is news, whatever version it has
      throw last === undefined ? error : asDeleted(error, object, place);
    }
    const { version, fields } = found;
    this.#versions.set(id, version);
    // A change of labels or of other keys is a new version of the object, and no new value.
    if (last !== undefined && equalValues(last.fields, fields)) {
      this.#versionOf.set(last.fields, version);
      return { state: 'unchanged', life: LIFE };
    }
    this.#versionOf.set(fields, version);
    return { state: 'changed', value: { fields, version, life: LIFE } };
  }

  /** Wants of one object share its watch. */
  watch(want: Want, listener: Pick<WatchListener, 'changed'>): Watching {
    const watched: Watched = {
      subscriber: {
        version: () => this.#versions.get(want.id),
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
        this.#versions.delete(want.id);
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

  /** Whether the object still has the version of this value, as far as an open watch has told. */
  #isCurrent(id: string, last: Fetched): boolean {
    if (this.#deps.clock.monoMs() - this.#toldMonoMs < TOGETHER_MS) return false;
    const version = this.#versionOf.get(last.fields);
    return version !== undefined && this.#watched.get(id)?.watch?.isCurrent(version) === true;
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
