import type { Stats } from 'node:fs';
import type { Clock } from '../../base/clock.ts';
import { asFailure, fail, failure } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import { fileStamp } from '../../base/file-stamp.ts';
import { FileWatch } from '../../base/file-watch.ts';
import { onAbort } from '../../base/on-abort.ts';
import { SingleFlight } from '../../base/single-flight.ts';
import { equalValues, type Fields } from '../../base/value.ts';
import type { Backend, Fetch, Fetched, Source, Want, WatchListener } from '../backend.ts';
import type { FileBackendConfig, FileRequest } from './config.ts';
import { type FileReading, readAndParse, readKey } from './read.ts';

export interface FileBackendDeps {
  readonly emit: Emit;
  readonly clock: Clock;
}

/**
 * Makes a backend whose secrets are files: for development, for volumes that Kubernetes mounts, and for tests. It has
 * no server, no login and no lease; `watch` reports changes at once.
 *
 * `path` is a file of secrets (`*.yaml`, `*.yml`, `*.json`, `*.env`, `.env*`) or a folder.
 * - In a YAML or JSON file each top-level name is a secret: a map gives its fields, anything else the one field
 *   `value`.
 * - In a dotenv file each variable is a secret with the one field `value`.
 * - In a folder the key `shop` is the folder `shop` with a file per field (exact bytes), or the file `shop.yaml`,
 *   `.yml`, `.json` or `.env` whose names are the fields, or the file `shop`, which gives the one field `value`. Keys
 *   may have `/`, but no part that begins with `..`; names that begin with `..` are the kubelet's and are left out.
 * - The key `.` is everything in one secret: the names of the file, or the files of the folder.
 */
export function createFileBackend(config: FileBackendConfig, deps: FileBackendDeps): Backend {
  const source = new FileSource(config, deps);
  return {
    name: config.name,
    where: config.path,
    source,
    identity: `file:${config.path}`,
    [Symbol.asyncDispose]: () => source.close(),
  };
}

/**
 * A parsed file is cached for this long, so that wants that are fetched together parse it once. The time is short since
 * a source keeps no values.
 */
const FORGET_MS = 250;

class FileSource implements Source {
  readonly #config: FileBackendConfig;
  readonly #deps: FileBackendDeps;
  readonly #flights = new SingleFlight<string, Fields>();
  readonly #parsed = new Map<string, { readonly stamp: string; readonly fields: Fields; forget: () => void }>();
  readonly #watchers = new Set<() => void>();
  readonly #closing = new Set<Promise<void>>();
  #watch: FileWatch | undefined;
  #changes = 0;

  constructor(config: FileBackendConfig, deps: FileBackendDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  async fetch({ request, place }: Want, last: Fetched | undefined, signal: AbortSignal): Promise<Fetch> {
    if (request.kind !== 'file') throw fail('INTERNAL', place, `a file backend got a request of kind ${request.kind}`);
    const { key } = request as FileRequest;
    const reading = await this.#cancellable(key, place, signal);
    const life = { kind: 'none' } as const;
    if (last !== undefined && equalValues(last.fields, reading.fields)) return { state: 'unchanged', life };
    // The count makes two changes within one millisecond two versions.
    const version = `${new Date(reading.changedMs).toISOString()}-${++this.#changes}`;
    return { state: 'changed', value: { fields: reading.fields, version, life } };
  }

  /** One watch of the path serves all wants: every change calls all of them, and each fetch finds what changed. */
  watch(_want: Want, listener: Pick<WatchListener, 'changed'>): Disposable {
    const own = () => listener.changed();
    this.#watchers.add(own);
    if (this.#watchers.size === 1) this.#startWatch();
    return {
      [Symbol.dispose]: () => {
        this.#watchers.delete(own);
        if (this.#watchers.size === 0) this.#stopWatch();
      },
    };
  }

  async close(): Promise<void> {
    this.#watchers.clear();
    this.#stopWatch();
    for (const { forget } of this.#parsed.values()) forget();
    while (this.#closing.size > 0) await Promise.all(this.#closing);
  }

  /** Rejects when `signal` aborts, also while a file system hangs (NFS, FUSE). */
  #cancellable(key: string, place: string, signal: AbortSignal): Promise<FileReading> {
    return new Promise((resolve, reject) => {
      const cancel = onAbort(signal, () => reject(fail('CANCELLED', place, 'the read was cancelled')));
      if (signal.aborted) return;
      this.#read(key, place).then(resolve, reject).finally(cancel);
    });
  }

  async #read(key: string, place: string): Promise<FileReading> {
    const { path, name } = this.#config;
    const { clock, emit } = this.#deps;
    const startedMs = clock.monoMs();
    try {
      return await readKey(path, key, (file, stats, at) => this.#parse(file, stats, at), place);
    } catch (error) {
      const failed = asFailure(error, place);
      const durationMs = clock.monoMs() - startedMs;
      if (failed.code === 'BACKEND_FILE') {
        emit({ kind: 'backend-failed', backend: name, call: `READ ${path}`, failure: failed, durationMs });
      }
      throw error;
    }
  }

  #parse(path: string, stats: Stats, place: string): Promise<Fields> {
    const stamp = fileStamp(stats);
    const known = this.#parsed.get(path);
    if (known?.stamp === stamp) return Promise.resolve(known.fields);
    return this.#flights.run(`${path} ${stamp}`, async () => {
      const fields = await readAndParse(path, place);
      this.#remember(path, stamp, fields);
      return fields;
    });
  }

  #remember(path: string, stamp: string, fields: Fields): void {
    this.#parsed.get(path)?.forget();
    const cancel = this.#deps.clock.after(FORGET_MS, () => forget());
    const forget = () => {
      cancel();
      if (this.#parsed.get(path)?.stamp === stamp) this.#parsed.delete(path);
    };
    this.#parsed.set(path, { stamp, fields, forget });
  }

  #startWatch(): void {
    const { path, name } = this.#config;
    this.#watch ??= new FileWatch({
      path,
      clock: this.#deps.clock,
      changed: () => {
        for (const changed of [...this.#watchers]) changed();
      },
      lost: (code) => {
        const hint =
          'The path is polled at refresh instead; see the limits fs.inotify.max_user_watches and max_user_instances.';
        const seen = `${path} cannot be watched (${code})`;
        const warning = failure('BACKEND_FILE', `backends.${name}.path`, seen, { hint });
        this.#deps.emit({ kind: 'agent-warning', warning });
      },
    });
  }

  #stopWatch(): void {
    const watch = this.#watch;
    this.#watch = undefined;
    if (watch !== undefined) this.#track(Promise.resolve(watch[Symbol.asyncDispose]()));
  }

  /** `close` waits for `work`. */
  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#closing.delete(tracked));
    this.#closing.add(tracked);
  }
}
