import { lstat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { errnoOf, errnoWord } from '../base/errno.ts';
import { fail } from '../base/errors.ts';
import { makeFolders } from '../base/make-folders.ts';
import { readAnnotations } from '../import/annotations/read-manifest.ts';
import { configOfAnnotations } from '../import/annotations/to-config.ts';
import { problemsOfResult } from '../import/check-result.ts';
import type { FiledItem } from '../import/config/stanza.ts';
import { convertConfig, type Imported } from '../import/convert-config.ts';
import { formatProblem, Notes } from '../import/problem.ts';
import { readConfigs, readSourceFile } from '../import/read-config.ts';
import type { ComparisonOptions } from './import/show-comparison.ts';
import { print, tell } from './print.ts';

export interface ImportCommandOptions extends ComparisonOptions {
  /** Configurations of Vault Agent, Vault Proxy, consul-template or envconsul; `-` is standard input. */
  readonly files: readonly string[];
  /** A manifest of Kubernetes whose annotations are read, for the injector. */
  readonly annotations?: string;
  /** Writes `pannier.yaml` and templates into this directory instead of standard output. */
  readonly out?: string;
  /** Writes the token of sinks into files. */
  readonly sink?: boolean;
  /** Renders both sides and shows the difference, instead of writing the configuration. */
  readonly compare?: boolean;
}

/**
 * `pannier import`: converts the configuration of another agent. Returns 0 when everything was converted, 1 when
 * something was not and the rest was written, 2 when nothing could be read.
 */
export async function importCommand(options: ImportCommandOptions): Promise<number> {
  if (options.out === '') {
    throw fail('CONFIG_INVALID', '--out', 'it is empty', {
      hint: 'Name a directory that does not exist, or is empty.',
    });
  }
  const converted = await convert(options);
  if (converted === undefined) return 2;
  const { items, imported } = converted;
  const { problems } = imported;
  for (const problem of problems) tell(`${formatProblem(problem)}\n`);
  const wrong = await problemsOfResult(imported, options.out !== undefined && options.compare !== true);
  for (const problem of wrong) tell(`the result is not valid yet: ${problem}\n`);
  if (options.compare === true && wrong.length === 0) {
    const { showComparison } = await import('./import/show-comparison.ts');
    return (await showComparison(items, imported, options)) && problems.length === 0 ? 0 : 1;
  }
  if (options.out === undefined) await print(imported.yaml);
  else {
    await writeResult(options.out, imported);
    await print(`${toldOf(imported, options.out)}\n`);
  }
  return problems.length > 0 || wrong.length > 0 ? 1 : 0;
}

/** What was written, and the next step. */
function toldOf({ templates, problems }: Imported, out: string): string {
  const path = join(out, 'pannier.yaml');
  const beside = templates.size === 0 ? '' : ` with ${templates.size} template${templates.size === 1 ? '' : 's'}`;
  const first = problems.length === 0 ? '' : 'look at what CHANGE-ME lists in it, and remove that; then ';
  return `wrote ${path}${beside}; next: ${first}pannier validate -c ${path}`;
}

/** Undefined when a file cannot be read, which was told. */
async function convert({
  files,
  annotations,
  out,
  sink,
  compare,
}: ImportCommandOptions): Promise<Converted | undefined> {
  if (annotations !== undefined)
    return convertManifest(annotations, files, {
      isBeside: out !== undefined && compare !== true,
      sink: sink === true,
      keepsCredentials: compare === true,
    });
  if (files.length === 0) {
    throw fail('CONFIG_MISSING', 'import', 'no file was named', {
      hint: 'Name a configuration, or - for standard input.',
    });
  }
  const read = await readConfigs(files, readStdin);
  if ('unreadable' in read) {
    for (const problem of read.unreadable) tell(`${formatProblem(problem)}\n`);
    return undefined;
  }
  const folders = files.map((file) => dirname(resolve(file)));
  const imported = await convertConfig(read.items, files, {
    readSource: async (path) => {
      // The agents read from their working directory, which may have been that of the configuration.
      const found = await readSourceFile(path);
      for (const folder of 'problem' in found ? folders : []) {
        const beside = await readSourceFile(resolve(folder, path));
        if (!('problem' in beside)) return beside;
      }
      return found;
    },
    sink: sink === true,
    templatesBeside: out !== undefined && compare !== true,
    keepsCredentials: compare === true,
  });
  return { items: read.items, imported };
}

/** Undefined when the manifest cannot be read, which was told. */
async function convertManifest(
  manifest: string,
  files: readonly string[],
  how: { readonly isBeside: boolean; readonly sink: boolean; readonly keepsCredentials: boolean },
): Promise<Converted | undefined> {
  if (files.length > 0) {
    const hint = 'Run import once for the manifest and once for the files.';
    throw fail('CONFIG_INVALID', '--annotations', 'other files are named beside the manifest', { hint });
  }
  const read = await readSourceFile(manifest, readStdin);
  const place = { file: manifest, line: 1, column: 1 };
  const found =
    'problem' in read
      ? { unreadable: { place, seen: read.problem, todo: 'Name a manifest.' } }
      : await readAnnotations(read.text, manifest);
  if ('unreadable' in found || found.annotations.length === 0) {
    const none = { place, seen: 'no annotation of vault.hashicorp.com/ or openbao.org/', todo: 'Name a manifest.' };
    tell(`${formatProblem('unreadable' in found ? found.unreadable : none)}\n`);
    return undefined;
  }
  const notes = new Notes();
  const { items, extras } = configOfAnnotations(found.annotations, notes);
  const imported = await convertConfig(items, [manifest], {
    readSource: async () => ({ problem: 'it is in another container' }),
    sink: how.sink,
    templatesBeside: how.isBeside,
    commands: 'signals',
    keepsCredentials: how.keepsCredentials,
    notes,
    extras,
  });
  return { items, imported };
}

interface Converted {
  readonly items: readonly FiledItem[];
  readonly imported: Imported;
}

/** Writes the configuration and its templates. Nothing that is there is replaced. */
async function writeResult(out: string, { yaml, templates }: Imported): Promise<void> {
  const files = [...templates, ['pannier.yaml', yaml] as const].map(([name, text]) => [join(out, name), text] as const);
  const hint = 'Name a directory that does not exist, or is empty.';
  // Nothing is written where not all can be.
  for (const [path] of files) {
    const isThere = await lstat(path).then(
      () => true,
      () => false,
    );
    if (isThere) throw fail('CONFIG_INVALID', path, 'there is such a file already', { hint });
  }
  for (const [path, text] of files) {
    try {
      await makeFolders(dirname(path));
      await writeFile(path, text, { flag: 'wx' });
    } catch (error) {
      const [isThere, isFile] = ['EEXIST', 'ENOTDIR'].map((code) => errnoOf(error) === code);
      if (isFile) throw fail('CONFIG_INVALID', out, 'a file stands there, where a directory is expected', { hint });
      const seen = isThere ? 'there is such a file already' : `it cannot be written (${errnoWord(error)})`;
      throw fail('CONFIG_INVALID', path, seen, { hint });
    }
  }
}

async function readStdin(): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  for await (const piece of process.stdin) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}
