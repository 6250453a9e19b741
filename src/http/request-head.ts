import type { Target } from './target.ts';

/** What the parts of a head may consist of, as Node's client checks it: none of them may end a line. */
const METHOD = /^[A-Z]+$/;
const PATH = /^[\x21-\xff]+$/;
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Methods that announce no body when they have none. */
const BODILESS = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS']);

/**
 * The head of a request as Node's client writes it, in latin1. Undefined: it holds a character that no head may hold;
 * Node's client then says which.
 * @param headers name, value, name, value, …
 * @param length of the body; undefined: there is none.
 */
export function requestHead(
  target: Target,
  method: string,
  path: string,
  headers: readonly string[],
  length: number | undefined,
): string | undefined {
  if (!METHOD.test(method) || !PATH.test(path)) return undefined;
  let head = `${method} ${path} HTTP/1.1\r\nHost: ${hostOf(target)}\r\n`;
  for (let i = 0; i < headers.length; i += 2) {
    const [name, value] = [headers[i] as string, headers[i + 1] as string];
    if (!NAME.test(name) || !VALUE.test(value)) return undefined;
    head += `${name}: ${value}\r\n`;
  }
  if (length !== undefined || !BODILESS.has(method)) head += `Content-Length: ${length ?? 0}\r\n`;
  return `${head}Connection: keep-alive\r\n\r\n`;
}

function hostOf(target: Target): string {
  if (target.kind === 'unix') return 'localhost';
  const { protocol, host, port } = target;
  const shown = host.includes(':') ? `[${host}]` : host;
  return Number(port) === (protocol === 'https:' ? 443 : 80) ? shown : `${shown}:${port}`;
}
