import { asFailure, type Failure, fail, PannierError } from '../../../base/errors.ts';
import { readCredential } from '../../credential-file.ts';
import { type AwsKeys, type AwsSdk, clientSettings, SILENT } from '../client/client.ts';
import type { AwsHttp } from '../client/http.ts';
import { type AwsServiceDeps, containerKeys, instanceKeys, NoKeysThere } from './services.ts';
import { checkProfile, checkSharedFiles, type Profile, profilesOf } from './shared-files.ts';

export interface SharedKeysDeps extends AwsServiceDeps {
  readonly sdk: AwsSdk;
  /** The region of STS. */
  readonly region: string;
}

/**
 * Gets the keys of the configured profile with the SDK's own provider: static keys, roles, web identities, processes,
 * SSO.
 *
 * STS is asked in the region and at the endpoint of the backend. The SSO portal is asked in its own region and at its
 * own endpoint, since requests to it carry the access token of a person.
 * @throws PannierError for every failure that ends the chain; an error for which `isNothing` is true when the profile
 * names no source of keys.
 */
export async function fromSharedFiles(deps: SharedKeysDeps): Promise<AwsKeys> {
  const { sdk, http, config, region } = deps;
  const { profile, credentialsFile, configFile } = config.sources;
  const place = `backends.${config.name}`;
  await checkSharedFiles(config.sources, place);
  await checkTokenFiles(config.sources, place);
  const clientConfig = clientSettings(http, config.endpoints.sts, region);
  const recording = new RecordingHandler(http);
  try {
    return await sdk.fromIni({
      profile,
      filepath: credentialsFile,
      configFilepath: configFile,
      ignoreCache: true,
      logger: SILENT,
      clientConfig: { requestHandler: recording, maxAttempts: 1, logger: SILENT },
      roleAssumer: (masterCredentials, params) =>
        sdk.fromTemporaryCredentials({ masterCredentials, params, clientConfig, logger: SILENT })(),
      roleAssumerWithWebIdentity: ({ RoleArn, RoleSessionName, WebIdentityToken }) =>
        sdk.fromWebToken({
          roleArn: RoleArn ?? '',
          roleSessionName: RoleSessionName ?? config.roleSessionName,
          webIdentityToken: WebIdentityToken ?? '',
          clientConfig,
          logger: SILENT,
        })(),
      ...ONE_TRY,
    })();
  } catch (error) {
    if (!isOfProvider(error)) throw error;
    await explain(error, recording, deps, place);
    if (isNothing(error)) await checkProfile(config.sources, place);
    throw error;
  }
}

/**
 * Checks the token files that the SDK reads itself: its read of a FIFO would block the whole process.
 * @throws PannierError as `readCredential` does.
 */
async function checkTokenFiles(files: Parameters<typeof profilesOf>[0], place: string): Promise<void> {
  for (const { values } of await profilesOf(files, place)) {
    const tokenFile = values.get('web_identity_token_file');
    if (tokenFile !== undefined) await readCredential(tokenFile, place, new AbortController().signal);
  }
}

/** For the services of `credential_source`: the SDK makes one request, and the lease manager decides about more. */
const ONE_TRY: object = { timeout: 1_000, maxRetries: 0 };

/** Whether the SDK says with this error that the provider has no keys. */
export function isNothing(error: unknown): boolean {
  return isOfProvider(error) && (error as { tryNextLink?: unknown }).tryNextLink !== false;
}

function isOfProvider(error: unknown): boolean {
  const { name } = (error ?? {}) as { name?: unknown };
  return /^(?:CredentialsProviderError|ProviderError|TokenProviderError|InstanceMetadataV1FallbackError)$/.test(
    String(name),
  );
}

/** Records how the last request ended: the error of the SDK has only a text, from which the cause cannot be read. */
class RecordingHandler {
  readonly metadata;
  readonly #http: AwsHttp;
  failure: Failure | undefined;
  status: number | undefined;

