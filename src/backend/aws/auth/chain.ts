import type { Clock } from '../../../base/clock.ts';
import { deadline } from '../../../base/deadline.ts';
import { programsEndWithUs } from '../../../base/ending-with-us.ts';
import { errnoOf, errnoWord } from '../../../base/errno.ts';
import { asFailure, fail, failure, PannierError } from '../../../base/errors.ts';
import { FileCallError } from '../../../base/file-call.ts';
import { isHeaderToken } from '../../../base/header-text.ts';
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
  /** Called before a link of the chain is asked. */
  readonly onAsk: (link: LinkName) => void;
  /** Loads the shared files, or waits for a load that still runs: a program that hangs is not started again. */
  readonly shareLoad: (load: () => Promise<AwsKeys>) => Promise<AwsKeys>;
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
  /** Why this link is not set up, as a part of a sentence; the link is skipped then. Absent: the link is asked. */
  readonly absent?: string | undefined;
  /** The configuration or the environment asks for this link, so the chain ends with it, also when it has no keys. */
  readonly isRequired: boolean;
  readonly load: () => Promise<AwsKeys>;
}

/** Added to the timeout of the backend, so that a request which is too slow fails first, with its own message. */
const SLACK_MS = 1_000;

/**
 * Walks through the credential chain of the SDK, link by link, so that a failure can list what was tried: environment,
 * shared files (with role, web identity, process and SSO profiles), web identity (IRSA), container (ECS, EKS Pod
 * Identity), instance profile. Each call reads all of them again.
 *
 * A link that is set up and fails ends the chain, and so does one that does not answer in time: the keys of a later
 * link would belong to another identity. A credential service that is down is told apart from one that has no keys:
 * AUTH_SERVICE_DOWN is worth another try.
 * @throws PannierError AUTH_NO_CREDENTIALS when no link has any; AUTH_SERVICE_DOWN, AUTH_DENIED,
 * AUTH_CREDENTIAL_UNREADABLE, or what a request to STS or SSO ended with.
 */
export async function findKeys(deps: AwsChainDeps): Promise<FoundKeys> {
  const tried: string[] = [];
  for (const { name, absent, isRequired, load } of linksOf(deps)) {
    if (absent !== undefined) {
      tried.push(`${name} (${absent})`);
      continue;
    }
    deps.onAsk(name);
    try {
      return { keys: checked(await inTime(load(), name, deps), name, deps), link: name };
    } catch (error) {
      if (isDown(error) && !isRequired) {
        tried.push(`${name} (${error.failure.seen})`);
        throw fail('AUTH_SERVICE_DOWN', placeOf(deps), `tried ${tried.join(', ')}`, NOT_ON_AWS);
      }
      if (!isNothing(error) && !(error instanceof NoKeysThere)) throw linkFailed(name, error, deps);
      tried.push(`${name} (${error instanceof NoKeysThere ? error.why : nothingThere(deps)})`);
      if (isRequired) break;
    }
  }
  throw fail('AUTH_NO_CREDENTIALS', placeOf(deps), `tried ${tried.join(', ')}`);
}

const NOT_ON_AWS = {
  hint:
    'Outside of AWS set AWS_EC2_METADATA_DISABLED=true and set up another source of credentials; ' +
    'in a container the hop limit of the instance must be 2.',
};

const isDown = (error: unknown): error is PannierError =>
  error instanceof PannierError && error.failure.code === 'AUTH_SERVICE_DOWN';

/**
 * Returns `keys`.
 * @throws PannierError AUTH_UNUSABLE for characters that no header carries: each signed request would fail otherwise,
 * with an error that does not name the cause.
 */
function checked(keys: AwsKeys, name: LinkName, deps: AwsChainDeps): AwsKeys {
  const { accessKeyId, secretAccessKey, sessionToken } = keys;
  const wrong = Object.entries({ accessKeyId, secretAccessKey, sessionToken }).find(
    ([, value]) => value !== undefined && !isHeaderToken(value),
  );
  if (wrong === undefined) return keys;
  const seen = `${name}: its ${wrong[0]} holds a line break, a space or another character that no key has`;
  throw fail('AUTH_UNUSABLE', placeOf(deps), seen, { hint: `Check what writes the ${wrong[0]}.` });
}

