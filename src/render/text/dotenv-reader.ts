import type { DotenvReader } from '../../config/config.ts';
import { QUOTINGS } from './quoting.ts';

/** How the value of a key is written for the one program that reads a dotenv file. Undefined: it reads no such text. */
type Quote = (text: string, key: string) => string | undefined;

/** The quoting of each reader, and what messages call the reader. */
export const DOTENV_READERS: Readonly<Record<DotenvReader, { readonly name: string; readonly quote: Quote }>> = {
  sh: { name: 'sh', quote: QUOTINGS.shell.quote },
  docker: { name: 'Docker Compose', quote: withoutNul(quoteCompose) },
  node: { name: 'Node', quote: withoutNul(quoteNode) },
  python: { name: 'python-dotenv', quote: withoutNul(quotePython) },
  systemd: { name: 'systemd', quote: QUOTINGS.systemd.quote },
  kubelet: { name: 'the kubelet', quote: withoutNul(quoteKubelet) },
};

/** No environment can hold a NUL. */
function withoutNul(quote: Quote): Quote {
  return (text, key) => (text.includes('\0') ? undefined : quote(text, key));
}

/**
 * For env_file of Docker Compose (compose-go). Between single quotes all is literal but a backslash before the quote.
 * Between double quotes it knows the escapes that are written here, and fills in variables unless `$` has a backslash.
 */
function quoteCompose(text: string): string {
  if (!/['\r]|\\$/.test(text)) return `'${text}'`;
  return `"${text.replace(/["\\$]/g, '\\$&').replaceAll('\r', '\\r')}"`;
}

/**
 * For `--env-file` and `process.loadEnvFile` of Node. It has no escape for a quote, so the text gets quotes that it
 * does not hold: all is literal between them, except that `\n` is a line end between double quotes. Without any quotes
 * a text may hold all three, on one line and without a comment. Node leaves out carriage returns everywhere.
 */
function quoteNode(text: string): string | undefined {
  if (text.includes('\r')) return undefined;
  if (!text.includes("'")) return `'${text}'`;
  if (!text.includes('`')) return `\`${text}\``;
  if (!/"|\\n/.test(text)) return `"${text}"`;
  return /^[^\s'"`#]([^\n#]*[^\s#])?$/.test(text) ? text : undefined;
}

/**
 * For python-dotenv, which fills in variables whatever the quotes: `${:-X}`, a variable without a name, stands for its
 * default X. This writes `${`, and a backslash at the end too, before which older versions do not see the quote.
 */
function quotePython(text: string): string {
  const [, before = '', last] = /^(.*?)(\\?)$/s.exec(text) ?? [];
  const escaped = before.replace(/[\\']/g, '\\$&').replaceAll('${', '${:-$}{') + (last === '' ? '' : '${:-\\\\}');
  // A carriage return would be read as a line end; only double quotes know an escape for it.
  if (!text.includes('\r')) return `'${escaped}'`;
  return `"${escaped.replace(/"/g, '\\"').replaceAll('\r', '\\r')}"`;
}

/** The kubelet reads lines of up to 64 KiB with their line feeds, and fails for the whole file at a longer one. */
const MAX_KUBELET_LINE_BYTES = 64 * 1024 - 1;

/**
 * For `fileKeyRef` of Kubernetes (pkg/kubelet/util/env). It knows single quotes alone, between which all is literal. It
 * drops a carriage return before a line feed, and takes an empty value for a key that is not there.
 */
function quoteKubelet(text: string, key: string): string | undefined {
  if (text === '' || text.includes("'") || text.includes('\r\n')) return undefined;
  const isLong = `${key}='${text}'`.split('\n').some((line) => Buffer.byteLength(line) > MAX_KUBELET_LINE_BYTES);
  return isLong ? undefined : `'${text}'`;
}
