import type { LiveLogin } from '../../backend/vault/auth/method.ts';
import type { Upstream } from '../../backend/vault/upstream.ts';
import { fail } from '../../base/errors.ts';
import type { CallCancellation } from '../../http/call-cancellation.ts';
import { tokenText } from './caller.ts';
import type { UpstreamAnswer, UpstreamRequest } from './exchange.ts';
import { readSome } from './read-some.ts';
import type { ProxyRequest } from './request.ts';
import { type ProxyRefusal, proxyRefusal } from './vault-reply.ts';

/** Whose answers hold the token that they are asked about; also in a namespace that the path names. */
const TELLS = /(?:^|\/)auth\/token\/(?:lookup|renew)(?:-self|-accessor)?$/;
const RENEWS = /(?:^|\/)auth\/token\/renew-self$/;
const REVOKES = /(?:^|\/)auth\/token\/revoke-self$/;

/**
 * Requests that name a token or an accessor, in their body or in what follows the path, and end it or set its life:
 * https://openbao.org/api-docs/auth/token/
 */
const NAMES = /(?:^|\/)auth\/token\/(?:revoke|renew)(?:-orphan|-accessor)?(?:\/(.*))?$/;

/** Whether the body must be held for `sparesNamed` to look into. */
export function mayNameLogin({ path }: ProxyRequest): boolean {
  return NAMES.test(path);
}

const MAX_TOLD = 1024 * 1024;

/**
 * Why a request is not made under the agent's login. It belongs to the agent: everybody's leases end with it, so nobody
 * ends it here; and its token is given to nobody, neither plain (see `withoutToken`) nor wrapped.
 */
export function refuseRevokingLogin({ path, headers }: ProxyRequest): ProxyRefusal | undefined {
  if (REVOKES.test(path)) return proxyRefusal(403, 'PROXY_OWN_LOGIN', "it would revoke the agent's own login");
  if (TELLS.test(path) && headers['x-vault-wrap-ttl'] !== undefined) {
    return proxyRefusal(403, 'PROXY_OWN_LOGIN', "it would wrap the token of the agent's own login");
  }
  return undefined;
}

/**
 * Refuses a request that names the agent's login, whoever makes it: the login can make tokens that may revoke it.
 * @throws PannierError PROXY_OWN_LOGIN; API_MALFORMED for a body that the server may read otherwise than we do.
 */
export function assertNotAgentToken({ asked, body }: UpstreamRequest, { session }: Pick<Upstream, 'session'>): void {
  const named = NAMES.exec(asked.path);
  if (named === null) return;
  const texts = [named[1] ?? '', ...textsOf(new URLSearchParams(asked.query)), ...textsIn(body)];
  if (!texts.some((text) => session.names(text))) return;
  throw fail('PROXY_OWN_LOGIN', 'proxy', "it names the agent's own login");
}

/** What the server may take from a body, which is JSON or a form. */
function textsIn(body: UpstreamRequest['body']): readonly string[] {
  if (!(body instanceof Uint8Array)) return [];
  const text = Buffer.from(body).toString().trim();
  if (!text.startsWith('{')) return textsOf(new URLSearchParams(text));
  try {
    return Object.values(JSON.parse(text) as object).filter((value) => typeof value === 'string');
  } catch {
    throw fail('API_MALFORMED', 'proxy', 'the body is no JSON');
  }
}

function textsOf(params: URLSearchParams): readonly string[] {
  return [...params.values()];
}

/** A renewal of the agent's login asks for its own time: an `increment` could shorten it behind the agent's back. */
export function dropIncrement(outgoing: UpstreamRequest): UpstreamRequest {
  return RENEWS.test(outgoing.asked.path) ? { ...outgoing, body: Buffer.from('{}') } : outgoing;
}

/** Whether an answer may hold the token of the agent's login that it was given to. */
export function tellsToken(answer: UpstreamAnswer, { path }: ProxyRequest): answer is AnswerToOwn {
  return answer.login !== undefined && TELLS.test(path);
}

type AnswerToOwn = UpstreamAnswer & { readonly login: LiveLogin };

/** Such an answer with the token taken out. */
export async function withoutToken(
  answer: AnswerToOwn,
  place: string,
  stop: CallCancellation,
): Promise<UpstreamAnswer> {
  const some = answer.some ?? (await readSome(answer.received, MAX_TOLD, stop));
  if (!some.isWhole || answer.received.headers['content-encoding'] !== undefined) {
    throw fail('BACKEND_MALFORMED', place, 'an answer about the login that cannot be looked through');
  }
  const text = some.bytes.toString('utf8').replaceAll(tokenText(answer.login, place), '');
  return { ...answer, some: { ...some, bytes: Buffer.from(text) } };
}
