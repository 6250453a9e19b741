import { resolveAwsRequest } from '../../../backend/aws/config/resolve-request.ts';
import { parseDuration } from '../../../base/duration.ts';
import { trimSlashes } from '../../api-path.ts';
import type { BackendConfig, EndField, SecretConfig, SecretRequest } from '../../config.ts';
import type { Entry } from '../../load/merge.ts';
import { parseEntry } from '../../load/parse-entry.ts';
import { formatPlace, type Path, pathKey } from '../../place.ts';
import type { Problems } from '../../problems/problems.ts';
import type { SecretShape } from '../../schema.ts';
import { secret as schema } from './schema.ts';

const LITERAL_HINT = 'Use ${env:NAME} or ${file:PATH}.';
const REFRESH_MS = 5 * 60_000;

/** The ways to get a secret, and the kind of backend each asks. */
const WAYS = {
  kv: 'vault',
  read: 'vault',
  write: 'vault',
  certificate: 'vault',
  key: 'file',
  secretId: 'aws-secrets-manager',
  parameter: 'aws-secrets-manager',
  prefix: 'aws-secrets-manager',
} as const;
type Way = keyof typeof WAYS;
const WAY_NAMES = Object.keys(WAYS) as Way[];

/** Keys that say more about a way, and the ways they go with. */
const ONLY_WITH = {
  version: ['kv'],
  mount: ['kv'],
  kvVersion: ['kv'],
  end: ['read', 'write'],
  stage: ['secretId'],
  versionId: ['secretId'],
  previous: ['secretId'],
  pending: ['secretId'],
  tags: ['prefix'],
  roleArn: ['secretId', 'parameter', 'prefix'],
  externalId: ['secretId', 'parameter', 'prefix'],
} as const satisfies Partial<Record<keyof SecretShape, readonly Way[]>>;
const COMPANIONS = Object.entries(ONLY_WITH) as [keyof typeof ONLY_WITH, readonly Way[]][];

/** The backends a secret may name. */
export interface KnownBackends {
  /** All that are written down, also those with problems of their own. */
  readonly names: readonly string[];
  readonly resolved: ReadonlyMap<string, BackendConfig>;
  nearest(name: string): string | undefined;
}

export function resolveSecret(
  name: string,
  entry: Entry,
  known: KnownBackends,
  problems: Problems,
): SecretConfig | undefined {
  const { file, path } = entry;
  const shape = parseEntry(schema, entry, problems);
  if (shape === undefined) return undefined;
  const before = problems.count;
  const backend = chooseBackend(shape, entry, known, problems);
  const way = chooseWay(shape, entry, problems);
  if (way === undefined) return undefined;
  const kind = backend === undefined ? undefined : known.resolved.get(backend)?.kind;
  if (kind !== undefined && kind !== WAYS[way]) {
    const fitting = WAY_NAMES.filter((other) => WAYS[other] === kind).join(', ');
    const seen = `${way} asks a backend of kind ${WAYS[way]}, and ${backend} is of kind ${kind}`;
    problems.add('CONFIG_INVALID', file, [...path, way], seen, `It takes ${fitting}.`);
  }
  const request = makeRequest(way, shape, entry, problems);
  if (request === undefined || backend === undefined || problems.count > before) return undefined;
  return {
    name,
    backend,
    place: formatPlace([...path, way]),
    optional: shape.optional ?? false,
    refreshMs: shape.refresh === undefined ? REFRESH_MS : (parseDuration(shape.refresh) as number),
    ...(shape.maxStale === undefined ? {} : { maxStaleMs: parseDuration(shape.maxStale) as number }),
    request,
  };
}

function chooseBackend(
  { backend }: SecretShape,
  { file, path }: Entry,
  { names, nearest }: KnownBackends,
  problems: Problems,
): string | undefined {
  const place = [...path, 'backend'];
  if (backend === undefined) {
    if (names.length > 1) {
      problems.add('CONFIG_MISSING', file, place, `absent, and there are several: ${names.join(', ')}`);
    }
    return names.length === 1 ? names[0] : undefined;
  }
  // None at all is one problem, told once.
  if (names.length === 0) return undefined;
  if (names.includes(backend)) return backend;
  const unknown = { what: 'backend', name: backend, near: nearest(backend) };
  problems.addUnknown('CONFIG_UNKNOWN_BACKEND', file, place, unknown, configured(names));
  return undefined;
}

