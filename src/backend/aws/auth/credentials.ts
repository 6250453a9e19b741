import type { Clock } from '../../../base/clock.ts';
import type { Code } from '../../../base/codes.ts';
import { asFailure, type Failure, fail, failure, type PannierError } from '../../../base/errors.ts';
import type { Emit } from '../../../base/fact.ts';
import { onAbort } from '../../../base/on-abort.ts';
import { SingleFlight } from '../../../base/single-flight.ts';
import {
  type AwsKeyProvider,
  type AwsKeys,
  type AwsSdk,
  clientSettings,
  REGION_DOWN,
  regionsOf,
  SILENT,
  uncached,
} from '../client/client.ts';
import { awsError } from '../client/error.ts';
import type { AwsHttp } from '../client/http.ts';
import type { AwsBackendConfig } from '../config/config.ts';
import type { AwsRole } from '../config/request.ts';
import { asAwsLoginError, type FoundKeys, findKeys, HANGING, type LinkName } from './chain.ts';
import { sharedFilesStamp } from './shared-files.ts';

export interface AwsCredentialsOptions {
  readonly config: AwsBackendConfig;
  readonly http: AwsHttp;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** The identity that keys belong to: the one that the chain finds, or a role that is assumed with other keys. */
type Identity = 'chain' | AwsRole;

interface CachedKeys extends Omit<FoundKeys, 'link'> {
  readonly link: string;
  readonly generation: number;
  /** From then on, on the wall clock, the next call fetches new keys. */
  readonly renewAtMs: number;
  /** The stamp of the shared files when the keys were fetched; empty when no change of these files matters. */
  readonly stamp: string;
}

/** New keys are fetched this long before the old ones end, as the SDK does, but at most half of their life before. */
const EARLY_MS = 300_000;

/** Codes for a credential file that exists and is incomplete or unreadable, as while it is being written. */
const IN_WRITING: ReadonlySet<Code> = new Set(['AUTH_CREDENTIAL_EMPTY', 'AUTH_CREDENTIAL_UNREADABLE'] satisfies Code[]);

/** The shared files are looked at at most once in this time, and refused keys are replaced at most that often. */
const LOOK_EVERY_MS = 1_000;

/**
 * The keys of one backend: those of the chain, of its `roleArn`, and of the roles of single secrets. Each set is cached
 * until shortly before its end.
 *
 * Keys from shared files have no end: they are fetched again when a file changes. The chain is also walked again when a
 * file appears whose link comes before the one that gave the keys. When new keys cannot be fetched, keys that have not
 * ended stay in use. A cancelled caller stops waiting; the fetch goes on for the other callers.
 */
export class AwsCredentials implements AwsKeyProvider {
  readonly #options: AwsCredentialsOptions;
  readonly #cache = new Map<string, CachedKeys>();
  readonly #flights = new SingleFlight<string, AwsKeys>();
  readonly #shared = new SingleFlight<string, AwsKeys>();
  readonly #assume = new Map<string, () => Promise<AwsKeys>>();
  readonly #renewedMs = new Map<string, number>();
  /** When the last fetch failed while the cached keys stayed in use. */
  readonly #failedMs = new Map<string, number>();
  #asking: { readonly link: LinkName; readonly sinceMs: number } | undefined;
  #generations = 0;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #stamp = '';

  constructor(options: AwsCredentialsOptions) {
    this.#options = options;
  }

  keysFor(role: AwsRole, signal: AbortSignal): Promise<AwsKeys> {
    return this.#unlessAborted(this.#current(this.#identityOf(role)), signal);
  }

  generationOf(role: AwsRole): number {
    return this.#generationOf(this.#identityOf(role));
  }

  renewedSince(role: AwsRole, generation: number, signal: AbortSignal): Promise<boolean> {
    return this.#unlessAborted(this.#renewedSince(this.#identityOf(role), generation), signal);
  }

  /** Empties the cache: the next call fetches keys. */
  forget(): void {
    this.#cache.clear();
  }

