import type { LiveLogin } from '../../backend/vault/auth/method.ts';
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

/** Error bodies are short. */
const MAX_REFUSED = 64 * 1024;

/**
 * Passes a request on. One that is refused under the agent's own login asks the session whether that login is dead, and
 * is made once more under the next when it is: a refused request did nothing. A body that streamed by is gone, so such
 * a request is refused, and the client's next one finds the new login.
 * @throws what `ownLogin`, `sparesNamed` and `Forwarder.send` throw.
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
  const askUnder = async (login: LiveLogin): Promise<UpstreamAnswer> => {
    assertNotAgentToken(outgoing, upstream);
    return { received: await upstream.send(requestOf(call, upstream, outgoing, login), call.stop), login };
  };
  const answer = await askUnder(await ownLogin(upstream, clock, call.stop));
  const { received, login } = answer;
  if (received.statusCode !== 403 || login === undefined) return answer;
  const some = await readSome(received, MAX_REFUSED, call.stop);
  const said = saysInvalid(outgoing.asked, some.bytes) ? 'invalid' : undefined;
  const verdict = await upstream.session.suspect(login.id, said);
  if (verdict === 'alive' || !(body === undefined || body instanceof Uint8Array)) return { ...answer, some };
  received.destroy();
  return await askUnder(await ownLogin(upstream, clock, call.stop));
}

function requestOf(
  { response }: ProxyCall,
  { namespace, place }: Upstream,
  { asked: { method, url, passed, headers: given }, caller, body, withCertificate }: UpstreamRequest,
  login?: LiveLogin,
): ForwardedRequest {
  const headers = caller === 'client' ? [...passed] : withoutTokens(passed);
  if (login !== undefined) headers.push('X-Vault-Token', tokenText(login, place));
  if (namespace !== undefined && given['x-vault-namespace'] === undefined) headers.push('X-Vault-Namespace', namespace);
  return {
    method,
    path: url,
    headers,
    withCertificate,
    ...(body === undefined ? {} : { body }),
    onInformation: ({ statusCode, headers: told }) => {
      if (!response.headersSent) (response as Informing).writeInformation?.(statusCode, told);
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
interface Informing {
  writeInformation?(status: number, headers: object): void;
}

/**
 * Whether a refusal calls the token invalid that the request was made with: Vault does, OpenBao only denies. Where
 * requests are about tokens, leases and logins of others, such words are about theirs, and say nothing of ours.
 */
function saysInvalid({ path }: ProxyRequest, body: Buffer): boolean {
  return !ABOUT_OTHERS.test(path) && INVALID_TOKEN.test(body.toString('latin1'));
}

const ABOUT_OTHERS = /(?:^|\/)(?:auth|sys)\//;

/** In `errors`: `2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n`, in JSON. */
const INVALID_TOKEN = /(?:"|\* )invalid token(?:"|\\n)/;
