import { fail } from '../../../base/errors.ts';
import { Secret } from '../../../base/secret.ts';

/**
 * Encodes a path below `/v1/` segment by segment. `.` and `..` are refused: the server would resolve them, and the
 * request would reach another path than the configured one.
 * @throws PannierError BACKEND_REJECTED also for text that is not Unicode.
 */
export function encodePath(path: string, place: string): string {
  const segments = path.replace(/^\/+/, '').split('/');
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    const hint = 'Write the path without them.';
    throw fail('BACKEND_REJECTED', place, 'the path has the segment "." or ".."', { hint });
  }
  return segments.map((segment) => encode(segment, place)).join('/');
}

/** Encodes a query as `?a=1&b=2`; returns the empty text for an empty or absent one. */
export function encodeQuery(query: Readonly<Record<string, string>> | undefined, place: string): string {
  const pairs = Object.entries(query ?? {}).map(([name, value]) => `${encode(name, place)}=${encode(value, place)}`);
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

/**
 * Encodes a body as JSON. A Secret in it is written as its own type of value; a number keeps its source text. Members
 * that are `undefined` are left out.
 * @throws PannierError BACKEND_REJECTED for values that JSON cannot hold.
 */
export function encodeBody(body: unknown, place: string): Uint8Array {
  return Buffer.from(encodeValue(body, place), 'utf8');
}

function encodeValue(value: unknown, place: string): string {
  if (value instanceof Secret) return encodeSecret(value, place);
  if (Array.isArray(value)) return `[${value.map((item) => encodeValue(item, place)).join(',')}]`;
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (typeof value !== 'object') throw fail('BACKEND_REJECTED', place, `the data to write holds a ${typeof value}`);
  const members = value instanceof Map ? [...value] : Object.entries(value);
  const written = members
    .filter(([, member]) => member !== undefined)
    .map(([name, member]) => `${JSON.stringify(String(name))}:${encodeValue(member, place)}`);
  return `{${written.join(',')}}`;
}

function encodeSecret(value: Secret, place: string): string {
  if (value.type === 'bytes') {
    const hint = 'Encode the bytes, for example as base64.';
    throw fail('BACKEND_REJECTED', place, 'the data to write holds bytes that are not UTF-8', { hint });
  }
  const text = value.exposeText('backend');
  return value.type === 'string' ? JSON.stringify(text) : text;
}

function encode(text: string, place: string): string {
  if (!text.isWellFormed()) throw fail('BACKEND_REJECTED', place, 'the path or query holds text that is not Unicode');
  return encodeURIComponent(text);
}
