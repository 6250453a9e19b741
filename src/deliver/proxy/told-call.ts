import { readPath } from './request-path.ts';

/** After these a path holds tokens, accessors or lease ids, in whichever namespace. */
const PRIVATE =
  /((?:^|\/)(?:auth\/token|sys\/(?:leases|wrapping))\/[a-z-]*|(?:^|\/)sys\/(?:renew|revoke)[a-z-]*)(?![a-z-]).+/s;

/** What would break a line of the log. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}]/gu;

const LONGEST = 200;

/** A request as it came, for facts. */
export function toldRequest(method: string, url: string): string {
  const path = readPath(url);
  return path === undefined ? `${method} (a path that cannot be read)` : toldCall(method, path.replace(/^\/v1\//, ''));
}

/**
 * Method and path of a request for facts. A path says what was asked for, which an audit wants; what may be a
 * credential in it is left out, and so is the query.
 */
export function toldCall(method: string, path: string): string {
  const told = path.replace(PRIVATE, '$1/…').replace(UNPRINTABLE, encodeURIComponent);
  return `${method} ${told.length > LONGEST ? `${told.slice(0, LONGEST)}…` : told}`;
}
