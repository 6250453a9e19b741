import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Clock } from '../base/clock.ts';
import { asFailure } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';
import type { TlsConfig } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { type Endpoint, openEndpoint } from '../http/endpoint.ts';
import { openRequest } from '../http/exchange.ts';
import type { Pool } from '../http/pool.ts';
import { WireError, wireFailure } from '../http/wire-error.ts';
import { BEAT_MS, parseRelayLine, RELAY_PATH, type RelayLine, type RelayRequest } from './relay-protocol.ts';

export interface RelayDeps {
  readonly tls: TlsConfig;
  /** Reads the token that the relay knows this agent by. Absent: its certificate is enough. */
  readonly readToken?: ((signal: AbortSignal) => Promise<Secret>) | undefined;
  /** Configuration path, for failures. */
  readonly place: string;
  readonly clock: Clock;
  readonly env: Environment;
  readonly version: string;
}

export interface RelayStream {
  /** Resolves when the connection has ended, to why; to undefined when it was closed here. Never rejects. */
  readonly ended: Promise<string | undefined>;
  close(): void;
}

/** A relay that says nothing for so long is not there any more: it sends a line each `BEAT_MS`. */
export const SILENT_MS = 2.5 * BEAT_MS;

/** The longest line: that all topics of a request have changed. */
const MAX_LINE_LENGTH = 4 * 1024 * 1024;

/** Posts the topics to a relay, and tells each line of its answer. */
export function connectRelay(
  url: string,
  asked: RelayRequest,
  deps: RelayDeps,
  heard: (line: RelayLine) => void,
): RelayStream {
  const stop = new AbortController();
  const { tls, place, clock, env } = deps;
  let pool: Pool | undefined;

  const talk = async (): Promise<string | undefined> => {
    const endpoint = openEndpoint({ address: url, tls, clock, env, place });
    const { target, base } = endpoint;
    pool = endpoint.pool;
    const token = await deps.readToken?.(stop.signal);
    const agent = await pool.agentFor(target.kind === 'tcp' ? target.protocol : 'http:');
    if (stop.signal.aborted) return undefined;
    const path = `${base}${RELAY_PATH}`;
    const sent = openRequest(agent, target, { method: 'POST', path, timeout: undefined });
    const body = Buffer.from(JSON.stringify(asked));
    sent.setHeader('Content-Type', 'application/json');
    sent.setHeader('Content-Length', body.length);
    sent.setHeader('User-Agent', `pannier/${deps.version}`);
    if (token !== undefined) sent.setHeader('Authorization', `Bearer ${token.exposeText('backend')}`);
    sent.end(body);
    return await read(sent, endpoint);
  };

  const read = (sent: ClientRequest, { address, proxied }: Endpoint): Promise<string | undefined> =>
    new Promise((resolve) => {
      let cancelSilence = () => {};
      const end = (why: string | undefined) => {
        cancelSilence();
        stop.signal.removeEventListener('abort', close);
        sent.destroy();
        resolve(stop.signal.aborted ? undefined : why);
      };
      const close = () => end(undefined);
      const listen = () => {
        cancelSilence();
        cancelSilence = clock.after(SILENT_MS, () => end('it was silent for too long'));
      };
      stop.signal.addEventListener('abort', close, { once: true });
      listen();
      sent.on('error', (error) => {
        const wire = new WireError(error, { stale: false, midway: false });
        end(wireFailure(wire, { place, address, proxied }).failure.seen);
      });
      sent.on('response', (answer) => {
        if (answer.statusCode !== 200) return end(refusal(answer));
        let rest = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => {
          if (stop.signal.aborted) return;
          listen();
          const lines = (rest + chunk).split('\n');
          rest = lines.pop() ?? '';
          for (const text of lines) {
            const line = parseRelayLine(text);
            if (line === undefined) return end('it does not answer as a relay does');
            heard(line);
            if (stop.signal.aborted) return;
          }
          if (rest.length > MAX_LINE_LENGTH) end('it does not answer as a relay does');
        });
        answer.on('error', () => end('the connection was closed'));
        answer.on('close', () => end('the connection was closed'));
      });
    });

  const ended = talk()
    .catch((error: unknown) => asFailure(error, place).seen)
    .then((why) => {
      pool?.destroy();
      return why;
    });
  return { ended, close: () => stop.abort() };
}

function refusal({ statusCode }: IncomingMessage): string {
  switch (statusCode) {
    case 401:
      return 'it knows neither the token nor the certificate of this agent';
    case 413:
      return 'it does not take so many paths';
    default:
      return `it answered HTTP ${statusCode}`;
  }
}
