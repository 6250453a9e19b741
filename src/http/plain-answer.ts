import { headersByName } from './headers-by-name.ts';

/** A whole answer of a server. It has what the proxy needs of Node's IncomingMessage, without a stream. */
export class PlainAnswer {
  readonly statusCode: number;
  /** Name, value, name, value, … */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** The Keep-Alive header, which is about the connection; undefined: there is none. */
  readonly keepAlive: string | undefined;
  #headers: Record<string, string> | undefined;

  constructor(statusCode: number, rawHeaders: readonly string[], body: Buffer, keepAlive?: string) {
    this.statusCode = statusCode;
    this.keepAlive = keepAlive;
    this.rawHeaders = rawHeaders;
    this.body = body;
  }

  /** By name in lower case; a header that came several times is joined with `, `. */
  get headers(): Readonly<Record<string, string | undefined>> {
    this.#headers ??= headersByName(this.rawHeaders);
    return this.#headers;
  }

  /** Does nothing: the connection has been given back. */
  destroy(): void {}
}

/** A head of no more than this is looked at; most have a few hundred bytes. */
const MAX_HEAD = 8 * 1024;

/**
 * A head of the plainest form: a final status that may have a body, a space and a reason, header lines of ASCII, no
 * line that goes on in the next one. What does not fit is no error: it is read by Node's parser.
 */
const HEAD = /^HTTP\/1\.1 [2-5]\d\d [\t\x20-\x7e]*(?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e]*)*$/;

/**
 * Reads an answer if `bytes` are all of it, no more and no less, in the plainest form: HTTP/1.1, one `Content-Length`,
 * no coding of the transfer, and a connection that is kept. Undefined: it has another form, or its rest is still to
 * come. `bytes` are the first of an answer to a request whose method is not HEAD.
 */
export function readPlainAnswer(bytes: Buffer): PlainAnswer | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0 || end > MAX_HEAD) return undefined;
  const head = bytes.toString('latin1', 0, end);
  if (!HEAD.test(head)) return undefined;
  const status = Number(head.slice(9, 12));
  if (status === 204 || status === 304) return undefined;
  const rawHeaders: string[] = [];
  let length: number | undefined;
  let keepAlive: string | undefined;
  for (let at = head.indexOf('\r\n'); at >= 0; ) {
    const next = head.indexOf('\r\n', at + 2);
    const line = next < 0 ? head.slice(at + 2) : head.slice(at + 2, next);
    const colon = line.indexOf(':');
    const [name, value] = [line.slice(0, colon), line.slice(colon + 1).trim()];
    switch (name.toLowerCase()) {
      case 'content-length':
        if (length !== undefined || !/^\d{1,9}$/.test(value)) return undefined;
        length = Number(value);
        break;
      case 'connection':
        if (value.toLowerCase() !== 'keep-alive') return undefined;
        break;
      case 'keep-alive':
        keepAlive ??= value;
        break;
      case 'transfer-encoding':
      case 'upgrade':
        return undefined;
    }
    rawHeaders.push(name, value);
    at = next;
  }
  if (length === undefined || end + 4 + length !== bytes.length) return undefined;
  return new PlainAnswer(status, rawHeaders, bytes.subarray(end + 4), keepAlive);
}
