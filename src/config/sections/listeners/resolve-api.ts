import { resolve } from 'node:path';
import type { Shapes } from '../../check/shapes.ts';
import type { ApiConfig, ApiListenerConfig } from '../../config.ts';
import { isLoopback, parseHostPort } from '../../host-port.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import { resolveEntry } from '../../load/resolve-entry.ts';
import { isTree } from '../../load/source-file.ts';
import { valueAt } from '../../place.ts';
import type { Problems } from '../../problems/problems.ts';
import type { ApiListenerShape } from '../../schema.ts';
import type { BackendKindConfig } from '../backends/kind.ts';
import type { KnownBackends } from '../secrets/resolve.ts';
import { type KnownSecrets, resolveSource } from '../secrets/resolve-source.ts';
import type { resolveAwsAgent } from './resolve-aws.ts';
import { resolveHostPort, resolveSocket } from './resolve-listen.ts';

const MAX_CONNECTIONS = 256;

/** As in the AWS agent. */
const MAX_AWS_CONNECTIONS = 800;

const LISTENER_KEYS = [
  'socket',
  'mode',
  'uid',
  'gid',
  'listen',
  'tokenFile',
  'secrets',
  'control',
  'maxConnections',
  'aws',
];

/** What listeners name. */
export interface ApiResolveDeps {
  readonly secrets: KnownSecrets;
  readonly backends: KnownBackends;
  readonly kinds: readonly BackendKindConfig[];
  /** Resolves the key `aws`; undefined when no listener has it. */
  readonly resolveAws: ResolveAws | undefined;
}
export type ResolveAws = typeof resolveAwsAgent;

/** The configuration of the local API; undefined when there is no such section, or no listener without problems. */
export function resolveApi(
  entry: ConfigEntry | undefined,
  deps: ApiResolveDeps,
  problems: Problems,
): ApiConfig | undefined {
  if (entry === undefined) return undefined;
  const { file, path } = entry;
  const raw = valueAt(file.tree, path);
  const isShort = !isTree(raw) || raw['listeners'] === undefined;
  const make = (shape: Shapes['api'], found: Problems) => ({
    audit: shape.audit ?? 'changes',
    listener: isShort ? resolveListener(shape, entry, deps, found) : undefined,
  });
  const common = resolveEntry('api', entry, problems, make, { raw: withoutListeners(raw) });

  const listeners: ApiListenerConfig[] = [];
  if (common?.listener !== undefined) listeners.push(common.listener);
  if (isTree(raw) && !isShort) {
    for (const key of LISTENER_KEYS.filter((key) => raw[key] !== undefined)) {
      const hint = 'Move it into an item of listeners.';
      problems.add(
        'CONFIG_INVALID',
        file,
        [...path, key],
        `${key} belongs to one listener, and listeners is a list`,
        hint,
      );
    }
    const items = Array.isArray(raw['listeners']) ? raw['listeners'] : [];
    if (common !== undefined && items.length === 0) {
      problems.add(
        'CONFIG_MISSING',
        file,
        [...path, 'listeners'],
        'listeners is an empty list',
        'Add a listener, or remove api.',
      );
    }
    for (const index of items.keys()) {
      const at = { file, path: [...path, 'listeners', index] };
      const listener = resolveEntry('apiListener', at, problems, (shape, found) =>
        resolveListener(shape, at, deps, found),
      );
      if (listener !== undefined) listeners.push(listener);
    }
  }
  return listeners.length === 0 ? undefined : { listeners, audit: common?.audit ?? 'changes' };
}

function resolveListener(
  shape: ApiListenerShape,
  entry: ConfigEntry,
  { secrets: known, backends, kinds, resolveAws }: ApiResolveDeps,
  problems: Problems,
): ApiListenerConfig | undefined {
  const { file, path } = entry;
  const { socket, listen, tokenFile, secrets, control = false } = shape;
  const { maxConnections = shape.aws === undefined ? MAX_CONNECTIONS : MAX_AWS_CONNECTIONS } = shape;
  const before = problems.count;
  if (socket === undefined && listen === undefined) {
    problems.add('CONFIG_MISSING', file, path, 'the listener has neither socket nor listen', 'Add one of them.');
  } else if (socket !== undefined && listen !== undefined) {
    problems.add(
      'CONFIG_INVALID',
      file,
      path,
      'the listener has both socket and listen',
      'Keep one of them, or make two listeners.',
    );
  }
  if (listen !== undefined) checkTcp(shape, listen, entry, problems);
  // Clients that may stop the agent need to read no secret.
  if (secrets?.length === 0 && !control) {
    const hint = 'Name the secrets that its clients may read, or remove secrets to show all of them.';
    problems.warn('CONFIG_UNUSED', file, [...path, 'secrets'], 'the list is empty: the listener shows no secret', hint);
  }
  for (const [index, name] of (secrets ?? []).entries()) {
    const at = [...path, 'secrets', index];
    if (name.includes('.')) {
      problems.add(
        'CONFIG_INVALID',
        file,
        at,
        'the name of a secret has no dot',
        'Write NAME: a listener shows whole secrets.',
      );
    } else resolveSource(name, file, at, known, problems);
  }
  const aws = shape.aws && resolveAws?.(shape.aws, shape, entry, backends, kinds, problems);
  if (problems.count > before) return undefined;
  return {
    where: socket === undefined ? resolveHostPort(listen as string) : resolveSocket({ ...shape, socket }, file),
    place: problems.placeIn(file, path),
    ...(tokenFile === undefined ? {} : { tokenFile: resolve(file.dir, tokenFile) }),
    ...(secrets === undefined ? {} : { secrets }),
    control,
    maxConnections,
    ...(aws === undefined ? {} : { aws }),
  };
}

/** Checks a TCP listener. Every user, and every container of the pod, can connect to it, so it needs a token. */
function checkTcp(shape: ApiListenerShape, listen: string, { file, path }: ConfigEntry, problems: Problems): void {
  const { host = '' } = parseHostPort(listen) ?? {};
  if (!isLoopback(host)) {
    const hint = 'Use 127.0.0.1, [::1] or localhost, or a socket.';
    problems.add('CONFIG_INVALID', file, [...path, 'listen'], 'the address is not a loopback address', hint);
  }
  if (shape.tokenFile === undefined) {
    problems.add(
      'CONFIG_MISSING',
      file,
      [...path, 'tokenFile'],
      'tokenFile is absent, and listen needs one',
      'Add it.',
    );
  }
  for (const key of ['mode', 'uid', 'gid'] as const) {
    if (shape[key] === undefined) continue;
    problems.add('CONFIG_INVALID', file, [...path, key], `${key} goes with socket, not with listen`, 'Remove it.');
  }
}

function withoutListeners(raw: unknown): unknown {
  return isTree(raw) && Array.isArray(raw['listeners']) ? { ...raw, listeners: [] } : raw;
}
