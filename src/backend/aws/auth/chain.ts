import type { Clock } from '../../../base/clock.ts';
import { deadline } from '../../../base/deadline.ts';
import { errnoOf } from '../../../base/errno.ts';
import { asFailure, fail, failure, PannierError } from '../../../base/errors.ts';
import { FileCallError } from '../../../base/file-call.ts';
import { readFileInTime } from '../../../base/read-file.ts';
import { type AwsKeys, type AwsSdk, clientSettings, SILENT } from '../client/client.ts';
import { awsError } from '../client/error.ts';
import type { AwsHttp } from '../client/http.ts';
import type { AwsBackendConfig } from '../config/config.ts';
import { containerKeys, instanceKeys, NoKeysThere } from './services.ts';
import { fromSharedFiles, isNothing } from './shared-keys.ts';

export interface AwsChainDeps {
  readonly config: AwsBackendConfig;
  readonly sdk: AwsSdk;
  readonly http: AwsHttp;
  readonly region: string;
  readonly clock: Clock;
  /** Which link is asked from now on. */
  readonly asking: (link: LinkName) => void;
  /** Joins the load of the shared files to one that still runs: a program that hangs is not started again. */
  readonly joined: (load: () => Promise<AwsKeys>) => Promise<AwsKeys>;
}

export interface FoundKeys {
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

/** A link gets the timeout of the backend, and this, so that a request in it says itself that it was too slow. */
const SLACK_MS = 1_000;

/**
 * The SDK's own chain, link by link, so that a failure can say what was tried: environment, shared files (with role,
 * web identity, process and SSO profiles), web identity (IRSA), container (ECS, EKS Pod Identity), instance profile.
 * Everything is read anew at each call.
 *
 * A link that is set up and fails ends the chain, and so does one that does not answer in time: keys of the next one
 * would be somebody else's. A service that is not there for a moment is no service without keys: AUTH_SERVICE_DOWN is
 * worth another try.
 * @throws PannierError AUTH_NO_CREDENTIALS when no link has any; AUTH_SERVICE_DOWN, AUTH_DENIED,
 * AUTH_CREDENTIAL_UNREADABLE, or what a request to STS or SSO ended with.
 */
export async function findKeys(parts: AwsChainDeps): Promise<FoundKeys> {
  const tried: string[] = [];
  for (const { name, absent, isAsked, load } of linksOf(parts)) {
    if (absent !== undefined) {
      tried.push(`${name} (${absent})`);
      continue;
    }
    parts.asking(name);
    try {
      return { keys: checked(await inTime(load(), name, parts), name, parts), link: name };
    } catch (error) {
      if (isDown(error) && !isAsked) {
        tried.push(`${name} (${error.failure.seen})`);
        throw fail('AUTH_SERVICE_DOWN', placeOf(parts), `tried ${tried.join(', ')}`, NOT_ON_AWS);
      }
      if (!isNothing(error) && !(error instanceof NoKeysThere)) throw linkFailed(name, error, parts);
      tried.push(`${name} (${error instanceof NoKeysThere ? error.why : nothingThere(parts)})`);
      if (isAsked) break;
    }
  }
  throw fail('AUTH_NO_CREDENTIALS', placeOf(parts), `tried ${tried.join(', ')}`);
}

const NOT_ON_AWS = {
  hint:
    'Outside of AWS set AWS_EC2_METADATA_DISABLED=true and set up one of the others; ' +
    'in a container the hop limit of the instance must be 2.',
};

const isDown = (error: unknown): error is PannierError =>
  error instanceof PannierError && error.failure.code === 'AUTH_SERVICE_DOWN';

/** What no header carries would end each request that is signed with it as a fault of our own. */
function checked(keys: AwsKeys, name: LinkName, parts: AwsChainDeps): AwsKeys {
  const { accessKeyId, secretAccessKey, sessionToken } = keys;
  const wrong = Object.entries({ accessKeyId, secretAccessKey, sessionToken }).find(
    ([, value]) => value !== undefined && !/^[\x21-\x7e]+$/.test(value),
  );
  if (wrong === undefined) return keys;
  const seen = `${name}: its ${wrong[0]} holds a line break, a space or another character that no key has`;
  throw fail('AUTH_UNUSABLE', placeOf(parts), seen, { hint: 'Check the program that writes the file.' });
}

/** The SDK gives no way to end what a link does, such as a program: it is left alone, and not waited for. */
async function inTime(load: Promise<AwsKeys>, name: LinkName, parts: AwsChainDeps): Promise<AwsKeys> {
  const ms = parts.config.timeoutMs + SLACK_MS;
  let cancel = () => {};
  const late = new Promise<never>((_, reject) => {
    cancel = deadline(parts.clock, ms, () =>
      reject(fail('AUTH_NO_CREDENTIALS', placeOf(parts), `${name}: no answer within ${ms} ms`, HANGING)),
    );
  });
  return await Promise.race([load, late]).finally(() => cancel());
}

export const HANGING = { hint: 'Check what this link asks; a credential_process must end by itself.' };

function linksOf(parts: AwsChainDeps): readonly Link[] {
  const { config, sdk, http, region } = parts;
  const { keys, profile, isProfileNamed, webIdentity, container, instance } = config.sources;
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
      load: () => parts.joined(() => fromSharedFiles(parts)),
    },
    {
      name: 'web identity',
      absent: webIdentity === undefined ? 'AWS_WEB_IDENTITY_TOKEN_FILE or AWS_ROLE_ARN is not set' : undefined,
      isAsked: true,
      load: async () =>
        await sdk.fromWebToken({
          webIdentityToken: await readTokenFile(webIdentity?.tokenFile ?? ''),
          roleArn: webIdentity?.roleArn ?? '',
          roleSessionName: webIdentity?.sessionName ?? config.roleSessionName,
          clientConfig,
          logger: SILENT,
        })(),
    },
    {
      name: 'container',
      absent: container === undefined ? 'no AWS_CONTAINER_CREDENTIALS_… is set' : undefined,
      isAsked: true,
      load: () => containerKeys(parts),
    },
    {
      name: 'instance profile',
      absent: instance === undefined ? 'AWS_EC2_METADATA_DISABLED is set' : undefined,
      isAsked: false,
      load: () => instanceKeys(parts),
    },
  ];
}

