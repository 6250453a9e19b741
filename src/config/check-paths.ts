import { dirname, resolve } from 'node:path';
import type { MergedFiles } from './load/merge.ts';
import { isUnfilled, type SourceFile } from './load/source-file.ts';
import { type ConfigPath, formatPlace, valueAt } from './place.ts';
import type { Problems } from './problems/problems.ts';

/** A path that Pannier writes, as the configuration names it. */
interface Written {
  readonly file: SourceFile;
  readonly path: ConfigPath;
  readonly at: string;
  readonly kind: 'output' | 'state' | 'socket' | 'log';
}

/** The names that Pannier uses in the directory of a state. */
const OF_STATE = /^(?:state|new|key|refused(?:\.\d)?)$/;

/**
 * Refuses paths that Pannier would write twice: a directory of an output or of the state that is that of another one or
 * lies inside it, where each would remove the files of the other as old, and a socket or a log in the place of either.
 * It looks at what is written, so that it also tells of entries with other problems.
 */
export function checkPaths({ sections, singles }: MergedFiles, problems: Problems): void {
  const owners = new Map<string, Written>();
  const all: Written[] = [];
  for (const { file, path } of sections.outputs.values()) add('output', file, [...path, 'dir']);
  const state = singles.get('state');
  const log = singles.get('log');
  if (state !== undefined) add('state', state.file, ['state', 'path']);
  if (log !== undefined) add('log', log.file, ['log', 'file']);
  for (const section of ['api', 'proxy', 'admin', 'sds'] as const) {
    const file = singles.get(section)?.file;
    if (file === undefined) continue;
    const listeners = valueAt(file.tree, [section, 'listeners']);
    add('socket', file, [section, 'socket']);
    for (const index of Array.isArray(listeners) ? listeners.keys() : []) {
      add('socket', file, [section, 'listeners', index, 'socket']);
    }
  }
  for (const one of all) {
    const same = owners.get(one.at);
    if (same === undefined) owners.set(one.at, one);
    // Two sockets with one path are two listeners with one address, which is told as that.
    else if (one.kind !== 'socket' || same.kind !== 'socket') refuse(one, `is the same ${wordOf(same)} as`, same);
  }
  for (const one of all) {
    for (let at = one.at, above = dirname(at); above !== at; at = above, above = dirname(at)) {
      const owner = owners.get(above);
      if (owner !== undefined && collides(one, owner, at)) refuse(one, 'is inside', owner);
    }
  }

  function add(kind: Written['kind'], file: SourceFile, path: ConfigPath): void {
    const text = valueAt(file.tree, path);
    if (typeof text !== 'string' || text === '' || isUnfilled(file, path)) return;
    all.push({ kind, file, path, at: resolve(file.dir, text) });
  }

  function refuse(one: Written, how: string, other: Written): void {
    const name = String(one.path.at(-1));
    problems.add('CONFIG_SAME_DIR', one.file, one.path, `${name} ${how} ${formatPlace(other.path)}`);
  }
}

/** Whether something below a path is in its way. @param entry the entry of `owner` that leads to `one`. */
function collides({ kind }: Written, owner: Written, entry: string): boolean {
  const isDir = kind === 'output' || kind === 'state';
  if (isDir || owner.kind === 'socket' || owner.kind === 'log') return true;
  const name = entry.slice(owner.at.length + 1);
  if (owner.kind === 'state') return OF_STATE.test(name) || name.startsWith('..');
  const files = valueAt(owner.file.tree, [...owner.path.slice(0, -1), 'files']);
  const names = typeof files === 'object' && files !== null ? Object.keys(files) : [];
  return name.startsWith('..') || names.some((one) => one === name || one.startsWith(`${name}/`));
}

const wordOf = ({ kind }: Written): string => (kind === 'output' || kind === 'state' ? 'directory' : 'path');