/** A hint that names the backends there are. */
export function configured(names: readonly string[]): string | undefined {
  return names.length === 0 ? undefined : `Configured: ${names.slice(0, 10).join(', ')}.`;
}

function chooseWay(shape: SecretShape, { file, path }: Entry, problems: Problems): Way | undefined {
  const given = WAY_NAMES.filter((way) => shape[way] !== undefined);
  if (given.length === 0) {
    problems.add('CONFIG_MISSING', file, path, `no way to get it; one of ${WAY_NAMES.join(', ')} is wanted`);
  } else if (given.length > 1) {
    problems.add('CONFIG_INVALID', file, path, `several ways to get it: ${given.join(', ')}`, 'Keep one of them.');
  }
  return given.length === 1 ? given[0] : undefined;
}

function makeRequest(way: Way, shape: SecretShape, entry: Entry, problems: Problems): SecretRequest | undefined {
  const { file, path } = entry;
  for (const [key, ways] of COMPANIONS) {
    if (ways.includes(way) || shape[key] === undefined) continue;
    const seen = `it goes with ${ways.join(', ')}, not with ${way}`;
    problems.add('CONFIG_INVALID', file, [...path, key], seen, 'Remove it.');
  }
  const { kv, read, write, certificate, key, version, mount, kvVersion } = shape;
  if (kv !== undefined) {
    if (kvVersion === 1 && version !== undefined) {
      problems.add('CONFIG_INVALID', file, [...path, 'version'], 'KV version 1 keeps no versions', 'Remove it.');
    }
    return {
      kind: 'vault-kv',
      path: trimSlashes(kv),
      ...(version === undefined ? {} : { version }),
      ...(mount === undefined ? {} : { mount: trimSlashes(mount) }),
      ...(kvVersion === undefined ? {} : { kvVersion }),
    };
  }
  const end = shape.end === undefined ? {} : { end: endField(shape.end) };
  if (read !== undefined) return { kind: 'vault-read', path: trimSlashes(read), ...end };
  if (write !== undefined) {
    const writePath = trimSlashes(write.path);
    warnOfLiterals(write.data ?? {}, [...path, 'write', 'data'], entry, problems);
    return { kind: 'vault-write', path: writePath, data: write.data ?? {}, ...end };
  }
  if (certificate !== undefined) return certificateRequest(certificate, entry, problems);
  return key === undefined ? resolveAwsRequest(shape, entry, problems) : { kind: 'file', key };
}

function endField(end: NonNullable<SecretShape['end']>): EndField {
  if (typeof end === 'string') return { field: end };
  const { field, unit } = end;
  return unit === undefined ? { field } : { field, unit };
}

function certificateRequest(
  { issuer, role, commonName, altNames = [], ipSans = [], uriSans = [], ttl }: NonNullable<SecretShape['certificate']>,
  entry: Entry,
  problems: Problems,
): SecretRequest {
  const place = [...entry.path, 'certificate'];
  const seconds = ttl === undefined ? undefined : Math.floor((parseDuration(ttl) as number) / 1000);
  if (seconds === 0) {
    problems.add('CONFIG_INVALID', entry.file, [...place, 'ttl'], 'a certificate lives for a second at least');
  }
  return {
    kind: 'vault-certificate',
    issuer: trimSlashes(issuer),
    role,
    commonName,
    altNames,
    ipSans,
    uriSans,
    // In seconds, the one unit every version of the API takes.
    ...(seconds === undefined ? {} : { ttl: `${seconds}s` }),
  };
}

/** Parameters of this name are secrets; what others hold is anybody's guess. */
const SECRET_PARAMETER = /^(?:password|passwd|secret|secret_id|token|private_key|client_secret)$/i;

function warnOfLiterals(
  data: Readonly<Record<string, unknown>>,
  place: Path,
  { file }: Entry,
  problems: Problems,
): void {
  for (const [key, value] of Object.entries(data)) {
    const path = [...place, key];
    if (typeof value !== 'string' || !SECRET_PARAMETER.test(key) || file.filled.has(pathKey(path))) continue;
    problems.warn('CONFIG_LITERAL_SECRET', file, path, 'a secret is written literally', LITERAL_HINT);
  }
}
