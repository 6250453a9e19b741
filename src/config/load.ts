import { dirname } from 'node:path';
import type { KnownTables } from './check/table.ts';
import { createTableChecker, DoesNotFit } from './check/table-checker.ts';
import type { Config } from './config.ts';
import { deepFreeze } from './deep-freeze.ts';
import type { Environment } from './environment.ts';
import { type FoundFile, findFiles, findFolders } from './load/find-files.ts';
import { interpolate } from './load/interpolate.ts';
import { mergeFiles } from './load/merge.ts';
import { parseJsonFile } from './load/parse-json.ts';
import { type ConfigTree, isTree, type SourceFile } from './load/source-file.ts';
import type { Made } from './problems/make-error.ts';
import type { ConfigText } from './problems/marks.ts';
import type { Problems } from './problems/problems.ts';
import { QuickCheck } from './problems/quick-check.ts';
import { readCapped } from './read-capped.ts';
import { resolveConfig } from './resolve.ts';
import type { BackendKindConfig } from './sections/backends/kind.ts';
import { loadStored } from './sections/secrets/resolve.ts';

/** Where a configuration is, and what it is resolved with. */
export interface LoadOptions {
  /** The files and directories that `-c` names. Empty: those of PANNIER_CONFIG, or `pannier.yaml` in `cwd`. */
  readonly paths: readonly string[];
  readonly env: Environment;
  /** All kinds of backends. */
  readonly kinds: readonly BackendKindConfig[];
  /** Those of the schemas with `kinds`, which spare a start zod. Absent: zod checks. */
  readonly tables?: KnownTables | undefined;
  /** The directory that relative `paths` start from. */
  readonly cwd: string;
  /**
   * A configuration that is read in the place of files. What its `${file:…}` name is on another machine, so each of
   * them gives a text of one character.
   */
  readonly given?: { readonly path: string } & Pick<ConfigText, 'text' | 'reading'>;
  /**
   * Called before each file is parsed, with the length in characters of all files so far, and the file. A configuration
   * that is not good is read twice.
   */
  readonly onRead?: (length: number, file: ConfigText) => void;
  /** Whether warnings have their positions too, which means to read the files twice. Problems always have theirs. */
  readonly placeWarnings?: boolean;
}

/**
 * Reads, merges and checks a configuration.
 * @throws ConfigProblemsError with all problems. When a file cannot be read or parsed, only problems of that sort are
 * in it: without what the file defines, the rest cannot be checked.
 */
export async function loadConfig(options: LoadOptions): Promise<Config> {
  const read = new Map<string, ReturnType<typeof readCapped>>();
  const reading: Reading = {
    texts: new Map(),
    // Read once: of a pipe there is nothing left the second time.
    readFile(path, limits) {
      if (options.given !== undefined) return Promise.resolve(path === options.given.path ? options.given.text : 'x');
      const reads = read.get(path) ?? readCapped(path, limits);
      read.set(path, reads);
      return reads;
    },
  };
  const severalFiles = () => reading.texts.size > 1;
  const { tables, kinds } = options;
  if (tables !== undefined) {
    try {
      return await loadBy(new QuickCheck(createTableChecker(tables), severalFiles), options, reading);
    } catch (error) {
      if (!(error instanceof DoesNotFit)) throw error;
    }
  }
  // The check by tables is fast, and this one knows what is wrong.
  const { createAllProblems } = await import('./check/create-all-problems.ts');
  return await loadBy(await createAllProblems(kinds, severalFiles), options, reading);
}

/** What was read. */
interface Reading {
  /** By the paths of the files. */
  readonly texts: Map<string, ConfigText>;
  readonly readFile: typeof readCapped;
}

