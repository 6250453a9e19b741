import type {
  BatchGetSecretValueRequest,
  BatchGetSecretValueResponse,
  DescribeSecretRequest,
  DescribeSecretResponse,
  GetSecretValueRequest,
  GetSecretValueResponse,
  ListSecretsRequest,
  ListSecretsResponse,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type {
  GetParameterRequest,
  GetParameterResult,
  GetParametersByPathRequest,
  GetParametersByPathResult,
  GetParametersRequest,
  GetParametersResult,
  SSMClient,
} from '@aws-sdk/client-ssm';
import type { Clock } from '../../../base/clock.ts';
import type { Code } from '../../../base/codes.ts';
import { asFailure, fail, type PannierError } from '../../../base/errors.ts';
import type { AwsBackendConfig } from '../config/config.ts';
import type { AwsRole } from '../config/request.ts';
import { type AwsCall, awsError, isClockCorrected } from './error.ts';
import type { AwsHttp } from './http.ts';

export type AwsSdk = typeof import('./sdk.ts');

/** Keys to sign requests with. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Absent: they do not expire by themselves. */
  readonly expiration?: Date;
}

/** Where keys come from; `auth/aws-credentials.ts` is the one that does it. */
export interface AwsKeyRing {
  /** @throws PannierError AUTH_NO_CREDENTIALS, AUTH_DENIED and others of a login; CANCELLED. */
  keysFor(role: AwsRole, signal: AbortSignal): Promise<AwsKeys>;
  /** Grows with each other set of keys for the role. */
  generationOf(role: AwsRole): number;
  /** AWS refused keys of this generation: looks for others. True when there are some, so that trying again may help. */
  renewedSince(role: AwsRole, generation: number, signal: AbortSignal): Promise<boolean>;
}

/** The operations that are used, with what goes in and what comes out. */
interface Operations {
  DescribeSecret: [DescribeSecretRequest, DescribeSecretResponse];
  GetSecretValue: [GetSecretValueRequest, GetSecretValueResponse];
  BatchGetSecretValue: [BatchGetSecretValueRequest, BatchGetSecretValueResponse];
  ListSecrets: [ListSecretsRequest, ListSecretsResponse];
  GetParameter: [GetParameterRequest, GetParameterResult];
  GetParameters: [GetParametersRequest, GetParametersResult];
  GetParametersByPath: [GetParametersByPathRequest, GetParametersByPathResult];
}
export type AwsOperation = keyof Operations;

export interface AwsWhere {
  /** Configuration path, for errors. */
  readonly place: string;
  readonly role: AwsRole;
}

/** AWS as the sources see it. */
export interface AwsApi {
  /**
   * Runs a whole fetch in one region: what one region listed is never read in another. When the configured one is down,
   * `work` is run again from its beginning in the next. A failure in another region says nothing, since a replica may
   * lack what is there: what the configured region ended with is told then.
   * @throws PannierError of `work`, and of a login; CONFIG_MISSING without a region.
   */
  inOneRegion<T>(
    service: AwsService,
    where: AwsWhere,
    signal: AbortSignal,
    work: (region: AwsRegion) => Promise<T>,
  ): Promise<T>;
}

/** One region, the same object for all fetches. */
export interface AwsRegion {
  readonly name: string;
  /** Not the configured one: what it lacks may be there all the same. */
  readonly isFallback: boolean;
  /** An ARN of the configured region as it is of this one: replicas differ in nothing else. Others stay as they are. */
  localArn(id: string): string;
  /** The other way round. */
  homeArn(arn: string): string;
  /** @throws PannierError with the codes of `aws-error.ts`, of the transport and of a login. */
  call<O extends AwsOperation>(
    operation: O,
    input: Operations[O][0],
    where: AwsWhere,
    signal: AbortSignal,
  ): Promise<Operations[O][1]>;
}

export type AwsService = 'secretsmanager' | 'ssm';

export interface AwsClientOptions {
  readonly config: AwsBackendConfig;
  readonly http: AwsHttp;
  readonly keys: AwsKeyRing;
  readonly clock: Clock;
  /** Ours, for the User-Agent header. */
  readonly version: string;
}

/** What the SDK says goes nowhere: it is told by our own facts, and its words may hold what was answered. */
export const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** Another region may do better. */
export const REGION_DOWN: ReadonlySet<Code> = new Set([
  'BACKEND_UNREACHABLE',
  'BACKEND_TIMEOUT',
  'BACKEND_TLS',
  'BACKEND_UNAVAILABLE',
] satisfies Code[]);

