import { resolve } from 'node:path';
import { parseDuration } from '../../../base/duration.ts';
import type { Shapes } from '../../check/shapes.ts';
import type { StateConfig, StateKeyConfig } from '../../config.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import { resolveEntry } from '../../load/resolve-entry.ts';
import type { Problems } from '../../problems/problems.ts';

const DEFAULT_MAX_AGE_MS = 86_400_000;

/** Commands get no variable with this beginning, so the key does not reach them. */
const OWN_VARIABLE = /^PANNIER_[A-Z0-9_]+$/;

/** Where state is kept; undefined when there is no such section. */
export function resolveState(entry: ConfigEntry | undefined, problems: Problems): StateConfig | undefined {
  return entry && resolveEntry('state', entry, problems, (shape, found) => stateOf(shape, entry, found));
}

function stateOf(shape: Shapes['state'], entry: ConfigEntry, problems: Problems): StateConfig | undefined {
  const { file, path } = entry;
  const { keyFile, keyEnv, maxAge } = shape;
  if (keyFile !== undefined && keyEnv !== undefined) {
    const seen = 'state has both keyFile and keyEnv';
    problems.add('CONFIG_INVALID', file, [...path, 'keyEnv'], seen, 'Keep one of the two.');
    return undefined;
  }
  if (keyEnv !== undefined && !OWN_VARIABLE.test(keyEnv)) {
    const hint = 'Name it PANNIER_STATE_KEY: commands that Pannier runs get no variable with this beginning.';
    problems.add('CONFIG_INVALID', file, [...path, 'keyEnv'], 'the name does not begin with PANNIER_', hint);
    return undefined;
  }
  return {
    path: resolve(file.dir, shape.path),
    key: keyOf(keyFile === undefined ? undefined : resolve(file.dir, keyFile), keyEnv),
    maxAgeMs: maxAge === undefined ? DEFAULT_MAX_AGE_MS : (parseDuration(maxAge) ?? DEFAULT_MAX_AGE_MS),
    place: problems.placeIn(file, path),
  };
}

function keyOf(file: string | undefined, name: string | undefined): StateKeyConfig {
  if (file !== undefined) return { from: 'file', file };
  return name === undefined ? { from: 'beside' } : { from: 'env', name };
}