  /** Names the link of the chain that has not answered for a second; undefined when there is none. */
  trouble(): Failure | undefined {
    const { config, clock } = this.#options;
    if (this.#asking === undefined || clock.monoMs() - this.#asking.sinceMs < LOOK_EVERY_MS) return undefined;
    // This is no failure yet: a credential_process may take longer than that.
    const seen = `${this.#asking.link}: no answer yet`;
    return failure('AUTH_SERVICE_DOWN', `backends.${config.name}`, seen, HANGING);
  }

  #generationOf(identity: Identity): number {
    return this.#cache.get(keyOf(identity))?.generation ?? 0;
  }

  /**
   * The cached keys stay in the cache until new ones replace them: the refusal of one secret must not drop good keys.
   */
  async #renewedSince(identity: Identity, generation: number): Promise<boolean> {
    if (this.#generationOf(identity) > generation) return true;
    const key = keyOf(identity);
    const now = this.#options.clock.monoMs();
    if (now - (this.#renewedMs.get(key) ?? Number.NEGATIVE_INFINITY) < LOOK_EVERY_MS) return false;
    this.#renewedMs.set(key, now);
    const before = this.#cache.get(key)?.keys;
    const { accessKeyId, sessionToken } = await this.#flights.run(key, () => this.#fetch(identity, key));
    return before?.accessKeyId !== accessKeyId || before.sessionToken !== sessionToken;
  }

  async #unlessAborted<T>(running: Promise<T>, signal: AbortSignal): Promise<T> {
    let cancel = () => {};
    const aborted = new Promise<never>((_, reject) => {
      const cancelled = () =>
        reject(fail('CANCELLED', `backends.${this.#options.config.name}`, 'the call was cancelled'));
      cancel = onAbort(signal, cancelled);
    });
    return await Promise.race([running, aborted]).finally(() => cancel());
  }

  /** The role of the secret, or else of the backend, or else the identity of the chain. */
  #identityOf(role: AwsRole): Identity {
    const { roleArn, externalId } = this.#options.config;
    if (role.roleArn !== undefined) return role;
    return roleArn === undefined ? 'chain' : { roleArn, ...(externalId === undefined ? {} : { externalId }) };
  }

  async #current(identity: Identity): Promise<AwsKeys> {
    const key = keyOf(identity);
    const kept = this.#cache.get(key);
    if (kept === undefined) return await this.#flights.run(key, () => this.#fetch(identity, key));
    if (this.#isGood(kept)) return kept.keys;
    const { clock, emit } = this.#options;
    const { expiration } = kept.keys;
    if (expiration !== undefined && expiration.getTime() <= clock.wallMs()) {
      return await this.#flights.run(key, () => this.#fetch(identity, key));
    }
    const failedMs = this.#failedMs.get(key);
    if (failedMs !== undefined && clock.monoMs() - failedMs < LOOK_EVERY_MS) return kept.keys;
    try {
      return await this.#flights.run(key, () => this.#fetch(identity, key));
    } catch (error) {
      const why = asFailure(error, '');
      // Keys without an end stay in use only while their file is being written or cannot be read.
      if (expiration === undefined && !IN_WRITING.has(why.code)) throw error;
      if (failedMs === undefined) emit({ kind: 'agent-warning', warning: why });
      this.#failedMs.set(key, clock.monoMs());
      return kept.keys;
    }
  }

  #isGood({ renewAtMs, stamp }: CachedKeys): boolean {
    return this.#options.clock.wallMs() < renewAtMs && (stamp === '' || stamp === this.#stampNow());
  }