  constructor(http: AwsHttp) {
    this.#http = http;
    this.metadata = http.metadata;
  }

  async handle(...given: Parameters<AwsHttp['handle']>): ReturnType<AwsHttp['handle']> {
    this.failure = undefined;
    this.status = undefined;
    try {
      const answer = await this.#http.handle(...given);
      this.status = answer.response.statusCode;
      return answer;
    } catch (error) {
      this.failure = asFailure(error, '');
      throw error;
    }
  }

  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): object {
    return {};
  }
}

/** @throws PannierError when the profile shows why there are no keys; returns when it does not. */
async function explain(
  error: unknown,
  recording: RecordingHandler,
  deps: SharedKeysDeps,
  place: string,
): Promise<void> {
  const profiles = await profilesOf(deps.config.sources, place);
  const last = profiles.at(-1);
  if (last === undefined) return;
  const withMfa = profiles.find(({ values }) => values.has('mfa_serial'));
  if (withMfa !== undefined && !isNothing(error)) {
    const hint = 'Name a profile that needs no MFA code: the agent cannot type one.';
    throw fail('AUTH_NO_CREDENTIALS', place, `profile ${withMfa.name} asks for an MFA code (mfa_serial)`, { hint });
  }
  const source = last.values.get('credential_source');
  if (source !== undefined) return await explainSource(source, last, deps, place);
  if ([...last.values.keys()].some((key) => key.startsWith('sso_'))) throw ssoFailed(error, last, recording, place);
  if (isNothing(error)) return;
  if (last.values.has('login_session')) {
    const hint = `Run aws login --profile ${last.name} as the user of Pannier.`;
    throw fail('AUTH_EXPIRED', place, `profile ${last.name}: the session of aws login has ended or does not exist`, {
      hint,
    });
  }
  const hint = `Correct the profile ${last.name}.`;
  throw fail('AUTH_CREDENTIAL_UNREADABLE', place, `profile ${last.name} gives no keys`, { hint });
}

/** The SDK does not say how the request to the service ended, so the service is asked once more. */
async function explainSource(source: string, { name }: Profile, deps: SharedKeysDeps, place: string): Promise<void> {
  const ask = { EcsContainer: containerKeys, Ec2InstanceMetadata: instanceKeys }[source];
  if (ask === undefined) return;
  const from = `profile ${name}, credential_source ${source}`;
  try {
    await ask(deps);
  } catch (error) {
    if (error instanceof NoKeysThere) throw fail('AUTH_NO_CREDENTIALS', place, `${from}: ${error.why}`);
    if (!(error instanceof PannierError)) throw error;
    throw fail(error.failure.code, place, `${from}: ${error.failure.seen}`, error.failure);
  }
  throw fail('AUTH_SERVICE_DOWN', place, `${from}: the service gave no credentials at first, and gives some now`);
}

function ssoFailed(
  error: unknown,
  { name }: Profile,
  { failure, status }: RecordingHandler,
  place: string,
): PannierError {
  const of = `profile ${name}`;
  const isDown = status !== undefined && (status === 429 || status >= 500);
  if (failure !== undefined || isDown) {
    return fail('AUTH_SERVICE_DOWN', place, `${of}: ${failure?.seen ?? `HTTP ${status} from the SSO portal`}`);
  }
  if (status === 403 || status === 404) {
    const hint = 'Check sso_account_id and sso_role_name.';
    return fail('AUTH_DENIED', place, `${of}: HTTP ${status} from the SSO portal, which refuses the role`, { hint });
  }
  // The message of the SDK decides only about the words; the hint is the same for both cases.
  const isAbsent = status === undefined && /not found|invalid/i.test(String((error as Error).message));
  const seen = isAbsent ? 'there is no SSO session' : 'the SSO session has expired';
  return fail('AUTH_EXPIRED', place, `${of}: ${seen}`, {
    hint: `Run aws sso login --profile ${name} as the user of Pannier.`,
  });
}
