import type { Quoting } from './quoting.ts';

/** Targets of `quote` that are the files of one program each. */
export const FILE_QUOTINGS = {
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
    quote: (text) => (NOT_IN_SYSTEMD.test(text) ? undefined : `"${text.replace(/["\\`$]/g, '\\$&')}"`),
  },
  'ado.net': {
    does: 'a value of a .NET connection string, in double quotes',
    quote: (text) => (text.includes('\0') ? undefined : `"${text.replaceAll('"', '""')}"`),
  },
} as const satisfies Readonly<Record<string, Quoting>>;

/** Clients read a line of at most 4094 bytes, and take what follows for a line of its own. */
const MOST_OPTION_BYTES = 4000;
const OPTION: Readonly<Record<string, string>> = { '\n': 'n', '\r': 'r', '\t': 't', '\b': 'b' };

function quoteOptionFile(text: string): string | undefined {
  const quoted = `"${text.replace(/["\\\n\r\t\b]/g, (char) => `\\${OPTION[char] ?? char}`)}"`;
  return text.includes('\0') || Buffer.byteLength(quoted) > MOST_OPTION_BYTES ? undefined : quoted;
}

function quoteRedis(text: string): string | undefined {
  if (!text.isWellFormed()) return undefined;
  const escapeByte = (byte: number) => `\\x${byte.toString(16).padStart(2, '0')}`;
  const bytes = (chars: string) => [...Buffer.from(chars, 'utf8')].map(escapeByte).join('');
  return `"${text.replace(/["\\]/g, '\\$&').replace(/[^ -~]+/g, bytes)}"`;
}

/** systemd drops an assignment with one of these. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is refused
const NOT_IN_SYSTEMD = /[\0-\x08\x0b-\x1f\x7f]|\p{Noncharacter_Code_Point}|\p{Surrogate}/u;
