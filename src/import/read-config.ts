import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileInTime } from '../base/read-file.ts';
import { describeSystemError } from '../config/read-capped.ts';
import type { FiledItem } from './config/stanza.ts';
import { parseHcl } from './hcl/parser.ts';
import { HclSyntaxError } from './hcl/tree.ts';
import type { Problem } from './problem.ts';
import { decodeSource, MAX_SOURCE_BYTES, SourceText } from './source-text.ts';

/** Reads standard input, to its end. */
export type ReadStdin = () => Promise<Uint8Array>;

/** What the files say; or why they cannot be read, each with its place. */
export type ReadConfig = { readonly items: readonly FiledItem[] } | { readonly unreadable: readonly Problem[] };

/** Reads the configurations of other agents. `-` is standard input. */
export async function readConfigs(files: readonly string[], stdin: ReadStdin): Promise<ReadConfig> {
  const items: FiledItem[] = [];
  const unreadable: Problem[] = [];
  const found = await withoutFolders(files);
  if (found.length === 0) {
    const place = { file: files.join(', '), line: 1, column: 1 };
    unreadable.push({ place, seen: 'there is no *.hcl or *.json in it', todo: 'Name a configuration in HCL or JSON.' });
  }
  for (const file of found) {
    const read = await readSourceFile(file, stdin);
    const start = { file, line: 1, column: 1 };
    if ('problem' in read) {
      unreadable.push({ place: start, seen: read.problem, todo: 'Name a configuration in HCL or JSON.' });
      continue;
    }
    try {
      items.push(...parseHcl(new SourceText(read.text)).items.map((item) => ({ ...item, file })));
    } catch (error) {
      if (!(error instanceof HclSyntaxError)) throw error;
      const todo = MANIFEST.test(read.text)
        ? 'It looks like a manifest of Kubernetes: name it with --annotations.'
        : 'Nothing was converted: correct it first.';
      unreadable.push({ place: { file, ...error.at }, seen: error.message, todo });
    }
  }
  if (unreadable.length === 0 && items.length === 0) {
    const place = { file: found.join(', '), line: 1, column: 1 };
    unreadable.push({
      place,
      seen: 'there is no key and no block in it',
      todo: 'Name a configuration in HCL or JSON.',
    });
  }
  return unreadable.length > 0 ? { unreadable } : { items };
}

/** A line of YAML that manifests have. HCL has no colon there. */
const MANIFEST = /^(?:- )?(?:apiVersion|kind): *["']?[A-Za-z]/m;

/** A folder stands for the configurations in it, as the agents read it: by their names, without folders in it. */
async function withoutFolders(files: readonly string[]): Promise<readonly string[]> {
  const found = files.map(async (file) => {
    const names = file === '-' ? undefined : await readdir(file).catch(() => undefined);
    if (names === undefined) return [file];
    return names
      .filter((name) => /\.(?:hcl|json)$/.test(name))
      .sort()
      .map((name) => join(file, name));
  });
  return (await Promise.all(found)).flat();
}

/** The text of a file, or why there is none. */
export async function readSourceFile(
  file: string,
  stdin?: ReadStdin,
): Promise<{ readonly text: string } | { readonly problem: string }> {
  try {
    const bytes =
      file === '-' && stdin !== undefined
        ? await stdin()
        : (await readFileInTime(file, { maxBytes: MAX_SOURCE_BYTES, pipes: true })).bytes;
    return decodeSource(bytes);
  } catch (error) {
    return { problem: describeSystemError(error) };
  }
}
