import type { Clock } from '../../base/clock.ts';
import { type Failure, fail } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import type { CircuitView } from '../../http/circuit.ts';
import type { Fetch, Fetched, Want } from '../backend.ts';
import type { AwsApi } from './client/client.ts';
import type { AwsBackendConfig } from './config/config.ts';
import type { AwsRequest } from './config/request.ts';
import type { AwsBackend, AwsReader } from './reader.ts';
import { createAwsParameter, createAwsParameters } from './source/parameter.ts';
import { createAwsPrefix } from './source/prefix.ts';
import { type AwsSourceDeps, createAwsSecret } from './source/secret.ts';
import { createAwsValues } from './source/values.ts';

export interface AwsBackendDeps {
  readonly api: AwsApi;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly random: () => number;
  /** Why there are no keys yet; undefined when there are, and while it is not known. */
  readonly trouble: () => Failure | undefined;
  /** How the endpoints do; undefined before the first request. */
  readonly circuit?: () => CircuitView | undefined;
  /** Ends all requests and closes the connections. */
  readonly close: () => Promise<void>;
}

/** Makes a backend of Secrets Manager and Parameter Store of one account and region. Its secrets have no leases. */
export function createAwsBackend(
  config: AwsBackendConfig,
  { api, clock, emit, random, trouble, circuit, close }: AwsBackendDeps,
): AwsBackend {
  const deps: AwsSourceDeps = { api, clock, values: createAwsValues(clock) };
  const secret = createAwsSecret(deps);
  const prefix = createAwsPrefix(deps, emit);
  const parameter = createAwsParameter(deps);
  const parameters = createAwsParameters(deps);

  const fetch = async (want: Want, last: Fetched | undefined, signal: AbortSignal): Promise<Fetch> => {
    const request = want.request as AwsRequest;
    switch (request.kind) {
      case 'aws-secret':
        return secret(want, request, last, signal);
      case 'aws-prefix':
        return prefix(want, request, last, signal);
      case 'aws-parameter':
        return parameter(want, request, last, signal);
      case 'aws-parameters':
        return parameters(want, request, last, signal);
      default:
        throw fail('INTERNAL', want.place, `an AWS backend got a request of kind ${want.request.kind}`);
    }
  };

  let reader: Promise<AwsReader> | undefined;
  const loadReader = async () => {
    const { createAwsReader } = await import('./source/as-stored.ts');
    return createAwsReader({ api, clock, random, place: `backends.${config.name}` });
  };

  return {
    name: config.name,
    where: whereOf(config),
    source: { fetch },
    identity: identityOf(config),
    trouble,
    ...(circuit === undefined ? {} : { circuit }),
    reader: () => (reader ??= loadReader()),
    [Symbol.asyncDispose]: close,
  };
}

/** The endpoint of the configuration, or the region whose endpoints the SDK knows. */
function whereOf({ endpoints, region = 'the region of the profile' }: AwsBackendConfig): string {
  return endpoints.secretsManager?.replaceAll('{region}', region) ?? `AWS in ${region}`;
}

/** Endpoints, region and AWS identity as one text, which holds no credential. */
function identityOf({ name: _, timeoutMs: __, requests: ___, sources, ...rest }: AwsBackendConfig): string {
  const { keys, webIdentity, container } = sources;
  const who = [keys?.accessKeyId, sources.profile, sources.credentialsFile, webIdentity?.roleArn, container?.uri];
  return JSON.stringify(['aws-secrets-manager', rest, who]);
}