/** A region that failed is asked last for this long. */
const DOWN_MS = 30_000;

/** The keys may be old ones. */
const KEYS_REFUSED: ReadonlySet<Code> = new Set(['AUTH_EXPIRED', 'AUTH_DENIED'] satisfies Code[]);

/**
 * Secrets Manager and Parameter Store over the SDK, which signs, finds endpoints and speaks the protocol. It sends each
 * request once: when to try again is the lease manager's business, with two exceptions that lose no time. After a wrong
 * clock, which the SDK corrects by what the answer says, and after keys that were refused when there are others by now.
 * Its adaptive mode slows the sending down while AWS throttles.
 */
export function createAwsClient(options: AwsClientOptions): AwsApi {
  return new SdkClient(options);
}

class SdkClient implements AwsApi {
  readonly #options: AwsClientOptions;
  readonly #clients = new Map<string, SecretsManagerClient | SSMClient>();
  readonly #regions = new Map<string, AwsRegion>();
  readonly #downUntilMs = new Map<string, number>();
  /** What the next request of a role is signed with. */
  readonly #signing = new Map<string, AwsKeys>();

  constructor(options: AwsClientOptions) {
    this.#options = options;
  }

  async inOneRegion<T>(
    service: AwsService,
    where: AwsWhere,
    signal: AbortSignal,
    work: (region: AwsRegion) => Promise<T>,
  ): Promise<T> {
    const { config, keys } = this.#options;
    const sdk = await import('./sdk.ts');
    const regions = await regionsOf(config, sdk);
    // First of all: that there are no keys is not the fault of a region.
    await keys.keysFor(where.role, signal);
    const [home = ''] = regions;
    let ofHome: unknown;
    // Parameter Store has no replicas.
    for (const name of service === 'ssm' ? [home] : this.#inOrder(regions)) {
      try {
        return await work(this.#regionOf(sdk, name, home));
      } catch (error) {
        const { code } = asFailure(error, where.place);
        if (code === 'CANCELLED' || code.startsWith('AUTH_')) throw error;
        if (name !== home) continue;
        if (!REGION_DOWN.has(code) || !this.#isDown(name)) throw error;
        ofHome = error;
      }
    }
    throw ofHome;
  }

  /** As configured, but those that failed a moment ago come last. */
  #inOrder(regions: readonly string[]): readonly string[] {
    return [...regions.filter((region) => !this.#isDown(region)), ...regions.filter((region) => this.#isDown(region))];
  }

  #isDown(region: string): boolean {
    return this.#options.clock.monoMs() < (this.#downUntilMs.get(region) ?? Number.NEGATIVE_INFINITY);
  }

  #regionOf(sdk: AwsSdk, name: string, home: string): AwsRegion {
    const known = this.#regions.get(name);
    if (known !== undefined) return known;
    const made: AwsRegion = {
      name,
      isFallback: name !== home,
      localArn: (id) => moved(id, home, name),
      homeArn: (arn) => moved(arn, name, home),
      call: (operation, input, where, signal) => this.#call(sdk, name, operation, input, where, signal),
    };
    this.#regions.set(name, made);
    return made;
  }

  async #call<O extends AwsOperation>(
    sdk: AwsSdk,
    region: string,
    operation: O,
    input: Operations[O][0],
    { place, role }: AwsWhere,
    signal: AbortSignal,
  ): Promise<Operations[O][1]> {
    const { keys, clock } = this.#options;
    const service = serviceOf(operation);
    const client = this.#clientFor(sdk, service, region, role);
    // The client is the one of the command's service; that they fit is beyond the types.
    const command = new (sdk[`${operation}Command`] as new (input: object) => object)(input);
    for (let tries = 1; ; tries++) {
      this.#signing.set(signerOf(role), await keys.keysFor(role, signal));
      const generation = keys.generationOf(role);
      try {
        return await (client as { send(...given: unknown[]): Promise<Operations[O][1]> }).send(command, {
          abortSignal: signal,
        });
      } catch (foreign) {
        const nowMs = clock.wallMs();
        const call: AwsCall = { operation: `${service} ${operation}`, of: askedOf(input), region, place, nowMs };
        const error = signal.aborted ? fail('CANCELLED', place, 'the call was cancelled') : this.#placed(foreign, call);
        if (REGION_DOWN.has(error.failure.code)) this.#downUntilMs.set(region, clock.monoMs() + DOWN_MS);
        if (tries > 1) throw error;
        if (isClockCorrected(foreign)) continue;
        if (!KEYS_REFUSED.has(error.failure.code) || !(await keys.renewedSince(role, generation, signal))) throw error;
      }
    }
  }

