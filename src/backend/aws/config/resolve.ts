import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { parseDuration } from '../../../base/duration.ts';
import { isHeaderText, isHeaderToken } from '../../../base/header-text.ts';
import { Secret } from '../../../base/secret.ts';
import { parseAddress } from '../../../config/address.ts';
import type { Environment } from '../../../config/environment.ts';
import type { ConfigEntry } from '../../../config/load/entry.ts';
import type { ResolveContext } from '../../../config/resolve-context.ts';
import { resolveRequests } from '../../../config/sections/backends/resolve-requests.ts';
import type { AwsBackendConfig, AwsCredentialSources } from './config.ts';
import type { AwsShape } from './schema.ts';

const TIMEOUT_MS = 10_000;

/** The services that are asked, with the end of the variable that overrides the endpoint: `AWS_ENDPOINT_URL_SSM`. */
const SERVICES = { secretsManager: 'SECRETS_MANAGER', ssm: 'SSM', sts: 'STS' } as const;

/**
 * Resolves a backend of kind `aws-secrets-manager`. The variables are those of every AWS SDK
 * (https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html). A region that neither configuration nor
 * variables name is read from the shared config file when the backend is first used.
 */
export function resolveAws(
  name: string,
  shape: AwsShape,
  entry: ConfigEntry,
  context: ResolveContext,
): AwsBackendConfig | undefined {
  const { env, problems } = context;
  const { file, path } = entry;
  if (shape.externalId !== undefined && shape.roleArn === undefined) {
    problems.add('CONFIG_MISSING', file, [...path, 'roleArn'], 'absent, but externalId needs it');
    return undefined;
  }
  const endpoints = resolveEndpoints(shape, entry, context);
  const sources = credentialSources(shape.profile, entry, context);
  if (endpoints === undefined || sources === undefined) return undefined;
  const region = shape.region ?? (env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] || undefined);
  if (region !== undefined && !/^[a-z0-9-]+$/.test(region)) {
    problems.add(
      'CONFIG_INVALID',
      file,
      [...path, 'region'],
      `AWS_REGION or AWS_DEFAULT_REGION holds ${JSON.stringify(region)}, which is not the name of a region`,
    );
    return undefined;
  }
  const caFile =
    shape.tls?.caFile === undefined ? inherited('AWS_CA_BUNDLE', context) : resolve(file.dir, shape.tls.caFile);
  return {
    kind: 'aws-secrets-manager',
    name,
    ...(region === undefined ? {} : { region }),
    failoverRegions: shape.failoverRegions ?? [],
    endpoints,
    ...(shape.roleArn === undefined ? {} : { roleArn: shape.roleArn }),
    ...(shape.externalId === undefined ? {} : { externalId: shape.externalId }),
    roleSessionName: shape.roleSessionName ?? 'pannier',
    ...(caFile === undefined ? {} : { caFile }),
    timeoutMs: shape.timeout === undefined ? TIMEOUT_MS : (parseDuration(shape.timeout) as number),
    sources,
    ...resolveRequests(shape.requests, entry, problems),
  };
}

function resolveEndpoints(
  { endpoint, endpoints = {} }: AwsShape,
  { file, path }: ConfigEntry,
  { env, problems }: ResolveContext,
): AwsBackendConfig['endpoints'] | undefined {
  const found: Record<string, string> = {};
  const before = problems.count;
  for (const [service, variable] of Object.entries(SERVICES)) {
    const own = endpoints[service as keyof typeof SERVICES] ?? endpoint;
    const name = env[`AWS_ENDPOINT_URL_${variable}`] ? `AWS_ENDPOINT_URL_${variable}` : 'AWS_ENDPOINT_URL';
    const text = own ?? (env[name] || undefined);
    if (text === undefined) continue;
    const { wrong } = parseAddress(text.replaceAll('{region}', 'region'));
    if (wrong !== undefined)
      problems.add('CONFIG_INVALID', file, [...path, 'endpoint'], `taken from ${name}; ${wrong}`);
    found[service] = text;
  }
  return problems.count === before ? found : undefined;
}

