import { isAbsolute } from 'node:path';
import { didYouMean, makeNearest } from '../../base/nearest.ts';
import { mountPathOf } from '../pod/mount-path.ts';
import type { ConfigParts, ConfigSource, InjectorDefaults, PodSettings, SaidSettings } from '../settings.ts';
import { DEFAULT_DIR } from '../settings.ts';
import type { Wrong } from '../wrong.ts';
import { ANNOTATIONS, EFFECTIVE_CONFIG, PREFIX, STATUS } from './known.ts';
import { AnnotationReader } from './reader.ts';

export const MAX_ID = 2 ** 31 - 1;
const SECRET = 'secret-';
const FILE = 'file-';
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
const MODES = ['sidecar', 'init', 'both'] as const;
export const ORDERS = ['before', 'after'] as const;
export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

/** The longest life of a token that is worth a name of its own: a day. */
export const DAY_SECONDS = 86_400;

/** Annotations that make a configuration of parts. */
export const PARTS = ['reload', 'address', 'namespace', 'auth-mount', 'role'] as const;

/** Reads the annotations `pannier.dev/…`, and names each one that is unknown or has a value that does not fit. */
export function readOwn(all: ReadonlyMap<string, string>, defaults: InjectorDefaults, wrong: Wrong[]) {
  const reader = new AnnotationReader(PREFIX, all, wrong);
  tellUnknown(all, reader);
  return { settings: settingsOf(reader), source: sourceOf(all, reader, defaults) };
}

function tellUnknown(all: ReadonlyMap<string, string>, reader: AnnotationReader): void {
  const names = ANNOTATIONS.map(({ name }) => name);
  const nearest = makeNearest(names);
  for (const name of all.keys()) {
    if (names.includes(name) || name === STATUS || name === EFFECTIVE_CONFIG) continue;
    if ([SECRET, FILE].some((begin) => name.startsWith(begin) && name.length > begin.length)) continue;
    reader.wrong(name, `is unknown${didYouMean(nearest(name))}`);
  }
}

/** What is said; `completed` in settings.ts fills in the rest. */
function settingsOf(reader: AnnotationReader): SaidSettings {
  const level = reader.choice('log-level', LEVELS);
  for (const resource of ['cpu', 'memory']) reader.checkLimit(`requests-${resource}`, `limits-${resource}`);
  return {
    ...given('mode', reader.choice('mode', MODES)),
    ...given('order', reader.choice('order', ORDERS)),
    ...given('containers', reader.list('containers')),
    ...given('image', reader.image('image')),
    ...given('volumePaths', volumePathsOf(reader)),
    ...given('sizeLimit', reader.size('size-limit')),
    ...given('runAsUser', reader.number('run-as-user', 0, MAX_ID)),
    ...given('runAsGroup', reader.number('run-as-group', 0, MAX_ID)),
    ...given('sharesProcesses', reader.flag('share-processes')),
    ...given('metricsPort', reader.number('metrics-port', 1, 65_535)),
    ...given('audience', reader.text('audience')),
    ...given('tokenExpirySeconds', reader.seconds('token-expiry', 600, DAY_SECONDS)),
    ...given('startWithinSeconds', reader.seconds('start-within', 1, DAY_SECONDS)),
    ...given('caConfigMap', reader.is('ca-config-map', '') ? undefined : reader.objectName('ca-config-map')),
    ...variablesOf(reader),
    requests: {
      ...given('cpu', reader.quantity('requests-cpu')),
      ...given('memory', reader.quantity('requests-memory')),
    },
    limits: { ...given('cpu', reader.quantity('limits-cpu')), ...given('memory', reader.quantity('limits-memory')) },
    env: level === undefined ? {} : { PANNIER_LOG_LEVEL: level },
  };
}

function volumePathsOf(reader: AnnotationReader): readonly string[] | undefined {
  const paths = reader.list('volume-path');
  const isGood = paths?.every((path) => isAbsolute(path) && !path.includes(':')) ?? true;
  if (!isGood) return reader.wrong('volume-path', 'must be an absolute path');
  return paths?.map(mountPathOf);
}

