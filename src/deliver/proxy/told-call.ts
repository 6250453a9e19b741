import { readPath } from './request-path.ts';

/** Matches the part of a path that may hold tokens, accessors or lease ids, in any namespace. */
const PRIVATE =
  /((?:^|\/)(?:auth\/token|sys\/(?:leases|wrapping))\/[a-z-]*|(?:^|\/)sys\/(?:renew|revoke)[a-z-]*)(?![a-z-]).+/s;

/** Characters that would break a line of the log. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are looked for
const UNPRINTABLE = /[\0-\x1f\x7f-\x9f\u2028\u2029]/g;

/** The longest path in a fact. */
const MAX_LENGTH = 200;

/** Method and path of a request for facts, see `describeCall`. @param url as it came. */
export function describeRequest(method: string, url: string): string {
  const path = readPath(url);
  if (path === undefined) return `${method} (a path that cannot be read)`;
  return describeCall(method, path.replace(/^\/v1\//, ''));
}

/**
 * Method and path of a request for facts. An audit needs the path; the parts of it that may be credentials are left
 * out, and so is the query.
 * @param path decoded.
 */
export function describeCall(method: string, path: string): string {
  const shown = path.replace(PRIVATE, '$1/…').replace(UNPRINTABLE, encodeURIComponent);
  return `${method} ${shown.length > MAX_LENGTH ? `${shown.slice(0, MAX_LENGTH)}…` : shown}`;
}