/** Variables whose values are sent in headers or sign them. */
const CREDENTIALS = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
] as const;

/** Reads the credentials. One final line break is dropped: a Kubernetes secret made with `echo` has one. */
function credentialsIn({ env, problems }: ResolveContext, { file, path }: ConfigEntry) {
  const found: Partial<Record<(typeof CREDENTIALS)[number], string>> = {};
  const before = problems.count;
  for (const name of CREDENTIALS) {
    const value = env[name]?.replace(/\r?\n$/, '');
    if (!value) continue;
    found[name] = value;
    const isSendable = name === 'AWS_CONTAINER_AUTHORIZATION_TOKEN' ? isHeaderText : isHeaderToken;
    if (isSendable(value)) continue;
    const seen = `${name} holds a line break, a space or another character that no credential has`;
    problems.add('CONFIG_INVALID', file, path, seen, `Set ${name} anew; one final line break does no harm.`);
  }
  return problems.count === before ? found : undefined;
}

/** Where credentials may come from, in the order of the SDK's own chain. */
function credentialSources(
  ownProfile: string | undefined,
  entry: ConfigEntry,
  context: ResolveContext,
): AwsCredentialSources | undefined {
  const { env } = context;
  const credentials = credentialsIn(context, entry);
  if (credentials === undefined) return undefined;
  const { AWS_ACCESS_KEY_ID: keyId, AWS_SECRET_ACCESS_KEY: key, AWS_SESSION_TOKEN: session } = credentials;
  const { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: relative, AWS_CONTAINER_CREDENTIALS_FULL_URI: full } = env;
  const tokenFile = inherited('AWS_WEB_IDENTITY_TOKEN_FILE', context);
  const authorizationFile = inherited('AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', context);
  const authorization = credentials.AWS_CONTAINER_AUTHORIZATION_TOKEN;
  const home = env['HOME'] || homedir();
  const uri = relative ? `http://169.254.170.2${relative}` : full;
  return {
    ...(keyId && key
      ? {
          keys: {
            accessKeyId: keyId,
            secretAccessKey: Secret.text(key),
            ...(session ? { sessionToken: Secret.text(session) } : {}),
          },
        }
      : {}),
    profile: ownProfile ?? (env['AWS_PROFILE'] || 'default'),
    isProfileNamed: ownProfile !== undefined || !!env['AWS_PROFILE'],
    credentialsFile: inherited('AWS_SHARED_CREDENTIALS_FILE', context) ?? resolve(home, '.aws/credentials'),
    configFile: inherited('AWS_CONFIG_FILE', context) ?? resolve(home, '.aws/config'),
    ...(tokenFile && env['AWS_ROLE_ARN']
      ? { webIdentity: { tokenFile, roleArn: env['AWS_ROLE_ARN'], ...sessionName(env) } }
      : {}),
    ...(uri
      ? {
          container: {
            uri,
            ...(authorizationFile === undefined ? {} : { authorizationFile }),
            ...(authorization ? { authorization: Secret.text(authorization) } : {}),
          },
        }
      : {}),
    ...((env['AWS_EC2_METADATA_DISABLED'] ?? '').toLowerCase() === 'true' ? {} : { instance: metadataAddress(env) }),
  };
}

/** https://docs.aws.amazon.com/sdkref/latest/guide/feature-imds-credentials.html */
function metadataAddress(env: Environment): string {
  const isIpv6 = (env['AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE'] ?? '').toLowerCase() === 'ipv6';
  return env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] || (isIpv6 ? 'http://[fd00:ec2::254]' : 'http://169.254.169.254');
}

function sessionName(env: Environment): { sessionName?: string } {
  const name = env['AWS_ROLE_SESSION_NAME'];
  return name ? { sessionName: name } : {};
}

/** A path in the environment; an empty variable counts as unset. */
function inherited(variable: string, { env, cwd }: ResolveContext): string | undefined {
  const path = env[variable];
  return path ? resolve(cwd, path) : undefined;
}
