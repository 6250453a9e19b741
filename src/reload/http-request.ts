import type { ClientRequest } from 'node:http';
import { errnoWord } from '../base/errno.ts';
import { holdsCertificate } from '../base/holds-certificate.ts';
import { onAbort } from '../base/on-abort.ts';
import { readFileInTime } from '../base/read-file.ts';
import { loadHttp, loadHttps } from '../http/node-http.ts';
import { WireError } from '../http/wire-error.ts';

export interface OneRequest {
  readonly method: string;
  readonly url: URL;
  /** Path of a unix socket to connect to instead of the URL's host. */
  readonly socket?: string;
  /** File of certificates to trust in the place of the usual ones. */
  readonly caFile?: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body?: Uint8Array;
}

/** How a request ended. */
export type OneAnswer =
  | { readonly kind: 'answered'; readonly status: number }
  /** The connection failed; `code` is that of a WireError. */
  | { readonly kind: 'broken'; readonly code: string }
  /** What is wrong with `caFile`. */
  | { readonly kind: 'no-ca'; readonly why: string }
  /** `signal` was aborted before a status came. */
  | { readonly kind: 'aborted' };

/** After this much of an answer's body, the connection is closed. */
const MAX_BODY_BYTES = 1024 * 1024;

const MAX_CA_BYTES = 16 * 1024 * 1024;

async function readCa(path: string, signal: AbortSignal): Promise<string> {
  return (await readFileInTime(path, { maxBytes: MAX_CA_BYTES, signal })).bytes.toString('utf8');
}

/**
 * Sends one request over a connection of its own, never through a proxy, and follows no redirect. The body of the
 * answer is read and dropped, so that the application can finish sending it. Never throws.
 *
 * Once a status has come, the request is `answered`, even when the body is cut off or `signal` aborts meanwhile.
 */
export async function sendOnce(request: OneRequest, signal: AbortSignal): Promise<OneAnswer> {
  let ca: string | undefined;
  try {
    ca = request.caFile === undefined ? undefined : await readCa(request.caFile, signal);
  } catch (error) {
    if (signal.aborted) return { kind: 'aborted' };
    return { kind: 'no-ca', why: `cannot be read (${errnoWord(error)})` };
  }
  if (ca !== undefined && !holdsCertificate(ca)) return { kind: 'no-ca', why: 'holds no certificate in PEM' };
  if (signal.aborted) return { kind: 'aborted' };
  return new Promise((resolve) => {
    let sent: ClientRequest;
    try {
      sent = begin(request, ca);
    } catch (error) {
      return resolve({ kind: 'broken', code: new WireError(error, { stale: false, midway: false }).code });
    }
    let status: number | undefined;
    const end = (withoutStatus: OneAnswer) => {
      cancel();
      resolve(status === undefined ? withoutStatus : { kind: 'answered', status });
      sent.destroy();
    };
    const broken = (error: unknown) =>
      end({ kind: 'broken', code: new WireError(error, { stale: false, midway: false }).code });
    const cancel = onAbort(signal, () => end({ kind: 'aborted' }));
    sent.on('error', broken);
    sent.on('close', () => broken({ code: 'ECONNRESET' }));
    sent.on('response', (answer) => {
      status = answer.statusCode ?? 0;
      let left = MAX_BODY_BYTES;
      answer.on('data', (chunk: Buffer) => {
        left -= chunk.length;
        if (left < 0) end({ kind: 'aborted' });
      });
      answer.on('error', broken);
      answer.on('end', broken);
    });
    sent.end(request.body);
  });
}

/**
 * Headers are set on the request and not in its options, as Node passes these on to `net.connect`. `rejectUnauthorized`
 * is always set, so that NODE_TLS_REJECT_UNAUTHORIZED has no effect.
 */
function begin({ method, url, socket, headers, body }: OneRequest, ca: string | undefined): ClientRequest {
  const secure = url.protocol === 'https:';
  const options = {
    agent: false,
    method,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    path: `${url.pathname}${url.search}`,
    ...(socket === undefined ? {} : { socketPath: socket }),
  };
  const sent = secure
    ? loadHttps().request({ ...options, rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) })
    : loadHttp().request(options);
  for (const [name, value] of headers) sent.setHeader(name, value);
  if (body !== undefined) sent.setHeader('Content-Length', body.length);
  return sent;
}
