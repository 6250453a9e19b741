import { quoteDotenv } from './dotenv.ts';
import { escapePropertyKey, escapePropertyValue } from './properties.ts';
import { isDroppedBySystemd } from './systemd.ts';
import { quoteYaml } from './yaml.ts';

/** How a text is written for one kind of reader. */
export interface Quoting {
  /** What is written and who reads it, for docs/templates.md. */
  readonly does: string;
  /** Undefined when the text cannot be written so that this reader gets the same text. */
  readonly quote: (text: string) => string | undefined;
}

/** Every target of the helper `quote`; `test/render/docs.test.ts` checks that docs/templates.md lists the same. */
export const QUOTINGS = {
  shell: {
    does: 'one word of a POSIX shell, in single quotes',
    quote: (text) => (text.includes('\0') ? undefined : `'${text.replaceAll("'", "'\\''")}'`),
  },
  sql: {
    does: 'a string of standard SQL, in single quotes: PostgreSQL, SQLite, Oracle, SQL Server',
    quote: (text) => (text.includes('\0') ? undefined : `'${text.replaceAll("'", "''")}'`),
  },
  mysql: {
    does: 'a string of MySQL or MariaDB, in single quotes, where `\\` is an escape',
    quote: (text) => `'${text.replace(/[\0\n\r'\\]/g, (char) => `\\${MYSQL[char] ?? char}`)}'`,
  },
  json: { does: 'a JSON string, in double quotes', quote: (text) => JSON.stringify(text) },
  go: { does: 'a string of Go in double quotes, as `%q` of its templates writes it', quote: quoteGo },
  yaml: { does: 'a YAML string, in double quotes on one line', quote: quoteYaml },
  toml: { does: 'a TOML string, in double quotes on one line', quote: quoteToml },
  ini: { does: 'a value of an INI file as git reads it, in double quotes with `\\`', quote: quoteIni },
  properties: {
    does: 'a value of a Java properties file, without quotes',
    quote: (text) => wellFormed(text, escapePropertyValue),
  },
  'properties-key': {
    does: 'a key of a Java properties file',
    quote: (text) => wellFormed(text, escapePropertyKey),
  },
  dotenv: { does: 'a value of a dotenv file, as [format dotenv](#dotenv) writes it', quote: quoteDotenv },
  xml: { does: 'text or an attribute of XML or HTML, without quotes around it', quote: escapeXml },
  url: { does: 'a part of a URL, as `urlencode` writes it', quote: encodeUrlPart },
  // ---- each for the files of one program
  pgpass: {
    does: 'a field of a PostgreSQL password file, `:` and `\\` escaped',
    quote: (text) => (/[\0\r\n]/.test(text) ? undefined : text.replace(/[:\\]/g, '\\$&')),
  },
  'my.cnf': {
    does: 'a value of an option file of MySQL or MariaDB, in double quotes; at most 4000 bytes',
    quote: quoteOptionFile,
  },
  redis: {
    does: 'an argument in redis.conf, in double quotes, all but printable ASCII as `\\xHH`',
    quote: quoteRedis,
  },
  systemd: {
    does: 'a value of an `EnvironmentFile` of systemd, in double quotes; no control characters but tab and line end',
    quote: (text) => (isDroppedBySystemd(text) ? undefined : `"${text.replace(/["\\`$]/g, '\\$&')}"`),
  },
  'ado.net': {
    does: 'a value of a .NET connection string, in double quotes',
    quote: (text) => (text.includes('\0') ? undefined : `"${text.replaceAll('"', '""')}"`),
  },
} as const satisfies Readonly<Record<string, Quoting>>;

const MYSQL: Readonly<Record<string, string>> = { '\0': '0', '\n': 'n', '\r': 'r' };

/** TOML knows the escapes of JSON. DEL must be escaped; half a surrogate pair cannot be. */
function quoteToml(text: string): string | undefined {
  return wellFormed(text, (whole) => JSON.stringify(whole).replaceAll('\x7f', '\\u007F'));
}

const GO: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
};

/** Go escapes what is not printable: by its tables letters, marks, numbers, punctuation, symbols and the space are. */
function quoteGo(text: string): string | undefined {
  return wellFormed(text, (whole) => `"${whole.replace(/["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, escapeGo)}"`);
}

function escapeGo(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  const short = GO[char];
  if (short !== undefined) return short;
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`;
}

const INI: Readonly<Record<string, string>> = { '\n': 'n', '\t': 't', '\b': 'b' };

/** git knows only these escapes, and loses a carriage return or NUL. */
function quoteIni(text: string): string | undefined {
  return /[\0\r]/.test(text) ? undefined : `"${text.replace(/["\\\n\t\b]/g, (char) => `\\${INI[char] ?? char}`)}"`;
}

/** XML 1.0 has no way to write these. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are refused
const NOT_IN_XML = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;

/** White space is written as references: a reader turns plain white space in attributes into spaces, and CR into LF. */
function escapeXml(text: string): string | undefined {
  if (NOT_IN_XML.test(text)) return undefined;
  return wellFormed(text, (whole) => whole.replace(/[&<>"'\t\n\r]/g, (char) => `&#${char.charCodeAt(0)};`));
}

const LEFT_BY_ENCODE_URI_COMPONENT = /[!'()*]/g;

/** Percent-encodes all but the unreserved characters of RFC 3986. Undefined for half a surrogate pair. */
export function encodeUrlPart(text: string): string | undefined {
  return wellFormed(text, (whole) =>
    encodeURIComponent(whole).replace(
      LEFT_BY_ENCODE_URI_COMPONENT,
      (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
    ),
  );
}

const wellFormed = (text: string, quote: (text: string) => string): string | undefined =>
  text.isWellFormed() ? quote(text) : undefined;

/** The clients read at most 4094 bytes of a line, and take the rest for another line. */
const MAX_OPTION_BYTES = 4000;
const OPTION: Readonly<Record<string, string>> = { '\n': 'n', '\r': 'r', '\t': 't', '\b': 'b' };

function quoteOptionFile(text: string): string | undefined {
  const quoted = `"${text.replace(/["\\\n\r\t\b]/g, (char) => `\\${OPTION[char] ?? char}`)}"`;
  return text.includes('\0') || Buffer.byteLength(quoted) > MAX_OPTION_BYTES ? undefined : quoted;
}

function quoteRedis(text: string): string | undefined {
  if (!text.isWellFormed()) return undefined;
  const escapeByte = (byte: number) => `\\x${byte.toString(16).padStart(2, '0')}`;
  const bytes = (chars: string) => [...Buffer.from(chars, 'utf8')].map(escapeByte).join('');
  return `"${text.replace(/["\\]/g, '\\$&').replace(/[^ -~]+/g, bytes)}"`;
}