function nothingThere({ config: { sources } }: AwsChainDeps): string {
  return `nothing for profile ${sources.profile} in ${sources.credentialsFile} and ${sources.configFile}`;
}

const MAX_TOKEN_BYTES = 1024 * 1024;

/** The SDK's own reading of it stands the process still on a FIFO, or a file system that hangs. */
async function readTokenFile(path: string): Promise<string> {
  try {
    return (await readFileInTime(path, { maxBytes: MAX_TOKEN_BYTES })).bytes.toString('latin1');
  } catch (error) {
    throw error instanceof FileCallError ? Object.assign(error, { path }) : error;
  }
}

/** A link that is set up failed: a file that cannot be read, or STS said no. */
function linkFailed(name: LinkName, error: unknown, parts: AwsChainDeps): PannierError {
  const place = placeOf(parts);
  const code = errnoOf(error);
  const { path } = (error ?? {}) as { path?: unknown };
  if (code !== undefined && typeof path === 'string') {
    return fail('AUTH_CREDENTIAL_UNREADABLE', place, `${name}: cannot be read (${code}): ${path}`);
  }
  if (error instanceof PannierError && error.failure.code.startsWith('AUTH_')) {
    const { code: own, seen, place: at } = error.failure;
    return seen.startsWith(`${name}: `) ? error : fail(own, at, `${name}: ${seen}`, error.failure);
  }
  const { clock, region } = parts;
  return asAwsLoginError(awsError(error, { operation: 'sts', region, place, nowMs: clock.wallMs() }), name);
}

/** A refusal by STS is one of the login, not of a secret. */
export function asAwsLoginError(error: PannierError, what: string): PannierError {
  const failed = asFailure(error, '');
  const code = failed.code.startsWith('SECRET_') || failed.code === 'BACKEND_REJECTED' ? 'AUTH_DENIED' : failed.code;
  const details = code === failed.code ? failed : {};
  return new PannierError(failure(code, failed.place, `${what}: ${failed.seen}`, details));
}

const placeOf = ({ config }: AwsChainDeps): string => `backends.${config.name}`;