  async #fetch(identity: Identity, key: string): Promise<AwsKeys> {
    const { config, clock, emit } = this.#options;
    const sdk = await import('../client/sdk.ts');
    // The stamp is taken before the files are read, so a change in between is seen at the next look.
    const stamp = this.#stampNow();
    const found =
      identity === 'chain'
        ? await this.#ofChain(sdk, stamp)
        : { keys: await this.#ofRole(identity, key, sdk), link: 'role' };
    const { expiration } = found.keys;
    const now = clock.wallMs();
    const lifeMs = expiration === undefined ? Number.POSITIVE_INFINITY : expiration.getTime() - now;
    this.#failedMs.delete(key);
    this.#cache.set(key, {
      ...found,
      generation: ++this.#generations,
      renewAtMs: now + Math.max(lifeMs - EARLY_MS, lifeMs / 2),
      // A file that appears later may come before a link such as the container, so the stamp counts for these too.
      stamp: found.link === 'role' || found.link === 'environment' ? '' : stamp,
    });
    emit({
      kind: 'login-made',
      backend: config.name,
      method: found.link,
      ttlMs: expiration === undefined ? 'forever' : Math.max(0, lifeMs),
      renewable: false,
      login: this.#generations,
    });
    return found.keys;
  }

  async #ofChain(sdk: AwsSdk, stamp: string): Promise<FoundKeys> {
    const { config, http, clock } = this.#options;
    const onAsk = (link: LinkName) => {
      this.#asking = { link, sinceMs: clock.monoMs() };
    };
    const shareLoad = (load: () => Promise<AwsKeys>) => this.#shared.run(stamp, load);
    try {
      return await this.#inRegions(sdk, (region) => findKeys({ config, sdk, http, region, clock, onAsk, shareLoad }));
    } finally {
      this.#asking = undefined;
    }
  }

  /** Assumes the role of a secret with the identity of the backend, so that at most two roles follow each other. */
  async #ofRole(role: AwsRole, key: string, sdk: AwsSdk): Promise<AwsKeys> {
    const { config } = this.#options;
    const isOwn = role.roleArn === config.roleArn && role.externalId === config.externalId;
    const master = isOwn ? 'chain' : this.#identityOf({});
    for (let tries = 1; ; tries++) {
      await this.#current(master);
      const generation = this.#generationOf(master);
      try {
        return await this.#inRegions(sdk, (region) => this.#assumeIn(region, role, key, master, sdk));
      } catch (error) {
        const { code } = asFailure(error, '');
        // These codes say that STS refused the keys. A role that may not be assumed has the code SECRET_DENIED here.
        const isRefused = code === 'AUTH_EXPIRED' || code === 'AUTH_DENIED';
        if (tries === 1 && isRefused && (await this.#renewedSince(master, generation))) continue;
        throw asAwsLoginError(error as PannierError, `role ${role.roleArn}`);
      }
    }
  }

  async #assumeIn(region: string, role: AwsRole, key: string, master: Identity, sdk: AwsSdk): Promise<AwsKeys> {
    const { config, http, clock } = this.#options;
    let assume = this.#assume.get(`${region} ${key}`);
    if (assume === undefined) {
      assume = sdk.fromTemporaryCredentials({
        masterCredentials: uncached(async () => this.#cache.get(keyOf(master))?.keys ?? (await this.#current(master))),
        params: {
          RoleArn: role.roleArn as string,
          RoleSessionName: config.roleSessionName,
          ...(role.externalId === undefined ? {} : { ExternalId: role.externalId }),
        },
        clientConfig: clientSettings(http, config.endpoints.sts, region),
        logger: SILENT,
      });
      this.#assume.set(`${region} ${key}`, assume);
    }
    try {
      return await assume();
    } catch (error) {
      const place = `backends.${config.name}`;
      throw awsError(error, { operation: 'sts AssumeRole', region, place, nowMs: clock.wallMs() });
    }
  }

  /** Asks STS in one region after another, as the secrets themselves are asked. Throws the failure of the first one. */
  async #inRegions<T>(sdk: AwsSdk, ask: (region: string) => Promise<T>): Promise<T> {
    let first: unknown;
    for (const region of await regionsOf(this.#options.config, sdk)) {
      try {
        return await ask(region);
      } catch (error) {
        if (!REGION_DOWN.has(asFailure(error, '').code)) throw error;
        first ??= error;
      }
    }
    throw first;
  }

  #stampNow(): string {
    const { config, clock } = this.#options;
    const now = clock.monoMs();
    if (now - this.#lookedMs < LOOK_EVERY_MS && this.#stamp !== '') return this.#stamp;
    this.#lookedMs = now;
    this.#stamp = sharedFilesStamp(config.sources);
    return this.#stamp;
  }
}

const keyOf = (identity: Identity): string =>
  identity === 'chain' ? identity : `${identity.roleArn} ${identity.externalId ?? ''}`;
