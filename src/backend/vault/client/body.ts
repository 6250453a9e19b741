import { fail, type PannierError } from '../../../base/errors.ts';
import { parseJson } from '../../../base/json.ts';
import { type Fields, isFields, type Value } from '../../../base/value.ts';
import type { WireAnswer } from '../../../http/exchange.ts';

const EMPTY: Fields = new Map();
const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/** The texts with which Go's HTTP server and nginx answer (status 400) a request without TLS on their TLS port. */
const HTTP_TO_HTTPS = [
  'Client sent an HTTP request to an HTTPS server.',
  'The plain HTTP request was sent to HTTPS port',
];

/**
 * Parses a body to fields. An empty body has no fields, as in Vault's own client. With an error status, a body that is
 * not JSON (a page of a load balancer) counts as empty, since the status says enough.
 * @throws PannierError BACKEND_MALFORMED for a success that is not a JSON object, and for an answer of a TLS port.
 */
export function readBody({ status, headers, body }: WireAnswer, address: string, place: string): Fields {
  if (body.length === 0) return EMPTY;
  const success = status >= 200 && status <= 299;
  if (!success && status === 400 && isHttpToHttps(body)) {
    const hint = 'Write https:// in address.';
    throw fail('BACKEND_MALFORMED', place, `the server at ${address} speaks TLS on this port`, { hint });
  }
  const fields = parse(body);
  if (isFields(fields)) return fields;
  if (!success) return EMPTY;
  throw malformed(headers, `HTTP ${status} from ${address}`, place);
}

function parse(body: Uint8Array): Value | undefined {
  try {
    return parseJson(strictUtf8.decode(body));
  } catch {
    return undefined;
  }
}

function malformed(headers: WireAnswer['headers'], from: string, place: string): PannierError {
  const encoded = !['', 'identity'].includes(headers['content-encoding'] ?? '');
  const html = (headers['content-type'] ?? '').startsWith('text/html');
  const what = encoded ? 'compressed, which was not asked for' : html ? 'a web page' : 'not a JSON object';
  return fail('BACKEND_MALFORMED', place, `the answer ${from} is ${what}`);
}

function isHttpToHttps(body: Uint8Array): boolean {
  const text = Buffer.from(body.subarray(0, 1000)).toString('latin1');
  return HTTP_TO_HTTPS.some((said) => text.includes(said));
}
