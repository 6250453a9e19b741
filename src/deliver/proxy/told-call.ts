/** Below these a path takes tokens, accessors or lease ids. */
const PRIVATE = /^((?:auth\/token|sys\/(?:leases|wrapping))\/[^/]*|sys\/(?:renew|revoke)[^/]*)\/.+/;

const LONGEST = 200;

/**
 * Method and path of a request for facts. A path says what was asked for, which an audit wants; what may be a
 * credential in it is left out, and so is the query.
 */
export function toldCall(method: string, path: string): string {
  const told = path.replace(PRIVATE, '$1/…');
  return `${method} ${told.length > LONGEST ? `${told.slice(0, LONGEST)}…` : told}`;
}