async function loadBy(problems: Problems, options: LoadOptions, { texts, readFile }: Reading): Promise<Config> {
  const { paths, env, kinds, cwd, onRead, placeWarnings = false } = options;
  const { given } = options;
  const found =
    given === undefined ? await findFiles(paths, env, cwd, problems) : [{ path: given.path, label: given.path }];
  let isComplete = problems.count === 0;
  const files: SourceFile[] = [];
  let length = 0;
  for (const file of found) {
    const text = await readText(file, readFile, problems);
    const parsed = text === undefined ? undefined : await parse(take(text, file), problems);
    if (parsed === undefined) isComplete = false;
    else files.push(await interpolate(parsed, { ...file, dir: dirname(file.path) }, env, problems, readFile));
  }
  if (!isComplete && problems.count > 0) throw await problemsError();
  await loadLateKeys(kinds, files, problems);
  const merged = mergeFiles(files, problems);
  const config = await resolveConfig(merged, kinds, { env, cwd, problems });
  if (problems.count > 0) throw await problemsError({ ...config, sections: merged.sections, kinds });
  return deepFreeze({
    ...config,
    warnings: await warningsOf(problems, placeWarnings ? texts : undefined),
    files: found.map(({ path }) => path),
    folders: await findFolders(paths, env, cwd),
  });

  async function problemsError(made?: Made) {
    return (await import('./problems/make-error.ts')).makeError(problems.found, texts.values(), made);
  }

  function take(text: string, { path, label }: FoundFile): ConfigText {
    const isJson = path.endsWith('.json') || (!/\.ya?ml$/.test(path) && text.trimStart().startsWith('{'));
    // Parsed once, if the first check gave up after it.
    const read = texts.get(path) ?? { ...given, label, text, isJson };
    texts.set(path, read);
    length += text.length;
    onRead?.(length, read);
    return read;
  }
}

/** Loads what is needed to check and resolve the requests and the backends that few configurations have. */
async function loadLateKeys(
  kinds: readonly BackendKindConfig[],
  files: readonly SourceFile[],
  { checker }: Problems,
): Promise<void> {
  for (const [key, load] of kinds.flatMap(({ lateRequestKeys = {} }) => Object.entries(lateRequestKeys))) {
    if (files.some(({ tree }) => requestsIn(tree).some(has(key)))) await load();
  }
  if (files.some(({ tree }) => requestsIn(tree).some(has('certificateFrom')))) await loadStored();
  for (const { kind, loadResolve } of kinds) {
    if (loadResolve === undefined) continue;
    const all = files.flatMap(({ tree: { backends } }) => (isTree(backends) ? Object.values(backends) : []));
    const own = all.filter(isTree).filter((entry) => entry['kind'] === kind);
    const tables = own.length > 0 ? await loadResolve(own) : undefined;
    checker.learn?.(tables);
  }
}

/** Every entry of a file that asks a backend for something: the secrets, and the certificates on demand. */
function requestsIn({ secrets, sds }: ConfigTree): readonly unknown[] {
  return [...(isTree(secrets) ? Object.values(secrets) : []), ...(isTree(sds) ? [sds['onDemand']] : [])];
}

const has = (key: string) => (entry: unknown) => isTree(entry) && Object.hasOwn(entry, key);

/** @param texts absent: the warnings get no positions. */
async function warningsOf({ warnings }: Problems, texts: Reading['texts'] | undefined) {
  if (texts === undefined || warnings.length === 0) return warnings.map(({ failed }) => failed);
  const { withPositions } = await import('./problems/positions.ts');
  return await withPositions(warnings, texts.values());
}

/** The size of the largest configuration file: a hundred thousand secrets with an output each, in JSON. */
const MAX_CONFIG_BYTES = 32 * 2 ** 20;

const SPLIT_IT = 'Split it into several files: -c can be repeated, and can name a directory.';

async function readText(
  { path, label }: FoundFile,
  readFile: typeof readCapped,
  problems: Problems,
): Promise<string | undefined> {
  const text = await readFile(path, { maxBytes: MAX_CONFIG_BYTES });
  if (typeof text === 'string') return text;
  problems.addAt('CONFIG_UNREADABLE', label, text.why, text.isTooLarge ? SPLIT_IT : undefined);
  return undefined;
}

/** The map in the file. Undefined when it has none to go on with; the problem was added. */
async function parse(file: ConfigText, problems: Problems): Promise<ConfigTree | undefined> {
  const { label, text, isJson } = file;
  const tree = isJson
    ? await parseJsonFile(text, label, problems)
    : await (await import('./load/parse-yaml.ts')).parseYamlFile(file, problems);
  if (tree === undefined) return undefined;
  // A file may be empty, as one of several.
  if (tree === null) return {};
  if (isTree(tree)) return tree;
  problems.addAt('CONFIG_MALFORMED', label, 'the file does not hold a map', 'Begin with version: 1.');
  return undefined;
}
