import { resolve } from 'node:path';
import { parseDuration } from '../../../base/duration.ts';
import { trimSlashes } from '../../api-path.ts';
import type { Shapes } from '../../check/shapes.ts';
import { tablesIn } from '../../check/table.ts';
import type { StateConfig, StateKeyConfig } from '../../config.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import { resolveEntry } from '../../load/resolve-entry.ts';
import type { Problems } from '../../problems/problems.ts';
import type { BackendKindConfig } from '../backends/kind.ts';
import { configuredHint, type KnownBackends } from '../secrets/resolve.ts';

/** The schema of this section as tables, which the build puts in. */
declare const PANNIER_STATE_TABLES: string | undefined;

const TABLES = tablesIn(typeof PANNIER_STATE_TABLES === 'string' ? PANNIER_STATE_TABLES : undefined);

const DEFAULT_MAX_AGE_MS = 86_400_000;

/** Commands get no variable with this beginning, so the key does not reach them. */
const OWN_VARIABLE = /^PANNIER_[A-Z0-9_]+$/;

/** Files that Pannier writes in the directory of the state; it only ever makes `key`. */
const OF_STATE = /^(?:state|new|refused(?:\.\d)?)$/;

/** Where directories are on tmpfs. */
const IN_MEMORY = /^\/(?:run|dev\/shm)\//;

/** What the key may come from; no two of them go together. */
const KEYS = ['keyFile', 'keyEnv', 'transit'] as const;

/** Where state is kept; undefined when there is no such section. */
export function resolveState(
  entry: ConfigEntry | undefined,
  known: KnownBackends,
  kinds: readonly BackendKindConfig[],
  problems: Problems,
): StateConfig | undefined {
  problems.checker.learn?.(TABLES);
  return (
    entry &&
    resolveEntry('state', entry, problems, (shape, found) => {
      const key = keyOf(shape, entry, found, (transit) => wrappedBy(transit, entry, known, kinds, found));
      return key && stateOf(shape, key, entry, found);
    })
  );
}

function stateOf(
  { path: at, maxAge }: Shapes['state'],
  key: StateKeyConfig,
  { file, path }: ConfigEntry,
  problems: Problems,
): StateConfig | undefined {
  const dir = resolve(file.dir, at);
  if (key.from === 'file' && key.file.startsWith(`${dir}/`)) {
    const place = [...path, 'keyFile'];
    if (OF_STATE.test(key.file.slice(dir.length + 1))) {
      const hint = 'Name a file outside state.path.';
      problems.add('CONFIG_SAME_DIR', file, place, 'keyFile is a file that the state itself is written to', hint);
      return undefined;
    }
    if (!IN_MEMORY.test(dir)) {
      const seen = 'keyFile is inside state.path, and on a disk a key beside the state protects nothing';
      problems.warn('CONFIG_DOUBTFUL', file, place, seen, 'Keep the key elsewhere.');
    }
  }
  return {
    path: dir,
    key,
    maxAgeMs: maxAge === undefined ? DEFAULT_MAX_AGE_MS : (parseDuration(maxAge) ?? DEFAULT_MAX_AGE_MS),
    place: problems.placeIn(file, path),
  };
}

type TransitShape = NonNullable<Shapes['state']['transit']>;

/** Where the key comes from; undefined when a problem was added. */
function keyOf(
  shape: Shapes['state'],
  { file, path }: ConfigEntry,
  problems: Problems,
  wrapped: (transit: TransitShape) => StateKeyConfig | undefined,
): StateKeyConfig | undefined {
  const { keyFile, keyEnv, transit } = shape;
  const [first, second] = KEYS.filter((name) => shape[name] !== undefined);
  if (first !== undefined && second !== undefined) {
    const seen = `state has both ${first} and ${second}`;
    problems.add('CONFIG_INVALID', file, [...path, second], seen, 'Keep one of the two.');
    return undefined;
  }
  if (transit !== undefined) return wrapped(transit);
  if (keyFile !== undefined) return { from: 'file', file: resolve(file.dir, keyFile) };
  if (keyEnv === undefined) return { from: 'beside' };
  if (OWN_VARIABLE.test(keyEnv)) return { from: 'env', name: keyEnv };
  const hint = 'Name it PANNIER_STATE_KEY: commands that Pannier runs get no variable with this beginning.';
  problems.add('CONFIG_INVALID', file, [...path, 'keyEnv'], 'the name does not begin with PANNIER_', hint);
  return undefined;
}

function wrappedBy(
  { backend, mount, key }: TransitShape,
  { file, path }: ConfigEntry,
  { names, resolved, nearest }: KnownBackends,
  kinds: readonly BackendKindConfig[],
  problems: Problems,
): StateKeyConfig | undefined {
  const place = [...path, 'transit'];
  if (!names.includes(backend)) {
    const unknown = { what: 'backend', name: backend, near: nearest(backend) };
    problems.addUnknown('CONFIG_UNKNOWN_BACKEND', file, [...place, 'backend'], unknown, configuredHint(names));
    return undefined;
  }
  if (!/^[\w.-]+$/.test(key)) {
    const hint = 'The mount goes into transit.mount.';
    problems.add('CONFIG_INVALID', file, [...place, 'key'], 'it is not the name of a key', hint);
    return undefined;
  }
  const kind = resolved.get(backend)?.kind; // a backend with problems has been reported already
  const able = kinds.filter(({ wrapsKeys }) => wrapsKeys === true).map((one) => one.kind);
  if (kind !== undefined && !able.includes(kind)) {
    const seen = `${backend} is of kind ${kind}, and only ${able.join(' and ')} has a transit engine`;
    problems.add('CONFIG_INVALID', file, [...place, 'backend'], seen);
    return undefined;
  }
  const at = problems.placeIn(file, place);
  return { from: 'wrapped', backend, mount: trimSlashes(mount ?? '') || 'transit', name: key, place: at };
}
