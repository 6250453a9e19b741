import { resolve } from 'node:path';
import { tablesIn } from '../../check/table.ts';
import type { SdsConfig, SdsListenConfig } from '../../config.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import { resolveEntry } from '../../load/resolve-entry.ts';
import { isTree } from '../../load/source-file.ts';
import { valueAt } from '../../place.ts';
import type { Problems } from '../../problems/problems.ts';
import type { SdsShape } from '../../schema.ts';
import { resolveHostPort, resolveSocket } from '../listeners/resolve-listen.ts';
import type { SecretResolver } from '../secrets/resolve.ts';
import type { KnownSecrets } from '../secrets/resolve-source.ts';
import type { OnDemandConfig, SdsSecretConfig } from './config.ts';
import { ON_DEMAND_NAME } from './config.ts';
import { resolveSdsSecret } from './resolve-secret.ts';

/** The schemas of this section as tables, which the build puts in. */
declare const PANNIER_SDS_TABLES: string | undefined;

const TABLES = tablesIn(typeof PANNIER_SDS_TABLES === 'string' ? PANNIER_SDS_TABLES : undefined);

const MAX_STREAMS = 2_000;
const MAX_ON_DEMAND = 1_000;

/** A label of a DNS name, or the `*` that stands for any. */
const LABEL = /^(?:\*|[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)$/;

/** The configuration of the service; undefined when there is no such section, or when something is wrong with it. */
export function resolveSds(
  entry: ConfigEntry,
  secrets: KnownSecrets,
  resolver: SecretResolver,
  problems: Problems,
): SdsConfig | undefined {
  const { checker } = problems;
  checker.learn?.(TABLES);
  const { file, path } = entry;
  const raw = valueAt(file.tree, path);
  const without = isTree(raw) && isTree(raw['secrets']) ? { ...raw, secrets: {} } : raw;
  const before = problems.count;
  const rest = resolveEntry('sds', entry, problems, (shape, found) => restOf(shape, entry, resolver, found), {
    raw: without,
  });
  const named = isTree(raw) ? resolveSecrets(raw['secrets'], entry, secrets, problems) : new Map();
  if (isTree(raw) && raw['secrets'] === undefined && raw['onDemand'] === undefined && problems.count === before) {
    problems.add('CONFIG_MISSING', file, [...path, 'secrets'], 'sds has neither secrets nor onDemand', 'Add one.');
  }
  return rest === undefined || problems.count > before ? undefined : { ...rest, secrets: named };
}

/** All but the secrets. */
function restOf(
  shape: SdsShape,
  entry: ConfigEntry,
  resolver: SecretResolver,
  problems: Problems,
): Omit<SdsConfig, 'secrets'> | undefined {
  const before = problems.count;
  const listeners = resolveListeners(shape, entry, problems);
  const onDemand = resolveOnDemand(shape.onDemand, entry, resolver, problems);
  if (problems.count > before) return undefined;
  const { maxStreams = MAX_STREAMS } = shape;
  return { listeners, maxStreams, ...(onDemand === undefined ? {} : { onDemand }) };
}

function resolveSecrets(
  raw: unknown,
  { file, path }: ConfigEntry,
  secrets: KnownSecrets,
  problems: Problems,
): ReadonlyMap<string, SdsSecretConfig> {
  const named = new Map<string, SdsSecretConfig>();
  const at = [...path, 'secrets'];
  if (!isTree(raw)) return named; // the schema of the section has told what is wrong
  for (const name of Object.keys(raw)) {
    const entry = { file, path: [...at, name] };
    if (!/^[!-~]{1,253}$/.test(name)) {
      const seen = 'a name of 1 to 253 characters without spaces is expected';
      problems.add('CONFIG_INVALID', file, entry.path, seen);
      continue;
    }
    const secret = resolveSdsSecret(raw[name], entry, secrets, problems);
    if (secret !== undefined) named.set(name, secret);
  }
  return named;
}

function resolveListeners(
  shape: SdsShape,
  { file, path }: ConfigEntry,
  problems: Problems,
): readonly SdsListenConfig[] {
  const { socket, listen, tokenFile } = shape;
  const place = problems.placeIn(file, path);
  const listeners: SdsListenConfig[] = [];
  if (socket !== undefined) listeners.push({ where: resolveSocket({ ...shape, socket }, file), place });
  if (listen !== undefined) {
    if (tokenFile === undefined) {
      const seen = 'tokenFile is absent, and listen needs one';
      problems.add('CONFIG_MISSING', file, [...path, 'tokenFile'], seen, 'Add it.');
    } else listeners.push({ where: resolveHostPort(listen), place, tokenFile: resolve(file.dir, tokenFile) });
  } else if (tokenFile !== undefined) {
    const seen = 'tokenFile goes with listen, and there is no listen';
    problems.add('CONFIG_INVALID', file, [...path, 'tokenFile'], seen, 'Remove it.');
  }
  if (socket === undefined && listen === undefined) {
    problems.add('CONFIG_MISSING', file, path, 'sds has neither socket nor listen', 'Add one of them.');
  }
  for (const key of ['mode', 'uid', 'gid'] as const) {
    if (socket !== undefined || shape[key] === undefined) continue;
    const seen = `${key} goes with socket, and there is no socket`;
    problems.add('CONFIG_INVALID', file, [...path, key], seen, 'Remove it.');
  }
  return listeners;
}

function resolveOnDemand(
  shape: SdsShape['onDemand'],
  { file, path }: ConfigEntry,
  resolver: SecretResolver,
  problems: Problems,
): OnDemandConfig | undefined {
  if (shape === undefined) return undefined;
  const entry = { file, path: [...path, 'onDemand'] };
  const { match: given, backend, certificate, max = MAX_ON_DEMAND } = shape;
  const match = (typeof given === 'string' ? [given] : given).map((pattern) => pattern.toLowerCase());
  for (const [index, pattern] of match.entries()) {
    if (pattern.split('.').every((label) => LABEL.test(label)) && pattern.length <= 253) continue;
    const at = [...entry.path, 'match', ...(typeof given === 'string' ? [] : [index])];
    const hint = 'Write a DNS name in which * stands for one label: *.shop.svc.';
    problems.add('CONFIG_INVALID', file, at, 'the pattern is not a DNS name', hint);
  }
  if (match.length === 0) {
    problems.add('CONFIG_MISSING', file, [...entry.path, 'match'], 'match is an empty list', 'Add a pattern.');
  }
  const named = withName({ commonName: '{name}', ...certificate });
  if (!JSON.stringify(named).includes(ON_DEMAND_NAME)) {
    const seen = 'no part of the certificate is the name that is asked for';
    problems.add('CONFIG_INVALID', file, [...entry.path, 'certificate'], seen, 'Use {name} in commonName or altNames.');
  }
  const raw = { ...(backend === undefined ? {} : { backend }), certificate: named };
  const secret = resolver.resolve('on-demand', entry, raw);
  if (secret === undefined) return undefined;
  return { match, backend: secret.backend, request: secret.request, max, place: secret.place };
}

/** A copy of the value in which each `{name}` is ON_DEMAND_NAME. */
function withName(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('{name}', ON_DEMAND_NAME);
  if (Array.isArray(value)) return value.map(withName);
  if (!isTree(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withName(item)]));
}
