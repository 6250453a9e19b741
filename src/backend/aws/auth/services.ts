import type { Clock } from '../../../base/clock.ts';
import { fail, PannierError } from '../../../base/errors.ts';
import { isHeaderText } from '../../../base/header-text.ts';
import { URGENCY } from '../../../base/urgency.ts';
import type { Send } from '../../../http/transport.ts';
import { readCredential } from '../../credential-file.ts';
import type { AwsKeys } from '../client/client.ts';
import type { AwsHttp } from '../client/http.ts';
import type { AwsBackendConfig } from '../config/config.ts';

export interface AwsServiceDeps {
  readonly config: AwsBackendConfig;
  readonly http: AwsHttp;
  readonly clock: Clock;
}

/** The timeout is short: the metadata service is one hop away, and outside of EC2 nothing answers at its address. */
const METADATA_MS = 1_000;

/** The life of a token of the metadata service, which is used for the two requests that follow. */
const METADATA_TOKEN_SECONDS = 60;
const ROLES = '/latest/meta-data/iam/security-credentials/';

/**
 * Keys of an instance stay valid after the end that they state, and are fetched again after this time:
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-static-credentials.html
 */
const EXTENDED_MS = 300_000;

/** The service answered that it has no keys; `why` is a part of a sentence. */
export class NoKeysThere extends Error {
  readonly why: string;

  constructor(why: string) {
    super(why);
    this.why = why;
  }
}

/**
 * Fetches keys from the credential service of a container: ECS, EKS Pod Identity
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html).
 *
 * The SDK's own provider is not used: its errors do not tell a service that is down from one that has no keys.
 * @throws NoKeysThere; PannierError AUTH_SERVICE_DOWN when it cannot be reached or answers 5xx or 429, AUTH_DENIED,
 * AUTH_CREDENTIAL_UNREADABLE, AUTH_CREDENTIAL_EMPTY, AUTH_UNUSABLE.
 */
export async function containerKeys({ config, http }: AwsServiceDeps): Promise<AwsKeys> {
  const { container } = config.sources;
  if (container === undefined) throw new NoKeysThere('no AWS_CONTAINER_CREDENTIALS_… is set');
  const place = placeOf(config);
  const url = URL.parse(container.uri);
  if (url === null || !isAllowed(url)) {
    const hint = 'The address must be https, or http to loopback or to the address of ECS or EKS.';
    throw fail('AUTH_NO_CREDENTIALS', place, 'the address in AWS_CONTAINER_CREDENTIALS_FULL_URI is refused', { hint });
  }
  const { authorizationFile } = container;
  const token =
    authorizationFile === undefined
      ? container.authorization
      : await readCredential(authorizationFile, place, new AbortController().signal);
  const authorization = token?.exposeText('backend');
  if (authorization !== undefined && !isHeaderText(authorization)) {
    const named = authorizationFile ?? 'AWS_CONTAINER_AUTHORIZATION_TOKEN';
    throw fail('AUTH_CREDENTIAL_UNREADABLE', place, `${named} ${WRONG_CHARACTER}`);
  }
  const headers: Record<string, string> = authorization === undefined ? {} : { Authorization: authorization };
  await using service = http.openService(url.origin, config.timeoutMs);
  return await service.run({ urgency: URGENCY.login, place }, NEVER, async (send) => {
    const body = await ask(send, { method: 'GET', path: url.pathname + url.search, headers }, url.origin, place);
    return keysIn(body, url.origin, place);
  });
}

/**
 * Fetches keys of the instance's role from version 2 of the metadata service
 * (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html). Version 1 is never asked.
 * @throws as `containerKeys` does.
 */
