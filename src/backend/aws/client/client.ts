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
import { checkAnswer } from './check-answer.ts';
import { type AwsCall, awsError, awsErrorAt, isClockCorrected } from './error.ts';
import type { AwsHttp } from './http.ts';

export type AwsSdk = typeof import('./sdk.ts');

/** Keys to sign requests with. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Absent: the keys have no end. */
  readonly expiration?: Date;
}

/** Where keys come from; `auth/credentials.ts` implements it. */
export interface AwsKeyProvider {
  /** @throws PannierError AUTH_NO_CREDENTIALS, AUTH_DENIED and others of a login; CANCELLED. */
  keysFor(role: AwsRole, signal: AbortSignal): Promise<AwsKeys>;
  /** Grows by one or more with each new set of keys for the role. */
  generationOf(role: AwsRole): number;
  /** To be called when AWS refused keys of `generation`: looks for new ones. True when there are, so try again. */
  renewedSince(role: AwsRole, generation: number, signal: AbortSignal): Promise<boolean>;
}

/** The operations that are used, with their inputs and outputs. */
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
   * Runs a whole fetch in one region: a list of one region is never read in another. When the configured region is
   * down, `work` runs again from its beginning in the next region. When the other regions fail too, the failure of the
   * configured region is thrown: a replica may lack a secret that the configured region has.
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
  /** This is not the configured region: a secret that it lacks may exist in the configured one. */
  readonly isFallback: boolean;
  /**
   * Turns an ARN of the configured region into the ARN of the replica in this region, which differs in the region only.
   * Names and ARNs of other regions are returned as they are.
   */
  localArn(id: string): string;
  /** Turns an ARN of this region into the one of the configured region. */
  homeArn(arn: string): string;
  /** @throws PannierError with the codes of `error.ts`, of the transport and of a login. */
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
  readonly keys: AwsKeyProvider;
  readonly clock: Clock;
  /** Pannier's version, for the User-Agent header. */
  readonly version: string;
}

/** A logger for the SDK that drops everything: facts report each call, and a message of the SDK may hold an answer. */
export const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** Failures of a region after which another region is worth a try. */
export const REGION_DOWN: ReadonlySet<Code> = new Set([
  'BACKEND_UNREACHABLE',
  'BACKEND_TIMEOUT',
  'BACKEND_TLS',
  'BACKEND_UNAVAILABLE',
] satisfies Code[]);

/** A region that failed is asked last for this long. */
const DOWN_MS = 30_000;

/** Failures after which new keys are worth a try. */
const KEYS_REFUSED: ReadonlySet<Code> = new Set(['AUTH_EXPIRED', 'AUTH_DENIED'] satisfies Code[]);

/**
 * Makes a client of Secrets Manager and Parameter Store over the SDK, which signs, finds endpoints and speaks the
 * protocol.
 *
 * A request is sent once; the lease manager decides about further tries. It is sent again at once in two cases: the
 * clock was wrong, and the SDK has corrected it by the answer; or the keys were refused, and there are new ones. The
 * SDK's adaptive mode slows sending down while AWS throttles.
 */
export function createAwsClient(options: AwsClientOptions): AwsApi {
  return new SdkClient(options);
}

class SdkClient implements AwsApi {
  readonly #options: AwsClientOptions;
  readonly #clients = new Map<string, SecretsManagerClient | SSMClient>();
  readonly #regions = new Map<string, AwsRegion>();
  readonly #downUntilMs = new Map<string, number>();
  /** By role: the keys that the next request is signed with. */
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
    // Keys come first: a failure to get them is not a failure of a region.
    await keys.keysFor(where.role, signal);
    const [home = ''] = regions;
    let homeError: unknown;
    // Parameter Store has no replicas.
    for (const name of service === 'ssm' ? [home] : this.#inOrder(regions)) {
      try {
        return await work(this.#regionOf(sdk, name, home));
      } catch (error) {
        const { code } = asFailure(error, where.place);
        if (code === 'CANCELLED' || code.startsWith('AUTH_')) throw error;
        if (name !== home) continue;
        if (!REGION_DOWN.has(code) || !this.#isDown(name)) throw error;
        homeError = error;
      }
    }
    throw homeError;
  }

  /** The configured order, but regions that failed a moment ago come last. */
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
      localArn: (id) => withRegion(id, home, name),
      homeArn: (arn) => withRegion(arn, name, home),
      call: async (operation, input, where, signal) => {
        const answer = await this.#call(sdk, name, operation, input, where, signal);
        checkAnswer(answer, operation, where.place);
        return answer;
      },
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
    // Client and command are of one service; the types of the SDK cannot express that for all operations.
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

  /** A refusal of keys gets the place of the backend, since it is not about one secret. */
  #placed(foreign: unknown, call: AwsCall): PannierError {
    const error = awsError(foreign, call);
    const isOfKeys = error.failure.code.startsWith('AUTH_');
    return isOfKeys ? awsErrorAt(error, `backends.${this.#options.config.name}`) : error;
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
      credentials: uncached(async () => this.#signing.get(signer) as AwsKeys),
      customUserAgent: [['pannier', version]] as [string, string][],
    };
    const made = service === 'ssm' ? new sdk.SSMClient(settings) : new sdk.SecretsManagerClient(settings);
    this.#clients.set(key, made);
    return made;
  }
}

const signerOf = ({ roleArn, externalId }: AwsRole): string => JSON.stringify([roleArn, externalId]);

/** The secret, parameter or path that a call asks for, in the words of the configuration; undefined for a batch. */
function askedOf(input: object): string | undefined {
  const { SecretId, Name, Path, SecretIdList, Names } = input as Readonly<Record<string, unknown>>;
  const [only, ...more] = [SecretIdList, Names].find(Array.isArray) ?? [SecretId ?? Name ?? Path];
  return typeof only === 'string' && more.length === 0 ? only : undefined;
}

const serviceOf = (operation: AwsOperation): AwsService =>
  operation.startsWith('GetParameter') ? 'ssm' : 'secretsmanager';

/**
 * Replaces the region of a secret's ARN. The ARN of a replica differs in nothing else:
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets.html
 */
function withRegion(arn: string, from: string, to: string): string {
  return arn.replace(/^(arn:[^:]+:secretsmanager:)([^:]*)(?=:)/, (all, head: string, region: string) =>
    region === from ? head + to : all,
  );
}

/** Settings for every client of the SDK, also for those of its credential providers. */
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

/**
 * Marks a provider so that the SDK calls it for each request; otherwise it would cache keys without an end for ever.
 */
export function uncached(provide: () => Promise<AwsKeys>): () => Promise<AwsKeys> {
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
    const hint = 'Add region, set AWS_REGION, or write the region in the shared config file.';
    throw fail('CONFIG_MISSING', `backends.${name}.region`, 'absent', { hint });
  }
  // The region becomes part of a host name.
  if (!/^[a-z0-9-]+$/.test(region)) {
    throw fail('CONFIG_INVALID', `backends.${name}.region`, 'the region in the shared config file is not valid');
  }
  const regions = [region, ...failoverRegions];
  named.set(config, regions);
  return regions;
}

/** Regions whose first one came from the shared config file, which is read once per configuration. */
const named = new WeakMap<AwsBackendConfig, readonly string[]>();
