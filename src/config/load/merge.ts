import type { Problems } from '../problems/problems.ts';
import { OTHER_NAME, SECRET_NAME } from '../rules.ts';
import { NAMED_SECTIONS, type NamedSection, SINGLE_SECTIONS, type SingleSection } from '../section-names.ts';
import type { ConfigEntry } from './entry.ts';
import { isTree, type SourceFile } from './source-file.ts';

/** The sections of all files together. */
export interface MergedFiles {
  readonly sections: Readonly<Record<NamedSection, ReadonlyMap<string, ConfigEntry>>>;
  /** The sections without named entries. Absent and empty ones are left out. */
  readonly singles: ReadonlyMap<SingleSection, ConfigEntry>;
}

/**
 * Merges the files. It checks the keys of each file, the names of entries, and that each name and section is defined
 * once; `resolve.ts` checks the entries themselves.
 */
export function mergeFiles(files: readonly SourceFile[], problems: Problems): MergedFiles {
  const sections = { backends: new Map(), secrets: new Map(), outputs: new Map() } as const;
  const owners = new Map<string, SourceFile>();
  const singles = new Map<SingleSection, ConfigEntry>();
  for (const file of files) {
    problems.checker.check('head', withoutEntries(file), { file, path: [] }, problems);
    for (const section of Object.keys(file.tree)) {
      if (section === 'version') continue;
      if (isNamed(section)) addEntries(sections[section], section, file, problems);
      else if (owners.has(section)) problems.addDuplicate(owners.get(section) as SourceFile, file, [section]);
      else {
        owners.set(section, file);
        if (!isSingle(section)) continue;
        if (file.tree[section] !== null) singles.set(section, { file, path: [section] });
        else warnOfEmpty(section, file, problems);
      }
    }
  }
  const [first] = files;
  if (first !== undefined && files.every(({ tree }) => tree['version'] === undefined)) {
    const [seen, hint] = ['version is absent', 'Add version: 1.'];
    if (files.length === 1) problems.add('CONFIG_MISSING', first, ['version'], seen, hint);
    else problems.addAt('CONFIG_MISSING', 'configuration', seen, hint);
  }
  return { sections, singles };
}

/** An empty section counts as absent, which for most is not the same as a map without keys. */
function warnOfEmpty(section: string, file: SourceFile, problems: Problems): void {
  const hint = `Remove it, or give it keys; ${section}: {} is the section with its defaults, where none is required.`;
  problems.warn('CONFIG_UNUSED', file, [section], 'the section is empty, so it counts as absent', hint);
}

function addEntries(
  entries: Map<string, ConfigEntry>,
  section: NamedSection,
  file: SourceFile,
  problems: Problems,
): void {
  const named = file.tree[section];
  if (!isTree(named)) return;
  for (const name of Object.keys(named)) {
    const path = [section, name];
    const first = entries.get(name);
    if (first !== undefined) problems.addDuplicate(first.file, file, path);
    else entries.set(name, { file, path });
    const { pattern, expected } = section === 'secrets' ? SECRET_NAME : OTHER_NAME;
    if (!pattern.test(name)) problems.add('CONFIG_INVALID', file, path, expected);
  }
}

/** A file without the entries that are checked later. A section without any entry counts as an absent one. */
function withoutEntries({ tree }: SourceFile): unknown {
  const head: Record<string, unknown> = { ...tree };
  for (const section of NAMED_SECTIONS) if (isTree(tree[section]) || tree[section] === null) head[section] = {};
  for (const section of SINGLE_SECTIONS) delete head[section];
  return head;
}

function isSingle(section: string): section is SingleSection {
  return (SINGLE_SECTIONS as readonly string[]).includes(section);
}

function isNamed(section: string): section is NamedSection {
  return (NAMED_SECTIONS as readonly string[]).includes(section);
}
