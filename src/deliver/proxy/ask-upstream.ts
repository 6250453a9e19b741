import type { RequestLogin } from '../../backend/vault/auth/method.ts';
import type { Upstream } from '../../backend/vault/upstream.ts';
import type { Clock } from '../../base/clock.ts';
import type { ForwardedRequest } from '../../http/forwarder.ts';
import { ownLogin, tokenText } from './caller.ts';
import type { UpstreamAnswer, UpstreamRequest } from './exchange.ts';
import { assertNotAgentToken } from './own-login.ts';
import type { ProxyCall } from './proxy-call.ts';
import { readSome } from './read-some.ts';
import type { ProxyRequest } from './request.ts';
import { isBearer } from './request.ts';

/** How much of an error's body is read; error bodies are short. */
const MAX_ERROR_BYTES = 64 * 1024;

/**
 * Sends a request to the server. When one that is sent under the agent's own login is refused, the session is asked
 * whether that login is dead; if it is, the request is sent once more under the next login, since a refused request did
 * nothing. A streamed body cannot be sent again: then the refusal is passed on, and the client's next request finds the
 * new login.
 * @throws what `ownLogin`, `assertNotAgentToken` and `Forwarder.send` throw.
 */
export async function askUpstream(
  call: ProxyCall,
  upstream: Upstream,
  clock: Clock,
  outgoing: UpstreamRequest,
): Promise<UpstreamAnswer> {
  const { caller, body } = outgoing;
  if (caller !== 'own') {
    assertNotAgentToken(outgoing, upstream);
    return { received: await upstream.send(requestOf(call, upstream, outgoing), call.stop), login: undefined };
  }
  const askUnder = async (login: RequestLogin): Promise<UpstreamAnswer> => {
    assertNotAgentToken(outgoing, upstream);
    return { received: await upstream.send(requestOf(call, upstream, outgoing, login), call.stop), login };
  };
  const answer = await askUnder(await ownLogin(upstream, clock, call.stop));
  const { received, login } = answer;
  if (received.statusCode !== 403 || login === undefined) return answer;
  const some = await readSome(received, MAX_ERROR_BYTES, call.stop);
  const reason = saysInvalid(outgoing.asked, some.bytes) ? 'invalid' : undefined;
  const verdict = await upstream.session.suspect(login.id, reason);
  if (verdict === 'alive' || !(body === undefined || body instanceof Uint8Array)) return { ...answer, some };
  received.destroy();
  return await askUnder(await ownLogin(upstream, clock, call.stop));
}

function requestOf(
  { response }: ProxyCall,
  { namespace, place }: Upstream,
  { asked: { method, url, passed, headers: given }, caller, body, withCertificate }: UpstreamRequest,
  login?: RequestLogin,
): ForwardedRequest {
  const headers = caller === 'client' ? [...passed] : withoutTokens(passed);
  const token = login && tokenText(login, place);
  if (token !== undefined) headers.push('X-Vault-Token', token);
  if (namespace !== undefined && given['x-vault-namespace'] === undefined) headers.push('X-Vault-Namespace', namespace);
  return {
    method,
    path: url,
    headers,
    withCertificate,
    ...(body === undefined ? {} : { body }),
    onInformation: ({ statusCode, headers: information }) => {
      if (!response.headersSent) (response as InformationWriter).writeInformation?.(statusCode, information);
    },
  };
}

function withoutTokens(passed: readonly string[]): string[] {
  const headers: string[] = [];
  for (let i = 0; i < passed.length; i += 2) {
    const [name, value] = [passed[i] as string, passed[i + 1] as string];
    const known = name.toLowerCase();
    const isToken = known === 'x-vault-token' || (known === 'authorization' && isBearer(value));
    if (!isToken) headers.push(name, value);
  }
  return headers;
}

/** Node 24 and later: https://nodejs.org/api/http.html#responsewriteinformationstatuscode-headers-callback */
interface InformationWriter {
  writeInformation?(status: number, headers: object): void;
}

/**
 * Whether a refusal says that the token of the request is invalid. Vault says so; OpenBao only denies. On paths that
 * are about other tokens, leases and logins the words may mean those, so there they count for nothing.
 */
function saysInvalid({ path }: ProxyRequest, body: Buffer): boolean {
  return !ABOUT_OTHERS.test(path) && INVALID_TOKEN.test(body.toString('latin1'));
}

const ABOUT_OTHERS = /(?:^|\/)(?:auth|sys)\//;

/**
 * The words in `errors`, which in JSON are such as `2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n`.
 */
const INVALID_TOKEN = /(?:"|\* )invalid token(?:"|\\n)/;
