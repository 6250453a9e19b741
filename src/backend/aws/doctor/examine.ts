import { fail } from '../../../base/errors.ts';
import type { Examination } from '../../../base/examination.ts';
import type { SecretRequest } from '../../../config/config.ts';
import { checkReach } from '../../../http/check-reach.ts';
import type { Examined } from '../../examined.ts';
import { fetchEach } from '../../fetch-each.ts';
import { createAwsBackend } from '../backend.ts';
import { type AwsService, regionsOf, SILENT } from '../client/client.ts';
import type { AwsBackendConfig } from '../config/config.ts';
import type { AwsOnDemandRequest } from '../config/request.ts';
import { openAwsClient } from '../open.ts';
import { askCallerIdentity } from './caller-identity.ts';

/** Examines Secrets Manager and Parameter Store of one account; see `Examiner`. A fetch there makes nothing new. */
export async function examine(backend: Examined<AwsBackendConfig>, examination: Examination): Promise<void> {
  const { config, secrets, context } = backend;
  const { clock, env, emit } = context;
  const place = `backends.${config.name}`;
  const { http: opened, keys, api } = openAwsClient(config, context);
  await using http = opened;
  let region = '';
  const hasRegion = await examination.run('region', `${place}.region`, async () => {
    const regions = await regionsOf(config, await import('../client/sdk.ts'));
    region = regions[0] ?? '';
    return regions.join(', then ');
  });
  const skip = (why: string) => {
    for (const { place: at } of secrets) examination.skip('secret', at, why);
  };
  if (!hasRegion) {
    for (const check of ['credential', 'name', 'connection', 'login']) examination.skip(check, place, 'no region');
    return skip('no region');
  }
  const hasKeys = await examination.run('credential', place, async (signal) => {
    const { sessionToken, expiration } = await keys.keysFor({}, signal);
    const until = expiration === undefined ? '' : `, good until ${expiration.toISOString()}`;
    return `found ${sessionToken === undefined ? 'lasting' : 'temporary'} keys${until}`;
  });
  let isReached = true;
  for (const service of servicesOf(backend)) {
    const address = await endpointOf(config, service, region);
    const tls = { skipVerify: false, ...(config.caFile === undefined ? {} : { caFile: config.caFile }) };
    isReached = (await checkReach(examination, { address, tls, env, place })) && isReached;
  }
  if (!hasKeys) {
    examination.skip('login', place, 'there are no keys');
    return skip('there are no keys');
  }
  const isKnown = await examination.run('login', place, async (signal) => {
    return await askCallerIdentity({ config, region, http, keys: await keys.keysFor({}, signal), clock }, signal);
  });
  if (!isReached || !isKnown) return skip(isKnown ? 'no connection' : 'AWS does not know these keys');
  const { source } = createAwsBackend(config, {
    api,
    clock,
    emit,
    random: context.random,
    trouble: () => undefined,
    close: async () => {},
  });
  await fetchEach(examination, source, { ...backend, secrets: secrets.filter((one) => !isOnDemand(one.request)) });
  for (const { place: at, request } of secrets) {
    if (!isOnDemand(request)) continue;
    const { roleArn } = request;
    if (roleArn === undefined) examination.skip('secret', at, 'clients name the secrets that are read on demand');
    else {
      await examination.run('role', `${at}.roleArns`, async (signal) => {
        await keys.keysFor({ roleArn }, signal);
        return `${roleArn} can be assumed`;
      });
    }
  }
}

const isOnDemand = (request: SecretRequest): request is AwsOnDemandRequest => request.kind === 'aws-on-demand';

/** The services that the secrets are in; Secrets Manager when there is no secret. */
function servicesOf({ secrets }: Examined): readonly AwsService[] {
  const services = new Set<AwsService>(
    secrets.flatMap(({ request }): AwsService[] => {
      if (!isOnDemand(request)) return [request.kind.startsWith('aws-parameter') ? 'ssm' : 'secretsmanager'];
      return [
        ...(request.secrets.length > 0 ? ['secretsmanager' as const] : []),
        ...(request.parameters.length > 0 ? ['ssm' as const] : []),
      ];
    }),
  );
  return services.size === 0 ? ['secretsmanager'] : [...services];
}

/** The configured endpoint, or the one that the SDK knows for the region. */
async function endpointOf({ name, endpoints }: AwsBackendConfig, service: AwsService, region: string): Promise<string> {
  const configured = endpoints[service === 'ssm' ? 'ssm' : 'secretsManager'];
  if (configured !== undefined) return configured.replaceAll('{region}', region);
  const sdk = await import('../client/sdk.ts');
  const settings = { region, logger: SILENT };
  const client = service === 'ssm' ? new sdk.SSMClient(settings) : new sdk.SecretsManagerClient(settings);
  const { url } = client.config.endpointProvider({ Region: region, UseDualStack: false, UseFIPS: false });
  if (url.protocol !== 'https:') throw fail('INTERNAL', `backends.${name}`, 'an endpoint without TLS');
  return url.origin;
}
