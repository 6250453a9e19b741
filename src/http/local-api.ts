import type { IncomingMessage } from 'node:http';
import { fail, type PannierError } from '../base/errors.ts';
import { onAbort } from '../base/on-abort.ts';
import type { Secret } from '../base/secret.ts';
import { loadHttp } from './node-http.ts';

/** The socket or the TCP port of a running agent's local API. */
export type LocalPlace =
  | (Found & { readonly kind: 'unix'; readonly path: string })
  | (Found & { readonly kind: 'tcp'; readonly host: string; readonly port: number });

interface Found {
  readonly token?: Secret;
  /** Where the address was found, for messages: `--socket`, `api.socket of the configuration`. */
  readonly from?: string;
}

export interface LocalAsk {
  /** GET when absent. */
  readonly method?: 'GET' | 'POST';
  /** Encoded, begins with a slash, includes the query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The longest wait for the whole answer; 10 s when absent. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** A whole answer of any status. */
export interface LocalAnswer {
  readonly status: number;
  /** Names are in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

const TIMEOUT_MS = 10_000;

/** No answer of an agent is longer. The limit keeps another server at that address from filling the memory. */
const MAX_BODY_BYTES = 256 * 1024 * 1024;

/**
 * Asks a running agent over its local API: one request over a connection of its own.
 * @throws PannierError AGENT_UNREACHABLE, AGENT_SILENT, AGENT_ANSWER; CANCELLED when `signal` aborts.
 */
export function askLocal(where: LocalPlace, ask: LocalAsk): Promise<LocalAnswer> {
  const { method = 'GET', path, headers = {}, timeoutMs = TIMEOUT_MS, signal } = ask;
  const shown = nameOf(where);
  return new Promise((resolve, reject) => {
    const target = where.kind === 'unix' ? { socketPath: where.path } : { host: where.host, port: where.port };
    const sent = loadHttp().request({ ...target, agent: false, method, path });
    sent.setHeader('Host', where.kind === 'unix' ? 'localhost' : shown);
    for (const [name, value] of Object.entries(headers)) sent.setHeader(name, value);
    // The token is no part of the options: Node passes these on to net.connect, which prints them under NODE_DEBUG=net.
    if (where.token !== undefined) sent.setHeader('X-Pannier-Token', where.token.exposeText('api'));
    const end = (act: () => void) => {
      clearTimeout(timer);
      cancel();
      act();
      sent.destroy();
    };
    const abandon = (error: PannierError) => end(() => reject(error));
    const timer = setTimeout(
      () => abandon(fail('AGENT_SILENT', shown, `no whole answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const cancel =
      signal === undefined
        ? () => {}
        : onAbort(signal, () => abandon(fail('CANCELLED', shown, 'the call was cancelled')));
    sent.on('error', (error) => abandon(unreachable(error, shown)));
    sent.on('response', (answer) => {
      readAll(answer).then(
        (body) => {
          const flat = answer.headers as Record<string, string | undefined>; // the local API sends no header twice
          end(() => resolve({ status: answer.statusCode ?? 0, headers: flat, body }));
        },
        () =>
          abandon(
            fail('AGENT_ANSWER', shown, `the answer broke off, or is larger than ${MAX_BODY_BYTES / 2 ** 20} MiB`),
          ),
      );
    });
    sent.end();
  });
}

/** A place for people: `/run/pannier/api.sock`, `127.0.0.1:8270`. */
export function nameOf(where: LocalPlace): string {
  if (where.kind === 'unix') return where.path;
  return where.host.includes(':') ? `[${where.host}]:${where.port}` : `${where.host}:${where.port}`;
}

async function readAll(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw new RangeError('too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function unreachable(error: unknown, shown: string): PannierError {
  const code = String((error as { code?: unknown } | null)?.code ?? 'unknown');
  if (code.startsWith('HPE_')) return fail('AGENT_ANSWER', shown, 'the program that answers there does not speak HTTP');
  const seen: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such socket',
    ECONNREFUSED: 'no process listens there',
    EACCES: 'this user has no permission to connect to it',
    EPERM: 'this user has no permission to connect to it',
    ECONNRESET: 'the connection was closed before an answer came',
  };
  return fail('AGENT_UNREACHABLE', shown, seen[code] ?? `it cannot be reached (${code})`);
}
