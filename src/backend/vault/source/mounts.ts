import type { Clock } from '../../../base/clock.ts';
import { fail, PannierError } from '../../../base/errors.ts';
import { onAbort } from '../../../base/on-abort.ts';
import { SingleFlight } from '../../../base/single-flight.ts';
import { isList, lookUp, plainText } from '../../../base/value.ts';
import type { Authorized } from '../auth/authorized.ts';
import { type VaultCall, VaultStatusError } from '../client/client.ts';
import { malformed } from './answer.ts';
import { firstSegment } from './kv-path.ts';

export interface Mount {
  /** With one slash at its end: `secret/`. */
  readonly path: string;
  /** `kv` for both versions; `generic` is KV 1 by its old name. */
  readonly type: string;
  readonly version: 1 | 2;
  /** `guessed`: the server did not report the mount, and a read under a guess succeeded. */
  readonly source: 'reported' | 'guessed';
  readonly learntMonoMs: number;
}

/** The secret that asks for a mount: its place, and whether its path may be shown. */
export type AskedFor = Pick<VaultCall, 'place' | 'isPathPrivate'>;

/**
 * After a 404 the server is asked about a mount again when the last answer is older than this. A failed read is
 * repeated after 30 s at most, so a mount that was moved or upgraded is found within a minute.
 */
const DOUBT_AFTER_MS = 30_000;

/**
 * The mounts of a server and their types: GET sys/internal/ui/mounts/PATH, once per mount, also when many secrets start
 * at the same moment. Every token may ask about paths that it may read.
 * https://openbao.org/api-docs/system/internal-ui-mounts/#get-single-mount-details
 */
export class VaultMounts {
  readonly #vault: Authorized;
  readonly #clock: Clock;
  /**
   * Aborts when the backend closes. A request belongs to all callers that wait for it, so no caller's signal ends it.
   */
  readonly #stop: AbortSignal;
  readonly #known = new Map<string, Mount>();
  readonly #asking = new SingleFlight<string, Mount | 'refused'>();

  constructor(vault: Authorized, clock: Clock, stop: AbortSignal) {
    this.#vault = vault;
    this.#clock = clock;
    this.#stop = stop;
  }

  /**
   * The mount that `path` is in; `refused` when the server does not report it (an older server, a narrower policy, or
   * no such mount). Paths with the same first segment wait for one request, and then look for their mount among the
   * known ones; a path whose mount is still unknown makes its own request.
   */
  async find(path: string, about: AskedFor, signal: AbortSignal): Promise<Mount | 'refused'> {
    const segment = firstSegment(path);
    for (;;) {
      const known = this.#match(path);
      if (known !== undefined) return known;
      const joins = this.#asking.has(segment);
      const answer = this.#asking.run(segment, () => this.#ask(path, about));
      const found = await waitFor(answer, about.place, signal);
      if (!joins || found === 'refused') return found;
    }
  }

  /** Remembers a mount that a read under a guess has shown. */
  learn(path: string, type: string, version: 1 | 2): void {
    this.#known.set(path, { path, type, version, source: 'guessed', learntMonoMs: this.#clock.monoMs() });
  }

  /**
   * To be called when nothing was found in `mount`, which may have been moved or upgraded. Returns true when another
   * try is worth it: a newer answer about the mount is known, or the server will be asked again.
   * @param refused is the failed answer, which may itself say that the mount has another version.
   */
  doubt(mount: Mount, refused: unknown): boolean {
    const known = this.#known.get(mount.path);
    if (known !== mount) return true;
    if (!saysVersioned(refused) && this.#clock.monoMs() - mount.learntMonoMs < DOUBT_AFTER_MS) return false;
    this.#known.delete(mount.path);
    return true;
  }

  #match(path: string): Mount | undefined {
    for (const mount of this.#known.values()) if (`${path}/`.startsWith(mount.path)) return mount;
    return undefined;
  }

  async #ask(asked: string, { place, isPathPrivate }: AskedFor): Promise<Mount | 'refused'> {
    const path = `sys/internal/ui/mounts/${asked}`;
    const call = { method: 'GET', path, place, idempotent: true, isPathPrivate } as const;
    try {
      const { body } = await this.#vault.call(call, this.#stop);
      const path = plainText(lookUp(body, 'data', 'path'))?.replace(/\/*$/, '/');
      const type = plainText(lookUp(body, 'data', 'type'));
      if (path === undefined || type === undefined || !`${asked}/`.startsWith(path)) {
        throw malformed(place, 'the answer about the mount does not name it');
      }
      const version = plainText(lookUp(body, 'data', 'options', 'version')) === '2' ? 2 : 1;
      const mount: Mount = { path, type, version, source: 'reported', learntMonoMs: this.#clock.monoMs() };
      this.#known.set(path, mount);
      return mount;
    } catch (error) {
      if (error instanceof VaultStatusError && [400, 403, 404, 405].includes(error.status)) return 'refused';
      throw error;
    }
  }
}

/** Whether a 404 says that the engine is of version 2, whose paths have `data/` or `metadata/` in them. */
export function saysVersioned(refused: unknown): boolean {
  const warnings = refused instanceof VaultStatusError ? refused.body.get('warnings') : undefined;
  return isList(warnings) && warnings.some((warning) => /versioned k\/?v/i.test(plainText(warning) ?? ''));
}

/** Waits for a request that other callers share. Its failure gets the place of this caller. */
async function waitFor<T>(answer: Promise<T>, place: string, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const unlisten = onAbort(signal, () => reject(fail('CANCELLED', place, 'cancelled while asking for the mount')));
  try {
    return await Promise.race([answer, aborted]);
  } catch (error) {
    if (!(error instanceof PannierError) || error.failure.place === place) throw error;
    const { code, seen, hint, retry, retryAfterMs } = error.failure;
    throw fail(code, place, seen, { hint, retry, retryAfterMs });
  } finally {
    unlisten();
  }
}
