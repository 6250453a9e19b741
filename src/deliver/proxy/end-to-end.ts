/** Headers that are for one hop only: https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1. */
const HOP_BY_HOP = new Set([
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

/** Headers of a request that the proxy answers itself or makes anew. */
const FOR_THE_PROXY = new Set(['host', 'expect', 'content-length']);

/** The headers of a request that are meant for the server, as they came: name, value, name, value, … */
export function requestHeaders(raw: readonly string[]): string[] {
  return endToEnd(raw, (name) => FOR_THE_PROXY.has(name));
}

/** The headers of an answer that are meant for the client. @param isDropped by name in lower case. */
export function answerHeaders(raw: readonly string[], isDropped: (name: string) => boolean = () => false): string[] {
  return endToEnd(raw, isDropped);
}

/** Whether `Connection` names a header that matches `name`. */
export function connectionNames(raw: readonly string[], name: RegExp): boolean {
  return [...(namedByConnection(raw) ?? [])].some((one) => name.test(one));
}

function endToEnd(raw: readonly string[], isDropped: (name: string) => boolean): string[] {
  const named = namedByConnection(raw);
  const all: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    const known = name.toLowerCase();
    if (!HOP_BY_HOP.has(known) && !named?.has(known) && !isDropped(known)) all.push(name, raw[i + 1] as string);
  }
  return all;
}

/** The headers that `Connection` makes hop-by-hop; undefined: none. */
function namedByConnection(raw: readonly string[]): Set<string> | undefined {
  let named: Set<string> | undefined;
  for (let i = 0; i < raw.length; i += 2) {
    const value = raw[i + 1] as string;
    if ((raw[i] as string).toLowerCase() !== 'connection' || /^(?:keep-alive|close)$/i.test(value)) continue;
    named = new Set([...(named ?? []), ...value.split(',').map((one) => one.trim().toLowerCase())]);
  }
  return named;
}
