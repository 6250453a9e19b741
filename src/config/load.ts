import { dirname } from 'node:path';
import type { EntryChecker } from './check/entry-checker.ts';
import type { SchemaTables } from './check/table.ts';
import { createTableChecker, DoesNotFit } from './check/table-checker.ts';
import type { Config } from './config.ts';
import { deepFreeze } from './deep-freeze.ts';
import type { Environment } from './environment.ts';
import { type FoundFile, findFiles, findFolders } from './load/find-files.ts';
import { interpolate } from './load/interpolate.ts';
import { type MergedFiles, mergeFiles } from './load/merge.ts';
import { parseJsonFile } from './load/parse-json.ts';
import { isTree, type ParsedFile, type SourceFile } from './load/source-file.ts';
import type { CheckableRest } from './problems/config-problems.ts';
import { Problems } from './problems/problems.ts';
import { readCapped } from './read-capped.ts';
import { resolveConfig } from './resolve.ts';
import { type BackendKindConfig, kindOf } from './sections/backends/kind.ts';
import type { PathRequests } from './sections/backends/path-requests.ts';

/** Where a configuration is, and what it is resolved with. */
export interface LoadOptions {
  /** The files and directories that `-c` names. Empty: those of PANNIER_CONFIG, or `pannier.yaml` in `cwd`. */
  readonly paths: readonly string[];
  readonly env: Environment;
  /** All kinds of backends. */
  readonly kinds: readonly BackendKindConfig[];
  /** Those of the schemas with `kinds`, which spare a start zod. Absent: zod checks. */
  readonly tables?: SchemaTables | undefined;
  /** The directory that relative `paths` start from. */
  readonly cwd: string;
  /** Called before each file is parsed, with the length in characters of all files so far, and its text. */
  readonly onRead?: (length: number, text: string) => void;
}

/**
 * Reads, merges and checks a configuration.
 * @throws ConfigProblemsError with all problems. When a file cannot be read or parsed, only problems of that sort are
 * in it: without what the file defines, the rest cannot be checked.
 */
export async function loadConfig({ paths, env, kinds, tables, cwd, onRead }: LoadOptions): Promise<Config> {
  const problems = new Problems();
  const found = await findFiles(paths, env, cwd, problems);
  let isComplete = problems.count === 0;
  problems.several = found.length > 1;
  const files: SourceFile[] = [];
  let length = 0;
  for (const file of found) {
    const text = await readText(file, problems);
    length += text?.length ?? 0;
    if (text !== undefined) onRead?.(length, text);
    const parsed = text === undefined ? undefined : await parse(text, file, problems);
    if (parsed === undefined) isComplete = false;
    else files.push(await interpolate(parsed, { ...file, dir: dirname(file.path) }, env, problems));
  }
  if (!isComplete) problems.throwIfAny();
  await loadLateKeys(kinds, files);
  const checked = await checkBy(tables, kinds, (checker) => {
    const all = problems.with(checker);
    const merged = mergeFiles(files, all);
    return { all, merged, config: resolveConfig(merged, kinds, { env, cwd, problems: all }) };
  });
  const { all, merged, config } = checked;
  all.throwIfAny({ outputs: config.outputs, exec: config.exec, known: namesOf(merged, config, kinds) });
  return deepFreeze({
    ...config,
    warnings: all.warnings,
    files: found.map(({ path }) => path),
    folders: await findFolders(paths, env, cwd),
  });
}

/** Loads what is needed to resolve the requests and the backends that few configurations have. */
async function loadLateKeys(kinds: readonly BackendKindConfig[], files: readonly SourceFile[]): Promise<void> {
  for (const [key, load] of kinds.flatMap(({ lateRequestKeys = {} }) => Object.entries(lateRequestKeys))) {
    const isUsed = files.some(({ tree: { secrets } }) => isTree(secrets) && Object.values(secrets).some(has(key)));
    if (isUsed) await load();
  }
  for (const { kind, loadResolve } of kinds) {
    if (loadResolve === undefined) continue;
    const isUsed = files.some(({ tree: { backends } }) => isTree(backends) && Object.values(backends).some(is(kind)));
    if (isUsed) await loadResolve();
  }
}

const is = (kind: string) => (entry: unknown) => isTree(entry) && entry['kind'] === kind;
const has = (key: string) => (entry: unknown) => isTree(entry) && Object.hasOwn(entry, key);

/**
 * Calls `check` with the checker of tables, and when something does not fit, or without tables, with the one of zod:
 * the first is fast, the second knows what is wrong.
 */
async function checkBy<T>(
  tables: SchemaTables | undefined,
  kinds: readonly BackendKindConfig[],
  check: (checker: EntryChecker) => T,
): Promise<T> {
  if (tables !== undefined) {
    try {
      return check(createTableChecker(tables));
    } catch (error) {
      if (!(error instanceof DoesNotFit)) throw error;
    }
  }
  const [{ createZodChecker }, { loadSchemas }] = await Promise.all([
    import('./check/zod-checker.ts'),
    import('./check/schemas.ts'),
  ]);
  return check(createZodChecker(await loadSchemas(kinds)));
}

/**
 * The names that templates may use. A backend whose kind is not known for a problem of its own counts as one that can
 * be asked by a path, so that templates which use it cause no further problem.
 */
function namesOf(
  { sections }: MergedFiles,
  { backends }: Pick<Config, 'backends'>,
  kinds: readonly BackendKindConfig[],
): CheckableRest['known'] {
  const anyRequests = kinds.find(({ pathRequests }) => pathRequests !== undefined)?.pathRequests;
  const askable = new Map<string, PathRequests>();
  for (const name of sections.backends.keys()) {
    const config = backends.get(name);
    const requests = config === undefined ? anyRequests : kindOf(kinds, config).pathRequests;
    if (requests !== undefined) askable.set(name, requests);
  }
  return { secrets: new Set(sections.secrets.keys()), backends: askable };
}

/** The size of the largest configuration file: a hundred thousand secrets with an output each, in JSON. */
const MAX_CONFIG_BYTES = 32 * 2 ** 20;

const SPLIT_IT = 'Split it into several files: -c can be repeated, and can name a directory.';

async function readText({ path, label }: FoundFile, problems: Problems): Promise<string | undefined> {
  const text = await readCapped(path, { maxBytes: MAX_CONFIG_BYTES });
  if (typeof text === 'string') return text;
  problems.addAt('CONFIG_UNREADABLE', label, text.why, text.isTooLarge ? SPLIT_IT : undefined);
  return undefined;
}

/** The parsed file. Undefined when it has no map to go on with; the problem was added. */
async function parse(text: string, { path, label }: FoundFile, problems: Problems): Promise<ParsedFile | undefined> {
  const isJson = path.endsWith('.json') || (!/\.ya?ml$/.test(path) && text.trimStart().startsWith('{'));
  const parsed = isJson ? parseJsonFile(text, label, problems) : await parseYaml(text, label, problems);
  if (parsed.tree === undefined) return undefined;
  // A file may be empty, as one of several.
  if (parsed.tree === null) return { ...parsed, tree: {} };
  if (isTree(parsed.tree)) return parsed;
  problems.addAt('CONFIG_MALFORMED', label, 'the file does not hold a map', 'Begin with version: 1.');
  return undefined;
}

async function parseYaml(text: string, label: string, problems: Problems): Promise<ParsedFile> {
  const { parseYamlFile } = await import('./load/parse-yaml.ts');
  return parseYamlFile(text, label, problems);
}