/** Limits the wait for a link. The SDK cannot cancel a link, such as a program that it runs, so the link runs on. */
async function inTime(load: Promise<AwsKeys>, name: LinkName, deps: AwsChainDeps): Promise<AwsKeys> {
  const ms = deps.config.timeoutMs + SLACK_MS;
  let cancel = () => {};
  const late = new Promise<never>((_, reject) => {
    cancel = deadline(deps.clock, ms, () =>
      reject(fail('AUTH_NO_CREDENTIALS', placeOf(deps), `${name}: no answer within ${ms} ms`, HANGING)),
    );
  });
  return await Promise.race([load, late]).finally(() => cancel());
}

export const HANGING = {
  hint: 'Check what this source of credentials asks; a credential_process must exit by itself.',
};

function linksOf(deps: AwsChainDeps): readonly Link[] {
  const { config, sdk, http, region } = deps;
  const { keys, profile, isProfileNamed, webIdentity, container, instance } = config.sources;
  const clientConfig = clientSettings(http, config.endpoints.sts, region);
  return [
    {
      name: 'environment',
      absent: isProfileNamed
        ? `skipped, since profile ${profile} is configured`
        : keys === undefined
          ? 'AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not set'
          : undefined,
      isRequired: true,
      load: async () => ({
        accessKeyId: keys?.accessKeyId ?? '',
        secretAccessKey: keys?.secretAccessKey.exposeText('backend') ?? '',
        ...(keys?.sessionToken === undefined ? {} : { sessionToken: keys.sessionToken.exposeText('backend') }),
      }),
    },
    {
      name: 'shared files',
      isRequired: isProfileNamed,
      load: () => deps.shareLoad(() => programsEndWithUs(() => fromSharedFiles(deps))),
    },
    {
      name: 'web identity',
      absent: webIdentity === undefined ? 'AWS_WEB_IDENTITY_TOKEN_FILE or AWS_ROLE_ARN is not set' : undefined,
      isRequired: true,
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
      isRequired: true,
      load: () => containerKeys(deps),
    },
    {
      name: 'instance profile',
      absent: instance === undefined ? 'AWS_EC2_METADATA_DISABLED is set' : undefined,
      isRequired: false,
      load: () => instanceKeys(deps),
    },
  ];
}

function nothingThere({ config: { sources } }: AwsChainDeps): string {
  return `nothing for profile ${sources.profile} in ${sources.credentialsFile} and ${sources.configFile}`;
}

const MAX_TOKEN_BYTES = 1024 * 1024;

/** Reads the file here, since the SDK's own read blocks the whole process on a FIFO or a file system that hangs. */
async function readTokenFile(path: string): Promise<string> {
  try {
    return (await readFileInTime(path, { maxBytes: MAX_TOKEN_BYTES })).bytes.toString('latin1');
  } catch (error) {
    throw error instanceof FileCallError ? Object.assign(error, { path }) : error;
  }
}

/** Makes the failure of a link that is set up: a file that cannot be read, or a refusal by STS. */
function linkFailed(name: LinkName, error: unknown, deps: AwsChainDeps): PannierError {
  const place = placeOf(deps);
  const code = errnoOf(error);
  const { path } = (error ?? {}) as { path?: unknown };
  if (code !== undefined && typeof path === 'string') {
    return fail('AUTH_CREDENTIAL_UNREADABLE', place, `${name}: cannot be read (${errnoWord(error)}): ${path}`);
  }
  if (error instanceof PannierError && error.failure.code.startsWith('AUTH_')) {
    const { code: own, seen, place: at } = error.failure;
    return seen.startsWith(`${name}: `) ? error : fail(own, at, `${name}: ${seen}`, error.failure);
  }
  const { clock, region } = deps;
  return asAwsLoginError(awsError(error, { operation: 'sts', region, place, nowMs: clock.wallMs() }), name);
}

/** Turns a refusal by STS into AUTH_DENIED, since it is about the login, not about a secret. */
export function asAwsLoginError(error: PannierError, what: string): PannierError {
  const failed = asFailure(error, '');
  const code = failed.code.startsWith('SECRET_') || failed.code === 'BACKEND_REJECTED' ? 'AUTH_DENIED' : failed.code;
  const details = code === failed.code ? failed : {};
  return new PannierError(failure(code, failed.place, `${what}: ${failed.seen}`, details));
}

const placeOf = ({ config }: AwsChainDeps): string => `backends.${config.name}`;