  /** Keys that are refused are the backend's trouble, not that of one secret. */
  #placed(foreign: unknown, call: AwsCall): PannierError {
    const error = awsError(foreign, call);
    const { code, seen } = error.failure;
    return code.startsWith('AUTH_') ? fail(code, `backends.${this.#options.config.name}`, seen, error.failure) : error;
  }

  #clientFor(sdk: AwsSdk, service: AwsService, region: string, role: AwsRole): SecretsManagerClient | SSMClient {
    const signer = signerOf(role);
    const key = `${service} ${region} ${signer}`;
    const known = this.#clients.get(key);
    if (known !== undefined) return known;
    const { config, http, version } = this.#options;
    const endpoint = config.endpoints[service === 'ssm' ? 'ssm' : 'secretsManager'];
    const settings = {
      ...clientSettings(http, endpoint, region),
      credentials: unkept(async () => this.#signing.get(signer) as AwsKeys),
      customUserAgent: [['pannier', version]] as [string, string][],
    };
    const made = service === 'ssm' ? new sdk.SSMClient(settings) : new sdk.SecretsManagerClient(settings);
    this.#clients.set(key, made);
    return made;
  }
}

const signerOf = ({ roleArn, externalId }: AwsRole): string => JSON.stringify([roleArn, externalId]);

/** What a call asks for, as the configuration names it. A batch of several is about none of them. */
function askedOf(input: object): string | undefined {
  const { SecretId, Name, Path, SecretIdList, Names } = input as Readonly<Record<string, unknown>>;
  const [only, ...more] = [SecretIdList, Names].find(Array.isArray) ?? [SecretId ?? Name ?? Path];
  return typeof only === 'string' && more.length === 0 ? only : undefined;
}

const serviceOf = (operation: AwsOperation): AwsService =>
  operation.startsWith('GetParameter') ? 'ssm' : 'secretsmanager';

/**
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets.html: the ARN is the same but for the
 * region.
 */
function moved(arn: string, from: string, to: string): string {
  return arn.replace(/^(arn:[^:]+:secretsmanager:)([^:]*)(?=:)/, (all, head: string, region: string) =>
    region === from ? head + to : all,
  );
}

/** What every client of the SDK is made with, those of its credential providers too. */
export function clientSettings(http: AwsHttp, endpoint: string | undefined, region: string) {
  return {
    region,
    requestHandler: http,
    maxAttempts: 1,
    retryMode: 'adaptive',
    logger: SILENT,
    ...(endpoint === undefined ? {} : { endpoint: endpoint.replaceAll('{region}', region) }),
  };
}

/** A provider whose answers the SDK asks for each time: it would keep keys without an end for ever. */
export function unkept(provide: () => Promise<AwsKeys>): () => Promise<AwsKeys> {
  return Object.assign(provide, { memoized: true });
}

/** The regions to ask, the configured one first. @throws PannierError CONFIG_MISSING when nothing names one. */
export async function regionsOf(config: AwsBackendConfig, sdk: AwsSdk): Promise<readonly string[]> {
  const { failoverRegions, name, sources } = config;
  if (config.region !== undefined) return [config.region, ...failoverRegions];
  const known = named.get(config);
  if (known !== undefined) return known;
  let region: string;
  try {
    region = await new sdk.SecretsManagerClient({ profile: sources.profile, logger: SILENT }).config.region();
  } catch {
    const hint = 'Add it, set AWS_REGION, or name it in the shared config file.';
    throw fail('CONFIG_MISSING', `backends.${name}.region`, 'absent', { hint });
  }
  // It becomes part of a host name.
  if (!/^[a-z0-9-]+$/.test(region)) {
    throw fail('CONFIG_INVALID', `backends.${name}.region`, 'that of the shared config file is no region');
  }
  const regions = [region, ...failoverRegions];
  named.set(config, regions);
  return regions;
}

/** What the shared config file said. */
const named = new WeakMap<AwsBackendConfig, readonly string[]>();