export async function instanceKeys({ config, http, clock }: AwsServiceDeps): Promise<AwsKeys> {
  const { instance } = config.sources;
  if (instance === undefined) throw new NoKeysThere('AWS_EC2_METADATA_DISABLED is set');
  const place = placeOf(config);
  const url = URL.parse(instance);
  if (url === null) throw fail('AUTH_NO_CREDENTIALS', place, 'AWS_EC2_METADATA_SERVICE_ENDPOINT is not a URL');
  const base = url.origin;
  await using service = http.openService(base, METADATA_MS);
  const request = (method: string, path: string, headers: Record<string, string>) =>
    service.run({ urgency: URGENCY.login, place }, NEVER, (send) => ask(send, { method, path, headers }, base, place));
  const ttl = { 'x-aws-ec2-metadata-token-ttl-seconds': String(METADATA_TOKEN_SECONDS) };
  const token = textOf(await request('PUT', '/latest/api/token', ttl)).trim();
  const headers = { 'x-aws-ec2-metadata-token': token };
  const role =
    textOf(await request('GET', ROLES, headers))
      .split('\n')[0]
      ?.trim() ?? '';
  if (role === '') throw new NoKeysThere(`no role at ${base}`);
  const keys = keysIn(await request('GET', ROLES + encodeURIComponent(role), headers), base, place);
  const isPast = keys.expiration.getTime() <= clock.wallMs();
  return isPast ? { ...keys, expiration: new Date(clock.wallMs() + EXTENDED_MS) } : keys;
}

const NEVER = new AbortController().signal;
const placeOf = ({ name }: AwsBackendConfig): string => `backends.${name}`;

/** Plain HTTP shows the keys to the network, so it is allowed to addresses of this machine only. */
function isAllowed({ protocol, hostname }: URL): boolean {
  if (protocol === 'https:') return true;
  if (protocol !== 'http:') return false;
  return /^(?:localhost|127(?:\.\d{1,3}){3}|169\.254\.170\.(?:2|23)|\[::1\]|\[fd00:ec2::23\])$/.test(hostname);
}

const WRONG_CHARACTER = 'holds a line break, or another character that no header carries';

async function ask(send: Send, request: Parameters<Send>[0], origin: string, place: string): Promise<Uint8Array> {
  try {
    const { status, body } = await send(request);
    if (status >= 200 && status < 300) return body;
    throw refused(status, origin, place);
  } catch (error) {
    const { code, seen } = error instanceof PannierError ? error.failure : { code: '', seen: '' };
    if (code === 'BACKEND_UNREACHABLE' || code === 'BACKEND_TIMEOUT') throw fail('AUTH_SERVICE_DOWN', place, seen);
    throw error;
  }
}

function refused(status: number, origin: string, place: string): Error {
  const seen = `HTTP ${status} from ${origin}`;
  if (status >= 500 || [408, 425, 429].includes(status)) return fail('AUTH_SERVICE_DOWN', place, seen);
  if (status === 401)
    return fail('AUTH_DENIED', place, seen, { hint: 'Check the authorization token for the credential service.' });
  return new NoKeysThere(seen);
}

const textOf = (body: Uint8Array): string => Buffer.from(body).toString('utf8');

/** @throws PannierError AUTH_UNUSABLE without any part of the answer, which holds keys. */
function keysIn(body: Uint8Array, origin: string, place: string): AwsKeys & { readonly expiration: Date } {
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = parse(body);
  const expiration = typeof Expiration === 'string' ? new Date(Expiration) : undefined;
  const isWhole = [AccessKeyId, SecretAccessKey, Token].every((one) => typeof one === 'string' && one !== '');
  if (!isWhole || expiration === undefined || Number.isNaN(expiration.getTime())) {
    throw fail('AUTH_UNUSABLE', place, `the answer from ${origin} holds no credentials`, {
      hint: 'Check which server answers at this address.',
    });
  }
  return {
    accessKeyId: AccessKeyId as string,
    secretAccessKey: SecretAccessKey as string,
    sessionToken: Token as string,
    expiration,
  };
}

function parse(body: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(textOf(body));
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
}
