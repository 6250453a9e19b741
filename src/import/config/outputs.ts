import { dirname, join, normalize, relative } from 'node:path';
import { printTemplate } from '../template/print.ts';
import { Names } from '../template/wanted-secrets.ts';
import type { Draft, DraftFile } from './draft.ts';
import { childReload } from './exec.ts';
import { fileStem } from './templates.ts';
import { inline, YamlMap, type YamlValue } from './yaml.ts';

/** The files of one directory, which change together. */
interface Group {
  readonly dir: string;
  readonly files: Map<string, DraftFile>;
}

/** Where templates go: into the configuration, or into files beside it by their names. */
export interface TemplateFiles {
  readonly isBeside: boolean;
  readonly texts: Map<string, string>;
}

/** `outputs`: one for each directory that files are written to. */
export function outputsOf(draft: Draft, templates: TemplateFiles): YamlMap {
  const names = new Names();
  const outputs = new YamlMap();
  for (const group of groupsOf(draft)) {
    const name = names.take(group.dir.split('/'));
    outputs.set(name, outputOf(name, group, draft, templates));
  }
  return outputs;
}

/** Files by their directories, in the order in which they come. A directory in another's is a part of that one. */
function groupsOf({ files, notes }: Draft): readonly Group[] {
  const dirs = new Set(files.map(({ path }) => dirname(normalize(path))));
  const groups = new Map<string, Group>();
  for (const file of files) {
    const path = normalize(file.path);
    const dir = ancestorsOf(dirname(path)).find((one) => dirs.has(one)) ?? dirname(path);
    const group = groups.get(dir) ?? { dir, files: new Map<string, DraftFile>() };
    groups.set(dir, group);
    const name = relative(dir, path);
    if (group.files.has(name)) notes.remark(undefined, `${file.path}: two templates write it; the last one counts`);
    group.files.set(name, file);
  }
  return [...groups.values()];
}

/** A directory and those that it is in, the outermost first. */
function ancestorsOf(dir: string): readonly string[] {
  const above = dirname(dir);
  return above === dir ? [dir] : [...ancestorsOf(above), dir];
}

/** Directories that other programs use as well. */
const SHARED = /^(?:\/|\/etc|\/tmp|\/var\/tmp|\/run|\/var\/run|\/root|\/home\/[^/]+|\/usr\/local\/etc|\/opt|\.)$/;

function outputOf(outputName: string, { dir, files }: Group, draft: Draft, templates: TemplateFiles): YamlMap {
  const all = [...files.values()];
  const mode = mostCommon(all.map((file) => file.mode)) ?? '0644';
  const uid = mostCommon(all.map((file) => file.uid));
  const gid = mostCommon(all.map((file) => file.gid));
  const output = new YamlMap();
  const [first] = all;
  if (first !== undefined) draft.sources.set(`outputs.${outputName}`, first.origin);
  const shared = SHARED.test(dir)
    ? ['CHANGE: other programs use this directory too. Give the files one of their own.']
    : [];
  output
    .set('dir', dir, ...shared)
    .set('mode', mode)
    .set('dirMode', dirModeOf(all));
  output.set('uid', uid).set('gid', gid);
  output.set('quiet', all.findLast((file) => file.quiet !== undefined)?.quiet);
  output.set('maxWait', all.findLast((file) => file.maxWait !== undefined)?.maxWait);
  const entries = new YamlMap();
  for (const [name, file] of files) {
    const text = printTemplate(file.parts);
    const entry = new YamlMap();
    if (templates.isBeside && /\n[\s\S]/.test(text)) {
      entry.set('template', `./${addTemplate(templates, name, text)}`);
    } else entry.set('content', text);
    if (file.inputs.size > 0) entry.set('values', inline(Object.fromEntries(file.inputs)));
    if (file.mode !== mode) entry.set('mode', file.mode);
    if (file.uid !== uid) entry.set('uid', file.uid);
    if (file.gid !== gid) entry.set('gid', file.gid);
    entries.set(name, entry);
    draft.sources.set(`outputs.${outputName}.files.${name}`, file.origin);
  }
  output.set('files', entries);
  setReload(output, all, draft);
  return output;
}

function setReload(output: YamlMap, files: readonly DraftFile[], draft: Draft): void {
  const steps: YamlValue[] = [];
  const known = new Set<string>();
  for (const { command, signal } of files) {
    const step = signal ?? command?.argv;
    if (step === undefined || known.has(JSON.stringify(step))) continue;
    known.add(JSON.stringify(step));
    if (signal !== undefined) steps.push(inline({ signal: inline({ ...signal }) }));
    else steps.push(inline({ command: inline({ argv: command?.argv, timeout: command?.timeout }) }));
  }
  // A signal has no reader of the first generation: in a pod the application starts after it.
  const hasCommand = files.some(({ command }) => command !== undefined);
  if (hasCommand) output.set('reloadOnFirst', true, 'commands ran after the first rendering too');
  if (draft.childReload !== undefined && !draft.exec.isEmpty) steps.push(childReload(draft.childReload));
  if (steps.length === 0) return;
  const isShared = files.length > 1 && known.size > 0;
  output.set('reload', steps, ...(isShared ? ['runs once when any of the files above has changed'] : []));
}

/** Readers have to get through the directory too. */
function dirModeOf(files: readonly DraftFile[]): string | undefined {
  const bits = files.reduce((all, { mode }) => all | Number.parseInt(mode, 8), 0);
  if ((bits & 0o004) !== 0) return '0755';
  return (bits & 0o040) !== 0 ? '0750' : undefined;
}

function mostCommon<T>(values: readonly T[]): T | undefined {
  const counts = new Map<T, number>();
  for (const one of values) counts.set(one, (counts.get(one) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}

/** The path of a template's file, which no other has. */
function addTemplate({ texts }: TemplateFiles, name: string, text: string): string {
  const stem = fileStem(name).replace(/[^A-Za-z0-9._-]/g, '_');
  let path = join('templates', `${stem}.hbs`);
  for (let number = 2; texts.has(path); number++) path = join('templates', `${stem}-${number}.hbs`);
  texts.set(path, text);
  return path;
}