function variablesOf(reader: AnnotationReader): Pick<PodSettings, 'variables' | 'envFile'> {
  const listed = reader.list('env');
  const envFile = reader.text('env-file');
  if (envFile !== undefined && (isAbsolute(envFile) || envFile.split('/').includes('..'))) {
    reader.wrong('env-file', 'must be a file below the directory of the output');
  }
  if (listed !== undefined && envFile === undefined) reader.wrong('env', 'needs env-file, the file that is read');
  if (listed === undefined && envFile !== undefined) reader.wrong('env-file', 'needs env, the names of the variables');
  const variables = (listed ?? []).map((one) => {
    const [name = '', key = name] = one.split('=').map((part) => part.trim());
    return { name, key };
  });
  if (!variables.every(({ name, key }) => IDENTIFIER.test(name) && IDENTIFIER.test(key))) {
    reader.wrong('env', 'must be names of variables with commas, such as DB_USER,DB_PASSWORD=PASSWORD');
    return { variables: [] };
  }
  const names = variables.map(({ name }) => name);
  if (new Set(names).size < names.length) reader.wrong('env', 'names a variable twice');
  return { variables, ...given('envFile', envFile) };
}

/** Where the configuration comes from; undefined when no annotation of ours says it. */
function sourceOf(
  all: ReadonlyMap<string, string>,
  reader: AnnotationReader,
  defaults: InjectorDefaults,
): ConfigSource | undefined {
  const secrets = begunBy(SECRET, all);
  const files = begunBy(FILE, all);
  const parts = [...PARTS.filter((name) => reader.has(name)), ...[...secrets.keys()].map((name) => SECRET + name)];
  parts.push(...[...files.keys()].map((name) => FILE + name));
  const [first, ...others] = [
    ...(reader.has('config') ? ['config'] : []),
    ...(reader.has('config-map') ? ['config-map'] : []),
    ...(parts[0] === undefined ? [] : [parts[0]]),
  ];
  for (const other of others) reader.wrong(other, `cannot be used together with ${PREFIX}${first}`);
  if (first === 'config') return asSource('inline', reader.text('config'));
  if (first === 'config-map') {
    const name = reader.objectName('config-map');
    return name === undefined ? undefined : { kind: 'map', name };
  }
  if (first === undefined) return undefined;
  return { kind: 'parts', parts: partsOf(reader, { secrets, files }, defaults) };
}

const asSource = (kind: 'inline', text: string | undefined): ConfigSource | undefined =>
  text === undefined ? undefined : { kind, text };

function partsOf(
  reader: AnnotationReader,
  { secrets, files }: Pick<ConfigParts, 'secrets' | 'files'>,
  defaults: InjectorDefaults,
): ConfigParts {
  const address = reader.text('address') ?? defaults.address;
  const role = reader.text('role');
  if (address === undefined) reader.wrong('address', 'is missing, and the injector has no --address');
  if (role === undefined && !reader.has('role')) reader.wrong('role', 'is missing: it is the role of the login');
  if (secrets.size === 0) reader.wrong('secret-NAME', 'is missing: no secret is named');
  if (files.size === 0) reader.wrong('file-NAME', 'is missing: no file is named');
  const paths = reader.has('volume-path') ? (reader.list('volume-path') ?? []) : [];
  if (paths.length > 1) reader.wrong('volume-path', 'names several paths, which only config-map takes');
  return {
    ...given('address', address),
    ...given('namespace', reader.text('namespace')),
    ...given('authMount', reader.text('auth-mount') ?? defaults.authMount),
    ...given('role', role),
    ...given('reload', reader.text('reload')),
    dir: mountPathOf(paths.find(isAbsolute) ?? DEFAULT_DIR),
    secrets,
    files,
  };
}

const begunBy = (begin: string, all: ReadonlyMap<string, string>): ReadonlyMap<string, string> =>
  new Map(
    [...all].flatMap(([name, value]) =>
      name.startsWith(begin) && name.length > begin.length ? [[name.slice(begin.length), value] as const] : [],
    ),
  );

/** A member that is there only when it has a value. */
function given<K extends string, T>(name: K, value: T | undefined): { readonly [P in K]?: T } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [P in K]?: T };
}
