import { fail } from '../../../base/errors.ts';
import { Secret } from '../../../base/secret.ts';

/**
 * A path below `/v1/`, encoded segment by segment. `.` and `..` are refused: the server would clean them away, and the
 * request would reach another path than the one that was configured.
 * @throws PannierError BACKEND_REJECTED
 */
export function encodePath(path: string, place: string): string {
  const segments = path.replace(/^\/+/, '').split('/');
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    throw fail('BACKEND_REJECTED', place, 'a path with the segment "." or ".."', { hint: 'Write the path in full.' });
  }
  return segments.map((segment) => encode(segment, place)).join('/');
}

/** `?a=1&b=2`, or nothing. */
export function encodeQuery(query: Readonly<Record<string, string>> | undefined, place: string): string {
  const pairs = Object.entries(query ?? {}).map(([name, value]) => `${encode(name, place)}=${encode(value, place)}`);
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

/**
 * The body as JSON bytes. A Secret in it leaves here, as the kind of value it is: a number keeps its source text.
 * Members that are `undefined` are left out.
 * @throws PannierError BACKEND_REJECTED for what JSON cannot hold.
 */
export function encodeBody(body: unknown, place: string): Uint8Array {
  return Buffer.from(encodeValue(body, place), 'utf8');
}

function encodeValue(value: unknown, place: string): string {
  if (value instanceof Secret) return encodeSecret(value, place);
  if (Array.isArray(value)) return `[${value.map((item) => encodeValue(item, place)).join(',')}]`;
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (typeof value !== 'object') throw fail('BACKEND_REJECTED', place, `a ${typeof value} in the data to write`);
  const members = value instanceof Map ? [...value] : Object.entries(value);
  const written = members
    .filter(([, member]) => member !== undefined)
    .map(([name, member]) => `${JSON.stringify(String(name))}:${encodeValue(member, place)}`);
  return `{${written.join(',')}}`;
}

function encodeSecret(value: Secret, place: string): string {
  if (value.type === 'bytes') {
    throw fail('BACKEND_REJECTED', place, 'bytes that are not UTF-8 in the data to write', { hint: 'Encode them.' });
  }
  const text = value.exposeText('backend');
  return value.type === 'string' ? JSON.stringify(text) : text;
}

function encode(text: string, place: string): string {
  if (!text.isWellFormed()) throw fail('BACKEND_REJECTED', place, 'text that is not Unicode in the path');
  return encodeURIComponent(text);
}
