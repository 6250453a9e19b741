import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import { isIP, type Socket } from 'node:net';
import type { Asked, Phase } from './waits.ts';

/** Takes what becomes of each request of this process. */
export interface RequestWatcher {
  asked(request: object, asked: Asked): void;
  reached(request: object, phase: Phase): void;
  ended(request: object): void;
}

/** Node tells of each request of its HTTP client: https://nodejs.org/api/diagnostics_channel.html#http */
const CHANNEL = 'http.client.request.created';

/**
 * Watches the requests that this process sends, without a line of code in what sends them: only a terminal pays for it.
 * @returns ends the watch.
 */
export function watchRequests({ asked, reached, ended }: RequestWatcher): () => void {
  const onRequest = (message: unknown) => {
    const { request } = message as {
      readonly request: ClientRequest & { readonly socketPath?: string; port?: number };
    };
    const where = request.socketPath ?? `${request.host}:${portOf(request)}`;
    asked(request, { where, path: request.path });
    request.once('socket', (socket: Socket & { readonly encrypted?: boolean }) => {
      const isNew = socket.connecting;
      const hasName = request.socketPath === undefined && isIP(request.host.replace(/^\[|\]$/g, '')) === 0;
      reached(request, isNew ? (hasName ? 'the name look-up' : 'the connection') : 'the answer');
      if (!isNew) return;
      socket.once('lookup', () => reached(request, 'the connection'));
      socket.once('connect', () => reached(request, socket.encrypted === true ? 'the TLS handshake' : 'the answer'));
      socket.once('secureConnect', () => reached(request, 'the answer'));
    });
    request.once('close', () => ended(request));
  };
  subscribe(CHANNEL, onRequest);
  return () => void unsubscribe(CHANNEL, onRequest);
}

/** Node keeps the port of a request nowhere but in the Host header. */
function portOf(request: ClientRequest): string {
  const host = String(request.getHeader('host') ?? '');
  const [, port] = /:(\d+)$/.exec(host) ?? [];
  return port ?? (request.protocol === 'https:' ? '443' : '80');
}
