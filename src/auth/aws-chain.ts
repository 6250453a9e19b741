import { asFailure, fail, failure, PannierError } from '../base/errors.ts';
import { type AwsKeys, type AwsSdk, clientSettings, SILENT } from '../client/aws.ts';
import { awsError } from '../client/aws-error.ts';
import type { AwsHttp } from '../client/aws-http.ts';
import type { AwsBackendConfig } from '../config/config.ts';

export interface AwsChainParts {
  readonly config: AwsBackendConfig;
  readonly sdk: AwsSdk;
  readonly http: AwsHttp;
  readonly region: string;
  readonly nowMs: number;
}

export interface Found {
  readonly keys: AwsKeys;
  /** Which link of the chain gave them. */
  readonly link: LinkName;
}

export type LinkName = 'environment' | 'shared files' | 'web identity' | 'container' | 'instance profile';

/** One place where credentials may be. */
interface Link {
  readonly name: LinkName;
  /** Why there can be none here, as a part of a sentence; then it is not asked. */
  readonly absent?: string | undefined;
  /** Having nothing ends the chain: somebody asked for this link. */
  readonly isAsked: boolean;
  readonly load: () => Promise<AwsKeys>;
}

/** One answer of the metadata service or of the container's agent. */
const LINK_LOCAL_MS = 1_000;

/**
 * The SDK's own chain, link by link, so that a failure can say what was tried: environment, shared files (with role,
 * web identity, process and SSO profiles), web identity (IRSA), container (ECS, EKS Pod Identity), instance profile.
 * Everything is read anew at each call.
 *
 * A link that is set up and fails ends the chain: keys of the next one would be somebody else's. The metadata service is
 * asked in its second version only, and waited for a second at most.
 * @throws PannierError AUTH_NO_CREDENTIALS when no link has any; AUTH_DENIED, AUTH_CREDENTIAL_UNREADABLE, or what a
 * request to STS ended with.
 */
export async function findKeys(parts: AwsChainParts): Promise<Found> {
  const tried: string[] = [];
  for (const { name, absent, isAsked, load } of linksOf(parts)) {
    if (absent !== undefined) {
      tried.push(`${name} (${absent})`);
      continue;
    }
    try {
      return { keys: await load(), link: name };
    } catch (error) {
      if (!isNothing(error)) throw linkFailed(name, error, parts);
      tried.push(`${name} (${nothingThere(name, parts)})`);
      if (isAsked) break;
    }
  }
  throw fail('AUTH_NO_CREDENTIALS', placeOf(parts), `tried ${tried.join(', ')}`);
}

function linksOf({ config, sdk, http, region }: AwsChainParts): readonly Link[] {
  const { keys, profile, isProfileNamed, credentialsFile, configFile, webIdentity, container, instance } =
    config.sources;
  const clientConfig = clientSettings(http, config.endpoints.sts, region);
  return [
    {
      name: 'environment',
      absent: isProfileNamed
        ? `not asked, since profile ${profile} is`
        : keys === undefined
          ? 'AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not set'
          : undefined,
      isAsked: true,
      load: async () => ({
        accessKeyId: keys?.accessKeyId ?? '',
        secretAccessKey: keys?.secretAccessKey.exposeText('backend') ?? '',
        ...(keys?.sessionToken === undefined ? {} : { sessionToken: keys.sessionToken.exposeText('backend') }),
      }),
    },
    {
      name: 'shared files',
      isAsked: isProfileNamed,
      load: sdk.fromIni({
        profile,
        filepath: credentialsFile,
        configFilepath: configFile,
        ignoreCache: true,
        clientConfig,
        logger: SILENT,
      }),
    },
    {
      name: 'web identity',
      absent: webIdentity === undefined ? 'AWS_WEB_IDENTITY_TOKEN_FILE or AWS_ROLE_ARN is not set' : undefined,
      isAsked: true,
      load: sdk.fromTokenFile({
        webIdentityTokenFile: webIdentity?.tokenFile ?? '',
        roleArn: webIdentity?.roleArn ?? '',
        roleSessionName: webIdentity?.sessionName ?? config.roleSessionName,
        clientConfig,
        logger: SILENT,
      }),
    },
    {
      name: 'container',
      absent: container === undefined ? 'no AWS_CONTAINER_CREDENTIALS_… is set' : undefined,
      isAsked: true,
      load: async () =>
        await sdk.fromHttp({
          awsContainerCredentialsFullUri: container?.uri ?? '',
          awsContainerAuthorizationTokenFile: container?.authorizationFile ?? '',
          awsContainerAuthorizationToken: container?.authorization?.exposeText('backend') ?? '',
          timeout: LINK_LOCAL_MS,
          maxRetries: 1,
          logger: SILENT,
        })(),
    },
    {
      name: 'instance profile',
      absent: instance ? undefined : 'AWS_EC2_METADATA_DISABLED is set',
      isAsked: false,
      load: sdk.fromInstanceMetadata({
        timeout: LINK_LOCAL_MS,
        maxRetries: 0,
        ec2MetadataV1Disabled: true,
        logger: SILENT,
      }),
    },
  ];
}

/** The SDK's way to say that this provider has nothing to give. */
function isNothing(error: unknown): boolean {
  const { name, tryNextLink } = (error ?? {}) as { name?: unknown; tryNextLink?: unknown };
  return (
    tryNextLink !== false &&
    /^(?:CredentialsProviderError|ProviderError|InstanceMetadataV1FallbackError)$/.test(String(name))
  );
}

function nothingThere(name: LinkName, { config: { sources } }: AwsChainParts): string {
  if (name === 'shared files') {
    return `nothing for profile ${sources.profile} in ${sources.credentialsFile} and ${sources.configFile}`;
  }
  return name === 'container' ? 'it gave none' : 'the metadata service gave none';
}

/** A link that is set up failed: a file that cannot be read, or STS said no. */
function linkFailed(name: LinkName, error: unknown, parts: AwsChainParts): PannierError {
  const place = placeOf(parts);
  const { code, path } = (error ?? {}) as { code?: unknown; path?: unknown };
  if (typeof code === 'string' && /^E[A-Z]+$/.test(code) && typeof path === 'string') {
    return fail('AUTH_CREDENTIAL_UNREADABLE', place, `${name}: cannot be read (${code}): ${path}`);
  }
  const { nowMs, region } = parts;
  return asLoginError(awsError(error, { operation: 'sts', region, place, nowMs }), name);
}

/** A refusal by STS is one of the login, not of a secret. */
export function asLoginError(error: PannierError, what: string): PannierError {
  const failed = asFailure(error, '');
  const code = failed.code.startsWith('SECRET_') || failed.code === 'BACKEND_REJECTED' ? 'AUTH_DENIED' : failed.code;
  const details = code === failed.code ? failed : {};
  return new PannierError(failure(code, failed.place, `${what}: ${failed.seen}`, details));
}

const placeOf = ({ config }: AwsChainParts): string => `backends.${config.name}`;
