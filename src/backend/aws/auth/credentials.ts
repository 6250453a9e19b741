import type { Clock } from '../../../base/clock.ts';
import type { Code } from '../../../base/codes.ts';
import { asFailure, type Failure, fail, failure, type PannierError } from '../../../base/errors.ts';
import type { Emit } from '../../../base/fact.ts';
import { onAbort } from '../../../base/on-abort.ts';
import { SingleFlight } from '../../../base/single-flight.ts';
import {
  type AwsKeyRing,
  type AwsKeys,
  type AwsSdk,
  clientSettings,
  REGION_DOWN,
  regionsOf,
  SILENT,
  unkept,
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

/** Whose keys: those of the chain, or of a role assumed with the keys of another. */
type Who = 'chain' | AwsRole;

interface Kept extends Omit<FoundKeys, 'link'> {
  readonly link: string;
  readonly generation: number;
  /** Others are fetched from then on. */
  readonly renewAtMs: number;
  /** State of the files the keys came from; empty when they came from none. */
  readonly stamp: string;
}

/** Others are fetched this long before the end, as the SDK does; of a short life the second half. */
const EARLY_MS = 300_000;

/** The file that keys without an end came from is there, and not whole. */
const IN_WRITING: ReadonlySet<Code> = new Set(['AUTH_CREDENTIAL_EMPTY', 'AUTH_CREDENTIAL_UNREADABLE'] satisfies Code[]);

/** How often files are looked at, and refused keys replaced. */
const LOOK_EVERY_MS = 1_000;

/**
 * The keys of one backend: of the chain, of its `roleArn`, and of the roles of single secrets, each kept until shortly
 * before its end. Keys of shared files have no end: they are read again when a file changes. The chain is walked again
 * when a file appears that comes before the link that gave the keys. When others cannot be had, those that still live
 * are used on. A caller that is cancelled leaves; what it waited for goes on for the others.
 */
export class AwsCredentials implements AwsKeyRing {
  readonly #options: AwsCredentialsOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #flights = new SingleFlight<string, AwsKeys>();
  readonly #shared = new SingleFlight<string, AwsKeys>();
  readonly #assume = new Map<string, () => Promise<AwsKeys>>();
  readonly #renewedMs = new Map<string, number>();
  /** When others could not be had, though those that are kept live on. */
  readonly #failedMs = new Map<string, number>();
  #asking: { readonly link: LinkName; readonly sinceMs: number } | undefined;
  #generations = 0;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #stamp = '';

  constructor(options: AwsCredentialsOptions) {
    this.#options = options;
  }

  keysFor(role: AwsRole, signal: AbortSignal): Promise<AwsKeys> {
    return this.#unlessAborted(this.#current(this.#whoIs(role)), signal);
  }

  generationOf(role: AwsRole): number {
    return this.#generationOf(this.#whoIs(role));
  }

  renewedSince(role: AwsRole, generation: number, signal: AbortSignal): Promise<boolean> {
    return this.#unlessAborted(this.#renewedSince(this.#whoIs(role), generation), signal);
  }

  /** Keys are looked for anew at the next call. */
  forget(): void {
    this.#kept.clear();
  }

  /** The link that has not answered for a second; undefined: none is waited for. */
  trouble(): Failure | undefined {
    const { config, clock } = this.#options;
    if (this.#asking === undefined || clock.monoMs() - this.#asking.sinceMs < LOOK_EVERY_MS) return undefined;
    // Not yet a reason to give up: a program may take its time.
    const seen = `${this.#asking.link}: no answer yet`;
    return failure('AUTH_SERVICE_DOWN', `backends.${config.name}`, seen, HANGING);
  }

  #generationOf(who: Who): number {
    return this.#kept.get(keyOf(who))?.generation ?? 0;
  }

  /**
   * Those that are kept are only replaced: one refusal of one secret must not end good keys, least of all other roles'.
   */
  async #renewedSince(who: Who, generation: number): Promise<boolean> {
    if (this.#generationOf(who) > generation) return true;
    const key = keyOf(who);
    const now = this.#options.clock.monoMs();
    if (now - (this.#renewedMs.get(key) ?? Number.NEGATIVE_INFINITY) < LOOK_EVERY_MS) return false;
    this.#renewedMs.set(key, now);
    const before = this.#kept.get(key)?.keys;
    const { accessKeyId, sessionToken } = await this.#flights.run(key, () => this.#fetch(who, key));
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

  /** The role of a secret, else the backend's, else the chain's own identity. */
  #whoIs(role: AwsRole): Who {
    const { roleArn, externalId } = this.#options.config;
    if (role.roleArn !== undefined) return role;
    return roleArn === undefined ? 'chain' : { roleArn, ...(externalId === undefined ? {} : { externalId }) };
  }

  async #current(who: Who): Promise<AwsKeys> {
    const key = keyOf(who);
    const kept = this.#kept.get(key);
    if (kept === undefined) return await this.#flights.run(key, () => this.#fetch(who, key));
    if (this.#isGood(kept)) return kept.keys;
    const { clock, emit } = this.#options;
    const { expiration } = kept.keys;
    if (expiration !== undefined && expiration.getTime() <= clock.wallMs()) {
      return await this.#flights.run(key, () => this.#fetch(who, key));
    }
    const failedMs = this.#failedMs.get(key);
    if (failedMs !== undefined && clock.monoMs() - failedMs < LOOK_EVERY_MS) return kept.keys;
    try {
      return await this.#flights.run(key, () => this.#fetch(who, key));
    } catch (error) {
      const why = asFailure(error, '');
      // Those without an end live on only while their file is being written or cannot be read.
      if (expiration === undefined && !IN_WRITING.has(why.code)) throw error;
      if (failedMs === undefined) emit({ kind: 'agent-warning', warning: why });
      this.#failedMs.set(key, clock.monoMs());
      return kept.keys;
    }
  }

  #isGood({ renewAtMs, stamp }: Kept): boolean {
    return this.#options.clock.wallMs() < renewAtMs && (stamp === '' || stamp === this.#stampNow());
  }

  async #fetch(who: Who, key: string): Promise<AwsKeys> {
    const { config, clock, emit } = this.#options;
    const sdk = await import('../client/sdk.ts');
    // Taken before the files are read: a change in between is seen at the next look.
    const stamp = this.#stampNow();
    const found =
      who === 'chain' ? await this.#ofChain(sdk, stamp) : { keys: await this.#ofRole(who, key, sdk), link: 'role' };
    const { expiration } = found.keys;
    const now = clock.wallMs();
    const lifeMs = expiration === undefined ? Number.POSITIVE_INFINITY : expiration.getTime() - now;
    this.#failedMs.delete(key);
    this.#kept.set(key, {
      ...found,
      generation: ++this.#generations,
      renewAtMs: now + Math.max(lifeMs - EARLY_MS, lifeMs / 2),
      // A file that appears may come before the link that keys are from.
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
    const asking = (link: LinkName) => {
      this.#asking = { link, sinceMs: clock.monoMs() };
    };
    const joined = (load: () => Promise<AwsKeys>) => this.#shared.run(stamp, load);
    try {
      return await this.#inRegions(sdk, (region) => findKeys({ config, sdk, http, region, clock, asking, joined }));
    } finally {
      this.#asking = undefined;
    }
  }

  /** A role of a secret is assumed with the backend's identity, so that a chain of roles has two links at most. */
  async #ofRole(role: AwsRole, key: string, sdk: AwsSdk): Promise<AwsKeys> {
    const { config } = this.#options;
    const isOwn = role.roleArn === config.roleArn && role.externalId === config.externalId;
    const master = isOwn ? 'chain' : this.#whoIs({});
    for (let tries = 1; ; tries++) {
      await this.#current(master);
      const generation = this.#generationOf(master);
      try {
        return await this.#inRegions(sdk, (region) => this.#assumeIn(region, role, key, master, sdk));
      } catch (error) {
        const { code } = asFailure(error, '');
        // The keys it was asked with are refused; a role that may not be assumed is SECRET_DENIED as yet.
        const isRefused = code === 'AUTH_EXPIRED' || code === 'AUTH_DENIED';
        if (tries === 1 && isRefused && (await this.#renewedSince(master, generation))) continue;
        throw asAwsLoginError(error as PannierError, `role ${role.roleArn}`);
      }
    }
  }

  async #assumeIn(region: string, role: AwsRole, key: string, master: Who, sdk: AwsSdk): Promise<AwsKeys> {
    const { config, http, clock } = this.#options;
    let assume = this.#assume.get(`${region} ${key}`);
    if (assume === undefined) {
      assume = sdk.fromTemporaryCredentials({
        masterCredentials: unkept(async () => this.#kept.get(keyOf(master))?.keys ?? (await this.#current(master))),
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

  /** STS of the regions in their order, as the services themselves. The failure of the first is the one told. */
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

const keyOf = (who: Who): string => (who === 'chain' ? who : `${who.roleArn} ${who.externalId ?? ''}`);
