/** Of one hop only: https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1. Lengths are said anew by whoever sends. */
const OF_A_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Answered, or said anew, by whoever takes the request. */
const OF_A_REQUEST = new Set(['host', 'expect', 'content-length']);

/** What of a request's headers is meant for the server: name, value, name, value, …, as they came. */
export function requestHeaders(raw: readonly string[]): string[] {
  return kept(raw, (name) => OF_A_REQUEST.has(name));
}

/** What of an answer's headers is meant for the client. */
export function answerHeaders(raw: readonly string[], isDropped: (name: string) => boolean = () => false): string[] {
  return kept(raw, isDropped);
}

/** Whether `Connection` names a header of such a name. */
export function connectionNames(raw: readonly string[], name: RegExp): boolean {
  return [...(namedByConnection(raw) ?? [])].some((one) => name.test(one));
}

function kept(raw: readonly string[], isDropped: (name: string) => boolean): string[] {
  const named = namedByConnection(raw);
  const all: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    const known = name.toLowerCase();
    if (!OF_A_HOP.has(known) && !named?.has(known) && !isDropped(known)) all.push(name, raw[i + 1] as string);
  }
  return all;
}

/** Headers that `Connection` names are of this hop too. */
function namedByConnection(raw: readonly string[]): Set<string> | undefined {
  let named: Set<string> | undefined;
  for (let i = 0; i < raw.length; i += 2) {
    const value = raw[i + 1] as string;
    if ((raw[i] as string).toLowerCase() !== 'connection' || /^(?:keep-alive|close)$/i.test(value)) continue;
    named = new Set([...(named ?? []), ...value.split(',').map((one) => one.trim().toLowerCase())]);
  }
  return named;
}
