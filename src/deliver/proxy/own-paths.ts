import { sendReply } from '../http/reply.ts';
import type { ProxyCall } from './proxy-call.ts';
import { type ProxyRefusal, proxyRefusal } from './vault-reply.ts';

/** What a client asks of the proxy itself, by its path. Vault Agent and Vault Proxy have different prefixes. */
const OWN_PATHS: ReadonlyMap<string, 'clear' | 'quit'> = new Map(
  (['agent', 'proxy'] as const).flatMap((prefix) => [
    [`/${prefix}/v1/cache-clear`, 'clear'] as const,
    [`/${prefix}/v1/quit`, 'quit'] as const,
  ]),
);

export function ownActionOf(url: string | undefined): 'clear' | 'quit' | undefined {
  return OWN_PATHS.get(url ?? '');
}

/**
 * Ends the agent once the client has its answer, where the configuration allows it:
 * https://openbao.org/docs/agent-and-proxy/agent/#quit
 */
export function quit(call: ProxyCall, isAllowed: boolean, stop: () => void): void {
  const refused = isAllowed ? refuseMethod(call) : proxyRefusal(404, 'API_NO_ROUTE', 'proxy.quit is not true');
  if (refused !== undefined) {
    call.refuse(refused);
    return;
  }
  call.leaveBody();
  call.response.once('close', stop);
  sendReply(call.response, { status: 200 });
}

/** The refusal of a request that is not POST or PUT. */
export function refuseMethod({ request: { method } }: ProxyCall): ProxyRefusal | undefined {
  if (method === 'POST' || method === 'PUT') return undefined;
  return { ...proxyRefusal(405, 'API_METHOD', `this path takes POST or PUT, not ${method}`), allow: 'POST, PUT' };
}
