import { join, resolve } from 'node:path';
import { errnoWord } from '../../base/errno.ts';
import { readdirInTime, statInTime } from '../../base/read-file.ts';
import type { Environment } from '../environment.ts';
import type { Problems } from '../problems/problems.ts';
import { describeSystemError } from '../read-capped.ts';

const CONFIG_NAME = /^[^.].*\.(?:yaml|yml|json)$/;

/** A file of the configuration. */
export interface FoundFile {
  /** Absolute. */
  readonly path: string;
  /** Its name in messages: as it was given, so that editors and other programs find the file. */
  readonly label: string;
}

/**
 * The files of the command line, else those of PANNIER_CONFIG (separated by `:`), else `pannier.yaml`. A directory
 * stands for its files `*.yaml`, `*.yml` and `*.json` in the order of their names, without hidden files and those of
 * subdirectories. A file that is named twice is listed once.
 */
export async function findFiles(
  paths: readonly string[],
  env: Environment,
  cwd: string,
  problems: Problems,
): Promise<FoundFile[]> {
  let named = namedPaths(paths, env);
  if (named.length === 0) named = await (await import('./default-file.ts')).defaultFile(cwd, problems);
  const files = new Map<string, string>();
  for (const name of named) {
    for (const file of await expand(name, cwd, problems)) {
      if (!files.has(resolve(cwd, file))) files.set(resolve(cwd, file), file);
    }
  }
  return [...files].map(([path, label]) => ({ path, label }));
}

/** The directories among the paths. A file that appears in one belongs to the configuration. */
export async function findFolders(paths: readonly string[], env: Environment, cwd: string): Promise<readonly string[]> {
  const all = namedPaths(paths, env).map((path) => resolve(cwd, path));
  const areFolders = await Promise.all(all.map(isDirectory));
  return all.filter((_, index) => areFolders[index]);
}

/** The names of the files that a directory stands for, sorted. */
export async function filesOfFolder(folder: string): Promise<readonly string[]> {
  const names = (await readdirInTime(folder)).filter((entry) => CONFIG_NAME.test(entry)).sort();
  const areFolders = await Promise.all(names.map((entry) => isDirectory(resolve(folder, entry))));
  return names.filter((_, index) => !areFolders[index]);
}

function namedPaths(paths: readonly string[], env: Environment): readonly string[] {
  return paths.length > 0 ? paths : (env['PANNIER_CONFIG'] ?? '').split(':').filter((path) => path !== '');
}

async function expand(name: string, cwd: string, problems: Problems): Promise<string[]> {
  // An unset variable, as in `-c "$CONFIG"`, must not stand for the working directory.
  if (name === '') {
    problems.addAt('CONFIG_MISSING', 'configuration', 'the path of a configuration is empty', 'Give -c a path.');
    return [];
  }
  try {
    if (!(await statInTime(resolve(cwd, name))).isDirectory()) return [name];
    const inside = (await filesOfFolder(resolve(cwd, name))).map((entry) => join(name, entry));
    if (inside.length === 0) {
      const hint = 'Name the directory with the configuration, or its file.';
      problems.addAt('CONFIG_MISSING', name, 'the directory holds no *.yaml, *.yml or *.json', hint);
    }
    return inside;
  } catch (error) {
    problems.addAt('CONFIG_UNREADABLE', name, describeSystemError(error));
    return [];
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await statInTime(path)).isDirectory();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoWord(error))) return false;
    throw error;
  }
}
