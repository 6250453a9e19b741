import { statSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import type { Emit } from '../base/fact.ts';
import { SingleFlight } from '../base/single-flight.ts';
import {
  type AwsKeyRing,
  type AwsKeys,
  type AwsSdk,
  clientSettings,
  regionsOf,
  SILENT,
  unkept,
} from '../client/aws.ts';
import { awsError } from '../client/aws-error.ts';
import type { AwsHttp } from '../client/aws-http.ts';
import type { AwsBackendConfig, AwsRole } from '../config/config.ts';
import { asLoginError, type Found, findKeys } from './aws-chain.ts';

export interface AwsCredentialsOptions {
  readonly config: AwsBackendConfig;
  readonly http: AwsHttp;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** Whose keys: those of the chain, or of a role assumed with the keys of another. */
type Who = 'chain' | AwsRole;

interface Kept extends Omit<Found, 'link'> {
  readonly link: string;
  readonly generation: number;
  /** Others are fetched from then on. */
  readonly renewAtMs: number;
  /** State of the files the keys came from; empty when they came from none. */
  readonly stamp: string;
}

/** Others are fetched this long before the end, as the SDK does; of a short life the second half. */
const EARLY_MS = 300_000;

/** How often files are looked at, and refused keys replaced. */
const LOOK_EVERY_MS = 1_000;

/**
 * The keys of one backend: of the chain, of its `roleArn`, and of the roles of single secrets, each kept until shortly
 * before its end. Keys of shared files have no end: they are read again when a file changes. When others cannot be had,
 * those that still live are used on.
 */
export class AwsCredentials implements AwsKeyRing {
  readonly #options: AwsCredentialsOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #flights = new SingleFlight<string, AwsKeys>();
  readonly #assume = new Map<string, () => Promise<AwsKeys>>();
  readonly #renewedMs = new Map<string, number>();
  #generations = 0;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #stamp = '';

  constructor(options: AwsCredentialsOptions) {
    this.#options = options;
  }

  keysFor(role: AwsRole): Promise<AwsKeys> {
    return this.#current(this.#whoIs(role));
  }

  generationOf(role: AwsRole): number {
    return this.#kept.get(keyOf(this.#whoIs(role)))?.generation ?? 0;
  }

  async renewedSince(role: AwsRole, generation: number): Promise<boolean> {
    if (this.generationOf(role) > generation) return true;
    const key = keyOf(this.#whoIs(role));
    const now = this.#options.clock.monoMs();
    if (now - (this.#renewedMs.get(key) ?? Number.NEGATIVE_INFINITY) < LOOK_EVERY_MS) return false;
    this.#renewedMs.set(key, now);
    const before = this.#kept.get(key)?.keys;
    this.#kept.clear(); // what a role was assumed with may be what expired
    const { accessKeyId, sessionToken } = await this.keysFor(role);
    return before?.accessKeyId !== accessKeyId || before.sessionToken !== sessionToken;
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
    if (kept !== undefined && this.#isGood(kept)) return kept.keys;
    try {
      return await this.#flights.run(key, () => this.#fetch(who, key));
    } catch (error) {
      const { expiration } = kept?.keys ?? {};
      if (kept !== undefined && expiration !== undefined && expiration.getTime() > this.#options.clock.wallMs())
        return kept.keys;
      throw error;
    }
  }

  #isGood({ renewAtMs, stamp }: Kept): boolean {
    return this.#options.clock.wallMs() < renewAtMs && (stamp === '' || stamp === this.#stampNow());
  }

  async #fetch(who: Who, key: string): Promise<AwsKeys> {
    const { config, clock, emit } = this.#options;
    const sdk = await import('../client/aws-sdk.ts');
    // Taken before the files are read: a change in between is seen at the next look.
    const stamp = this.#stampNow();
    const found =
      who === 'chain' ? await this.#ofChain(sdk) : { keys: await this.#ofRole(who, key, sdk), link: 'role' };
    const { expiration } = found.keys;
    const now = clock.wallMs();
    const lifeMs = expiration === undefined ? Number.POSITIVE_INFINITY : expiration.getTime() - now;
    this.#kept.set(key, {
      ...found,
      generation: ++this.#generations,
      renewAtMs: now + Math.max(lifeMs - EARLY_MS, lifeMs / 2),
      stamp: found.link === 'shared files' ? stamp : '',
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

  async #ofChain(sdk: AwsSdk): Promise<Found> {
    const { config, http, clock } = this.#options;
    const [region = ''] = await regionsOf(config, sdk);
    return await findKeys({ config, sdk, http, region, nowMs: clock.wallMs() });
  }

  /** A role of a secret is assumed with the backend's identity, so that a chain of roles has two links at most. */
  async #ofRole(role: AwsRole, key: string, sdk: AwsSdk): Promise<AwsKeys> {
    const { config, http, clock } = this.#options;
    const [region = ''] = await regionsOf(config, sdk);
    const isOwn = role.roleArn === config.roleArn && role.externalId === config.externalId;
    let assume = this.#assume.get(key);
    if (assume === undefined) {
      assume = sdk.fromTemporaryCredentials({
        masterCredentials: unkept(() => this.#current(isOwn ? 'chain' : this.#whoIs({}))),
        params: {
          RoleArn: role.roleArn as string,
          RoleSessionName: config.roleSessionName,
          ...(role.externalId === undefined ? {} : { ExternalId: role.externalId }),
        },
        clientConfig: clientSettings(http, config.endpoints.sts, region),
        logger: SILENT,
      });
      this.#assume.set(key, assume);
    }
    try {
      return await assume();
    } catch (error) {
      const place = `backends.${config.name}`;
      throw asLoginError(
        awsError(error, { operation: 'sts AssumeRole', region, place, nowMs: clock.wallMs() }),
        `role ${role.roleArn}`,
      );
    }
  }

  #stampNow(): string {
    const { config, clock } = this.#options;
    const now = clock.monoMs();
    if (now - this.#lookedMs < LOOK_EVERY_MS && this.#stamp !== '') return this.#stamp;
    this.#lookedMs = now;
    this.#stamp = [config.sources.credentialsFile, config.sources.configFile].map(stampOf).join(' ');
    return this.#stamp;
  }
}

const keyOf = (who: Who): string => (who === 'chain' ? who : `${who.roleArn} ${who.externalId ?? ''}`);

function stampOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? 'none' : `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeMs}`;
}
