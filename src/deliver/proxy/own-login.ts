import type { RequestLogin } from '../../backend/vault/auth/method.ts';
import type { Upstream } from '../../backend/vault/upstream.ts';
import { fail } from '../../base/errors.ts';
import { lookUp, plainText } from '../../base/value.ts';
import type { CallCancellation } from '../../http/call-cancellation.ts';
import { tokenText } from './caller.ts';
import type { UpstreamAnswer, UpstreamRequest } from './exchange.ts';
import { parseJsonObject } from './json-object.ts';
import { readSome } from './read-some.ts';
import type { ProxyRequest } from './request.ts';
import { type ProxyRefusal, proxyRefusal } from './vault-reply.ts';

/** Paths whose answers hold the token that they are about; a namespace may stand before them in the path. */
const SHOWS_TOKEN = /(?:^|\/)auth\/token\/(?:lookup|renew)(?:-self|-accessor)?$/;
const RENEWS = /(?:^|\/)auth\/token\/renew-self$/;
const REVOKES = /(?:^|\/)auth\/token\/revoke-self$/;

/**
 * Requests that name a token or an accessor, in their body or in what follows the path, and end it or set its life:
 * https://openbao.org/api-docs/auth/token/
 */
const NAMES = /(?:^|\/)auth\/token\/(?:revoke|renew)(?:-orphan|-accessor)?(?:\/(.*))?$/;

/** Whether `assertNotAgentToken` needs the body of a request. */
export function mayNameLogin({ path }: ProxyRequest): boolean {
  return NAMES.test(path);
}

/** The longest answer about a token that is searched for the agent's token. */
const MAX_ANSWER = 1024 * 1024;

/** Whether a request is about the token that it is sent under. */
export function isAboutOwnToken({ path }: ProxyRequest): boolean {
  return REVOKES.test(path) || SHOWS_TOKEN.test(path);
}

/**
 * Why a request is not sent under the agent's login. The leases of all clients end with that login, so no client may
 * end it; and no client may get its token, neither plain (see `withoutToken`) nor wrapped.
 */
export function refuseRevokingLogin({ path, headers }: ProxyRequest): ProxyRefusal | undefined {
  if (REVOKES.test(path)) return proxyRefusal(403, 'PROXY_OWN_LOGIN', "the request would revoke the agent's own login");
  if (SHOWS_TOKEN.test(path) && headers['x-vault-wrap-ttl'] !== undefined) {
    return proxyRefusal(403, 'PROXY_OWN_LOGIN', "the request would wrap the token of the agent's own login");
  }
  return undefined;
}

/**
 * Refuses a request that names the agent's login, under whatever token: the login can make tokens that may revoke it.
 * @throws PannierError PROXY_OWN_LOGIN; API_MALFORMED for a body that the server might read in another way.
 */
export function assertNotAgentToken({ asked, body }: UpstreamRequest, { session }: Pick<Upstream, 'session'>): void {
  const named = NAMES.exec(asked.path);
  if (named === null) return;
  const texts = [named[1] ?? '', ...textsOf(new URLSearchParams(asked.query)), ...textsIn(body)];
  if (!texts.some((text) => session.names(text))) return;
  throw fail('PROXY_OWN_LOGIN', 'proxy', "the request names the agent's own login");
}

/** All texts that the server may read in a body, which is JSON or a form. */
function textsIn(body: UpstreamRequest['body']): readonly string[] {
  if (!(body instanceof Uint8Array)) return [];
  const text = Buffer.from(body).toString().trim();
  if (!text.startsWith('{')) return textsOf(new URLSearchParams(text));
  try {
    return Object.values(JSON.parse(text) as object).filter((value) => typeof value === 'string');
  } catch {
    throw fail('API_MALFORMED', 'proxy', 'the body is not JSON');
  }
}

function textsOf(params: URLSearchParams): readonly string[] {
  return [...params.values()];
}

/** Drops the body of a renewal of the agent's login: its `increment` could shorten the login unseen by the agent. */
export function dropIncrement(outgoing: UpstreamRequest): UpstreamRequest {
  return RENEWS.test(outgoing.asked.path) ? { ...outgoing, body: Buffer.from('{}') } : outgoing;
}

/** Whether an answer may hold the token of the agent's login under which it was asked for. */
export function mayHoldToken(answer: UpstreamAnswer, { path }: ProxyRequest): answer is AnswerToLogin {
  return answer.login !== undefined && SHOWS_TOKEN.test(path);
}

type AnswerToLogin = UpstreamAnswer & { readonly login: RequestLogin };

/** The answer without the token of the agent's login. @throws PannierError BACKEND_MALFORMED. */
export async function withoutToken(
  answer: AnswerToLogin,
  place: string,
  stop: CallCancellation,
): Promise<UpstreamAnswer> {
  const some = answer.some ?? (await readSome(answer.received, MAX_ANSWER, stop));
  if (!some.isWhole || answer.received.headers['content-encoding'] !== undefined) {
    throw fail(
      'BACKEND_MALFORMED',
      place,
      "an answer about the agent's login is too long, or encoded, to take the token out",
    );
  }
  const text = some.bytes.toString('utf8');
  const tokens = answer.login.token === undefined ? tokensIn(text) : [tokenText(answer.login, place)];
  const without = tokens.reduce((rest: string, token) => rest.replaceAll(token ?? '', ''), text);
  return { ...answer, some: { ...some, bytes: Buffer.from(without) } };
}

/** The token that an answer is about, where another proxy on the way has added its own. */
function tokensIn(text: string): readonly string[] {
  const fields = parseJsonObject(text);
  const found = fields && [lookUp(fields, 'data', 'id'), lookUp(fields, 'auth', 'client_token')];
  return (found ?? []).map((value) => plainText(value) ?? '').filter((token) => token !== '');
}
