import { readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Environment } from './environment.ts';
import type { Problems } from './problems.ts';
import { describeSystemError } from './read-capped.ts';

const CONFIG_NAME = /^[^.].*\.(?:yaml|yml|json)$/;

/** A file to read and its short name in messages. */
export interface Found {
  readonly path: string;
  readonly label: string;
}

/**
 * Files of the command line, else those of PANNIER_CONFIG (separated by `:`). A directory stands for its
 * `*.yaml|yml|json` in the order of their names, without sub-directories and hidden files. A file named twice is read
 * once.
 */
export function findFiles(paths: readonly string[], env: Environment, cwd: string, problems: Problems): Found[] {
  const named = namedPaths(paths, env);
  if (named.length === 0) {
    problems.addAt('CONFIG_MISSING', 'configuration', 'no file is named', 'Give -c FILE, or set PANNIER_CONFIG.');
  }
  const files = new Map<string, string>();
  for (const name of named) {
    for (const file of expand(name, cwd, problems)) {
      if (!files.has(resolve(cwd, file))) files.set(resolve(cwd, file), file);
    }
  }
  const shared = new Map<string, number>();
  for (const path of files.keys()) shared.set(basename(path), (shared.get(basename(path)) ?? 0) + 1);
  return [...files].map(([path, name]) => ({ path, label: shared.get(basename(path)) === 1 ? basename(path) : name }));
}

/** The directories among the paths: a file that appears there belongs to the configuration. */
export function findFolders(paths: readonly string[], env: Environment, cwd: string): readonly string[] {
  return namedPaths(paths, env)
    .map((path) => resolve(cwd, path))
    .filter(isDirectory);
}

/** Names of the files that a directory stands for, sorted. */
export function filesOfFolder(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((entry) => CONFIG_NAME.test(entry) && !isDirectory(resolve(folder, entry)))
    .sort();
}

function namedPaths(paths: readonly string[], env: Environment): readonly string[] {
  return paths.length > 0 ? paths : (env['PANNIER_CONFIG'] ?? '').split(':').filter((path) => path !== '');
}

function expand(name: string, cwd: string, problems: Problems): string[] {
  try {
    if (!statSync(resolve(cwd, name)).isDirectory()) return [name];
    const inside = filesOfFolder(resolve(cwd, name)).map((entry) => join(name, entry));
    if (inside.length === 0) problems.addAt('CONFIG_MISSING', name, 'the directory holds no *.yaml, *.yml or *.json');
    return inside;
  } catch (error) {
    problems.addAt('CONFIG_UNREADABLE', name, describeSystemError(error));
    return [];
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
