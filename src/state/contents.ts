import type { Fetched, Life, Original } from '../backend/backend.ts';
import type { KeptLogin } from '../backend/kept-login.ts';
import { Secret, type SecretType } from '../base/secret.ts';
import { type Fields, isList, isSecret, type Value } from '../base/value.ts';

/** All that one process leaves to the next. Times are on the wall clock. */
export interface StateContents {
  readonly savedWallMs: number;
  /** When the key that the file is sealed with was made, for a key that a backend wraps. */
  readonly keyMadeWallMs?: number | undefined;
  readonly secrets: readonly KeptSecret[];
  readonly logins: readonly LoginOfBackend[];
}

export interface KeptSecret {
  /** The id of the want: identity of backend, login and request. It is of use to a want with the same id only. */
  readonly id: string;
  /** The name of the backend, whose login a lease depends on. */
  readonly backend: string;
  readonly fetchedWallMs: number;
  /** Within the value, times of the monotonic clock are on the wall clock; see `onWallClock`. */
  readonly value: Fetched;
}

export interface LoginOfBackend {
  readonly backend: string;
  /** Address, namespace and login of the backend: a login is of use to a backend with the same identity only. */
  readonly identity: string;
  /** `startedMonoMs` is on the wall clock. */
  readonly login: KeptLogin;
}

/** Two clocks, read at one moment. */
export interface Clocks {
  readonly wallMs: number;
  readonly monoMs: number;
}

/** A life whose times of the monotonic clock are on the wall clock, as another process needs them. */
export const onWallClock = (life: Life, { wallMs, monoMs }: Clocks): Life => shift(life, wallMs - monoMs);

/** The opposite, on the monotonic clock of this process. */
export const onMonoClock = (life: Life, { wallMs, monoMs }: Clocks): Life => shift(life, monoMs - wallMs);

function shift(life: Life, byMs: number): Life {
  if (life.kind === 'lease' || life.kind === 'rotates') return { ...life, startedMonoMs: life.startedMonoMs + byMs };
  if (life.kind !== 'ends' || life.clock === 'wall') return life;
  return { ...life, startMs: life.startMs + byMs, endMs: life.endMs + byMs };
}

export function encodeContents({ savedWallMs, keyMadeWallMs, secrets, logins }: StateContents): Buffer {
  const plain = {
    savedWallMs,
    keyMadeWallMs,
    secrets: secrets.map(({ value, ...rest }) => ({ ...rest, value: plainFetched(value) })),
    logins: logins.map(({ login, ...rest }) => ({ ...rest, login: plainSecrets(login) })),
  };
  return Buffer.from(JSON.stringify(plain));
}

/**
 * Reads what `encodeContents` wrote; the file was authenticated by then. Undefined when it is something else after all.
 * Never throws: a message of JSON.parse would quote a value.
 */
export function decodeContents(bytes: Buffer): StateContents | undefined {
  try {
    const { savedWallMs, keyMadeWallMs, secrets, logins } = JSON.parse(bytes.toString()) as Plain;
    if (typeof savedWallMs !== 'number' || !Array.isArray(secrets) || !Array.isArray(logins)) return undefined;
    return {
      savedWallMs,
      ...(typeof keyMadeWallMs === 'number' ? { keyMadeWallMs } : {}),
      secrets: secrets.map(({ value, ...rest }) => ({ ...rest, value: readFetched(value) }) as KeptSecret),
      logins: logins.map(({ login, ...rest }) => ({ ...rest, login: readSecrets(login) }) as LoginOfBackend),
    };
  } catch {
    return undefined;
  }
}

interface Plain {
  readonly savedWallMs: unknown;
  readonly keyMadeWallMs?: unknown;
  readonly secrets: readonly { readonly value: PlainFetched }[];
  readonly logins: readonly { readonly login: object }[];
}

interface PlainFetched {
  readonly fields: PlainValue;
  readonly version: string;
  readonly life: object;
  readonly original?: object;
}

/** A leaf is its type and text, a map the list of its entries, since its names may be any. */
type PlainValue =
  | { readonly leaf: SecretType; readonly text: string }
  | { readonly map: readonly (readonly [string, PlainValue])[] }
  | { readonly list: readonly PlainValue[] };

function plainFetched({ fields, version, life, original }: Fetched): PlainFetched {
  const plain = { fields: plainValue(fields), version, life: plainSecrets(life) };
  return original === undefined ? plain : { ...plain, original: plainSecrets(original) };
}

function readFetched({ fields, version, life, original }: PlainFetched): Fetched {
  return {
    fields: readValue(fields) as Fields,
    version,
    life: readSecrets(life) as Life,
    ...(original === undefined ? {} : { original: readSecrets(original) as Original }),
  };
}

/** The members of an object, with each `Secret` among them as plain data. */
function plainSecrets(of: object): object {
  const entries = Object.entries(of).filter(([, one]) => one !== undefined);
  return Object.fromEntries(entries.map(([name, one]) => [name, one instanceof Secret ? plainValue(one) : one]));
}

function readSecrets(of: object): object {
  const read = (one: unknown) =>
    typeof one === 'object' && one !== null && 'leaf' in one ? readValue(one as PlainValue) : one;
  return Object.fromEntries(Object.entries(of).map(([name, one]) => [name, read(one)]));
}

function plainValue(value: Value): PlainValue {
  if (isSecret(value)) {
    const isBytes = value.type === 'bytes';
    const text = isBytes ? Buffer.from(value.exposeBytes('state')).toString('base64') : value.exposeText('state');
    return { leaf: value.type, text };
  }
  if (isList(value)) return { list: value.map(plainValue) };
  return { map: [...value].map(([name, one]) => [name, plainValue(one)] as const) };
}

function readValue(plain: PlainValue): Value {
  if ('list' in plain) return plain.list.map(readValue);
  if ('map' in plain) return new Map(plain.map.map(([name, one]) => [name, readValue(one)]));
  switch (plain.leaf) {
    case 'string':
      return Secret.text(plain.text);
    case 'number':
      return Secret.number(plain.text);
    case 'boolean':
      return Secret.boolean(plain.text === 'true');
    case 'null':
      return Secret.null();
    case 'bytes':
      return Secret.bytes(Buffer.from(plain.text, 'base64'));
  }
}
