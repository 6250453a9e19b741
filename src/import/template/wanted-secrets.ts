/** One thing that templates fetch, by the path that they name. */
export interface WantedSecret {
  readonly name: string;
  readonly path: string;
  readonly how: 'get' | 'write' | 'pki';
  /** What is sent with `write` and `pki`. */
  readonly data: ReadonlyMap<string, string>;
  /** The steps below `.Data` that templates take, each path of steps joined by NUL. */
  readonly uses: Set<string>;
}

/** How a secret is written in the configuration, and how the steps of Go templates are written below its name. */
export interface SecretForm {
  readonly request: Readonly<Record<string, unknown>>;
  readonly steps: (steps: readonly string[]) => readonly string[];
}

/** The fields of a certificate that the PKI engine answers with, and their names here. */
const CERTIFICATE_FIELDS: Readonly<Record<string, string>> = {
  certificate: 'certificate',
  private_key: 'privateKey',
  private_key_type: 'privateKeyType',
  issuing_ca: 'issuingCa',
  ca_chain: 'caChain',
  serial_number: 'serialNumber',
  expiration: 'expiration',
};

/** The parameters of the PKI engine that a `certificate` has keys for. */
const CERTIFICATE_KEYS: Readonly<Record<string, string>> = {
  common_name: 'commonName',
  alt_names: 'altNames',
  ip_sans: 'ipSans',
  uri_sans: 'uriSans',
  ttl: 'ttl',
};

/** The names of all helpers; a list of its own, since `import` needs none of their code. A test compares them. */
export const HELPER_NAMES: readonly string[] = [
  ...[
    'default',
    'choose',
    'eq',
    'ne',
    'lt',
    'gt',
    'le',
    'ge',
    'and',
    'or',
    'not',
    'contains',
    'startsWith',
    'endsWith',
  ],
  ...['matches', 'json', 'yaml', 'parseJson', 'parseYaml', 'toKeyValue', 'quote', 'urlencode', 'base64encode'],
  ...['base64decode', 'trim', 'trimPrefix', 'trimSuffix', 'upper', 'lower', 'title', 'match', 'replace'],
  ...['replacePattern', 'part', 'size', 'indent', 'split', 'concat', 'join', 'sort', 'first', 'last', 'lookup', 'add'],
  ...['subtract', 'multiply', 'divide', 'modulo', 'sha256', 'sha1', 'md5', 'hmac', 'date', 'pem', 'x509'],
  ...['pkcs12', 'tlsDer', 'tlsPem', 'truststore'],
];

/** Words that mean something else where a template has a name. */
const RESERVED: ReadonlySet<string> = new Set([
  ...HELPER_NAMES,
  ...['if', 'unless', 'each', 'with', 'else', 'as', 'this', 'true', 'false', 'null', 'undefined', 'raw', 'log'],
  ...['secret', 'secrets', 'root', 'index', 'key', 'first', 'last'],
]);

/** The names of a configuration's secrets and inputs: each is used once. */
export class Names {
  readonly #taken = new Set<string>();

  /** A name for something that has these parts, such as the segments of a path: the last, or more of them. */
  take(parts: readonly string[]): string {
    const words = parts.map((part) => part.replace(/[^A-Za-z0-9_-]+/g, '_').replace(/^_+|_+$/g, '')).filter(Boolean);
    for (let count = 1; count <= words.length; count++) {
      const name = asName(words.slice(-count).join('_'));
      if (this.#isFree(name)) return this.#add(name);
    }
    const stem = asName(words.at(-1) ?? 'secret');
    for (let number = 2; ; number++) if (this.#isFree(`${stem}${number}`)) return this.#add(`${stem}${number}`);
  }

  #isFree(name: string): boolean {
    return !this.#taken.has(name) && !RESERVED.has(name);
  }

  #add(name: string): string {
    this.#taken.add(name);
    return name;
  }
}

const asName = (text: string): string => (/^[A-Za-z_]/.test(text) ? text : `_${text}`);

export const isReserved = (name: string): boolean => RESERVED.has(name);

/** All secrets that the templates of a configuration want: one for each path and what is sent to it. */
export class WantedSecrets {
  readonly names: Names;
  readonly #byKey = new Map<string, WantedSecret>();

  constructor(names: Names) {
    this.names = names;
  }

  want(path: string, how: WantedSecret['how'], data: ReadonlyMap<string, string> = new Map()): WantedSecret {
    const clean = path.replace(/^\/+|\/+$/g, '');
    const key = JSON.stringify([how, clean, [...data]]);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const segments = clean.split('/').filter((part) => !part.includes('${'));
    const made = { name: this.names.take(segments), path: clean, how, data, uses: new Set<string>() };
    this.#byKey.set(key, made);
    return made;
  }

  all(): readonly WantedSecret[] {
    return [...this.#byKey.values()];
  }
}

/** To call when all templates are converted: only then it is known how a secret is used. */
export function formOf({ path, how, data, uses }: WantedSecret): SecretForm {
  const used = [...uses].map((one) => (one === '' ? [] : one.split('\0')));
  if (how === 'get') return getForm(path, used);
  const pki = certificateOf(path, data, how, used);
  if (pki !== undefined) return pki;
  return { request: { write: { path, data: Object.fromEntries(data) } }, steps: (steps) => steps };
}

function getForm(path: string, used: readonly (readonly string[])[]): SecretForm {
  const isBelowData = (steps: readonly string[]) => steps[0] === 'data';
  if (used.length > 0 && used.every(isBelowData)) {
    return { request: { kv: withoutData(path) }, steps: (steps) => steps.slice(1) };
  }
  // Of KV version 2 with its metadata: the whole answer, at the path of the API.
  const isVersion2 = used.some(isBelowData) && used.some(([first]) => first === 'metadata');
  return { request: { read: isVersion2 ? withData(path) : path }, steps: (steps) => steps };
}

/** `secret/data/app` as `secret/app`: the path that people know. A mount of several segments keeps its path. */
export const withoutData = (path: string): string => path.replace(/^([^/]+)\/(?:data|metadata)\/(?!data\/)/, '$1/');

function withData(path: string): string {
  return path.includes('/data/') ? path : path.replace('/', '/data/');
}

function certificateOf(
  path: string,
  data: ReadonlyMap<string, string>,
  how: WantedSecret['how'],
  used: readonly (readonly string[])[],
): SecretForm | undefined {
  const [, issuer, role] = /^(.+)\/issue\/([^/]+)$/.exec(path) ?? [];
  if (issuer === undefined || role === undefined || !data.has('common_name')) return undefined;
  const hasKeys = [...data].every(([key, value]) => CERTIFICATE_KEYS[key] !== undefined && value !== '');
  const hasFields = used.every(([field]) => field !== undefined && CERTIFICATE_FIELDS[field] !== undefined);
  if (!hasKeys || (how === 'write' && !hasFields)) return undefined;
  const certificate: Record<string, unknown> = { issuer, role };
  for (const [key, value] of data) {
    const isList = key !== 'common_name' && key !== 'ttl';
    const ttl = /^\d+$/.test(value) ? `${value}s` : value;
    certificate[CERTIFICATE_KEYS[key] as string] = isList ? value.split(',').map((one) => one.trim()) : ttl;
  }
  if (data.has('common_name')) certificate['commonName'] = data.get('common_name');
  return {
    request: { certificate },
    steps: ([first = '', ...rest]) => [CERTIFICATE_FIELDS[first] ?? first, ...rest],
  };
}
