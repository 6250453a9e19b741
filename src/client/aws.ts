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
import type { Clock } from '../base/clock.ts';
import type { Code } from '../base/codes.ts';
import { fail, type PannierError } from '../base/errors.ts';
import type { AwsBackendConfig, AwsRole } from '../config/config.ts';
import { type AwsCall, awsError, isClockCorrected } from './aws-error.ts';
import type { AwsHttp } from './aws-http.ts';

export type AwsSdk = typeof import('./aws-sdk.ts');

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
  /** @throws PannierError AUTH_NO_CREDENTIALS, AUTH_DENIED and others of a login. */
  keysFor(role: AwsRole): Promise<AwsKeys>;
  /** Grows with each other set of keys for the role. */
  generationOf(role: AwsRole): number;
  /** AWS refused keys of this generation: looks for others. True when there are some, so that trying again may help. */
  renewedSince(role: AwsRole, generation: number): Promise<boolean>;
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
  /** @throws PannierError with the codes of `aws-error.ts`, of the transport and of a login; CONFIG_MISSING without a region. */
  call<O extends AwsOperation>(
    operation: O,
    input: Operations[O][0],
    where: AwsWhere,
    signal: AbortSignal,
  ): Promise<Operations[O][1]>;
}

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
const REGION_DOWN: ReadonlySet<Code> = new Set([
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
  readonly #downUntilMs = new Map<string, number>();

  constructor(options: AwsClientOptions) {
    this.#options = options;
  }

  async call<O extends AwsOperation>(
    operation: O,
    input: Operations[O][0],
    where: AwsWhere,
    signal: AbortSignal,
  ): Promise<Operations[O][1]> {
    const sdk = await import('./aws-sdk.ts');
    let first: PannierError | undefined;
    for (const region of this.#inOrder(await regionsOf(this.#options.config, sdk))) {
      if (signal.aborted) throw fail('CANCELLED', where.place, 'the call was cancelled');
      try {
        return await this.#callIn(sdk, region, operation, input, where, signal);
      } catch (error) {
        const failed = error as PannierError;
        if (!REGION_DOWN.has(failed.failure.code)) throw failed;
        this.#downUntilMs.set(region, this.#options.clock.monoMs() + DOWN_MS);
        first ??= failed;
      }
    }
    throw first;
  }

  /** As configured, but those that failed a moment ago come last. */
  #inOrder(regions: readonly string[]): readonly string[] {
    const now = this.#options.clock.monoMs();
    const isDown = (region: string) => now < (this.#downUntilMs.get(region) ?? 0);
    return [...regions.filter((region) => !isDown(region)), ...regions.filter(isDown)];
  }

  async #callIn<O extends AwsOperation>(
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
      let generation = 0;
      try {
        await keys.keysFor(role);
        generation = keys.generationOf(role);
        return await (client as { send(...given: unknown[]): Promise<Operations[O][1]> }).send(command, {
          abortSignal: signal,
        });
      } catch (foreign) {
        const call: AwsCall = { operation: `${service} ${operation}`, region, place, nowMs: clock.wallMs() };
        const error = signal.aborted ? fail('CANCELLED', place, 'the call was cancelled') : this.#placed(foreign, call);
        if (tries > 1) throw error;
        if (isClockCorrected(foreign)) continue;
        if (!KEYS_REFUSED.has(error.failure.code) || !(await keys.renewedSince(role, generation))) throw error;
      }
    }
  }

  /** Keys that are refused are the backend's trouble, not that of one secret. */
  #placed(foreign: unknown, call: AwsCall): PannierError {
    const error = awsError(foreign, call);
    const { code, seen } = error.failure;
    return code.startsWith('AUTH_') ? fail(code, `backends.${this.#options.config.name}`, seen, error.failure) : error;
  }

  #clientFor(sdk: AwsSdk, service: Service, region: string, role: AwsRole): SecretsManagerClient | SSMClient {
    const key = JSON.stringify([service, region, role.roleArn, role.externalId]);
    const known = this.#clients.get(key);
    if (known !== undefined) return known;
    const { config, http, keys, version } = this.#options;
    const endpoint = config.endpoints[service === 'ssm' ? 'ssm' : 'secretsManager'];
    const settings = {
      ...clientSettings(http, endpoint, region),
      credentials: unkept(() => keys.keysFor(role)),
      customUserAgent: [['pannier', version]] as [string, string][],
    };
    const made = service === 'ssm' ? new sdk.SSMClient(settings) : new sdk.SecretsManagerClient(settings);
    this.#clients.set(key, made);
    return made;
  }
}

type Service = 'secretsmanager' | 'ssm';

const serviceOf = (operation: AwsOperation): Service =>
  operation.startsWith('GetParameter') ? 'ssm' : 'secretsmanager';

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
  try {
    const region = await new sdk.SecretsManagerClient({ profile: sources.profile, logger: SILENT }).config.region();
    return [region, ...failoverRegions];
  } catch {
    const hint = 'Add it, set AWS_REGION, or name it in the shared config file.';
    throw fail('CONFIG_MISSING', `backends.${name}.region`, 'absent', { hint });
  }
}
