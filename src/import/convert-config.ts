import { isAbsolute } from 'node:path';
import { isVariableName } from '../base/variable-name.ts';
import { type BackendExtras, convertBackend } from './config/backend.ts';
import { Draft } from './config/draft.ts';
import { convertExec } from './config/exec.ts';
import { convertListeners } from './config/listeners.ts';
import { convertLog } from './config/log.ts';
import { outputsOf, type TemplateFiles } from './config/outputs.ts';
import { tellRest } from './config/rest.ts';
import { convertSinks } from './config/sinks.ts';
import type { FiledItem } from './config/stanza.ts';
import { Stanza } from './config/stanza.ts';
import {
  type CommandsKept,
  convertFileTemplate,
  convertVariable,
  type ReadSource,
  type TemplateSettings,
  waitOf,
} from './config/templates.ts';
import { inline, writeYaml, YamlMap } from './config/yaml.ts';
import { CHANGE, marksOf } from './marks.ts';
import { Notes, type Problem } from './problem.ts';
import { printTemplate } from './template/print.ts';
import { formOf } from './template/wanted-secrets.ts';

export interface ImportOptions {
  /** What was told before the conversion. */
  readonly notes?: Notes;
  readonly extras?: BackendExtras;
  readonly readSource: ReadSource;
  /** Writes the token of sinks into files, as was asked for. */
  readonly sink: boolean;
  /** A file with a secret id stays when it was read: for a comparison. */
  readonly keepsCredentials: boolean;
  /** Templates of several lines become files beside the configuration. */
  readonly templatesBeside: boolean;
  /** What becomes of commands after a rendering; absent: all are kept. */
  readonly commands?: CommandsKept;
}

export interface Imported {
  readonly yaml: string;
  /** By path, relative to the configuration. */
  readonly templates: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
  /** Variables of the child whose values stand in the configuration itself. */
  readonly constants: ReadonlySet<string>;
  /** Where the parts of the result come from: `outputs.shop.files.app.env`. */
  readonly sources: ReadonlyMap<string, string>;
}

/** Converts the items of all files, in their order: of a block that is there several times the last one counts. */
export async function convertConfig(
  items: readonly FiledItem[],
  names: readonly string[],
  options: ImportOptions,
): Promise<Imported> {
  const { notes = new Notes(), extras = {} } = options;
  const draft = new Draft(notes);
  const root = new Stanza(items, { file: names[0] ?? '-', line: 1, column: 1 });
  convertBackend(root, draft, options.keepsCredentials, extras);
  const config = root.block('template_config')?.stanza;
  const refresh = config?.duration('static_secret_render_interval');
  if (refresh === 'odd') {
    const place = config?.placeOf('static_secret_render_interval') ?? root.place;
    notes.problem(place, 'static_secret_render_interval is no duration', 'Write refresh: 5m.');
  } else if (refresh !== undefined) draft.refresh = refresh;
  const delimiters = root.block('default_delimiters')?.stanza;
  const settings: TemplateSettings = {
    readSource: options.readSource,
    left: delimiters?.text('left'),
    right: delimiters?.text('right'),
    wait: waitOf(root, draft),
    commands: options.commands ?? 'all',
  };
  for (const { stanza } of root.blocks('template')) await convertFileTemplate(stanza, draft, settings);
  for (const { label, stanza } of root.blocks('env_template', true)) {
    await convertVariable(label, stanza, draft, settings);
  }
  convertExec(root, draft);
  convertSinks(root, draft, options.sink);
  convertListeners(root, draft);
  convertLog(root, draft);
  tellRest(root, notes);
  for (const [made, given] of SECTIONS) {
    const { file, line, column } = root.placeOf(given);
    if (root.has(given)) draft.sources.set(made, `${file}:${line}:${column}`);
  }
  tellRelative(draft);
  return assemble(draft, names, options);
}

/** A section of the result, and what it is made of; a later one of the same section counts. */
const SECTIONS = [
  ['backends.vault', 'vault'],
  ['backends.vault.auth', 'auto_auth'],
  ['exec', 'exec'],
  ['proxy', 'listener'],
  ['admin', 'listener'],
  ['log', 'log_level'],
  ['log.file', 'log_file'],
] as const;

/** The agents begin relative paths at their working directory. */
function tellRelative({ files, backend, notes }: Draft): void {
  const named = (map: YamlMap): readonly string[] =>
    map.entries.flatMap(({ key, value }) => {
      if (value instanceof YamlMap) return named(value);
      return key.endsWith('File') && typeof value === 'string' ? [value] : [];
    });
  const relative = [...files.map(({ path }) => path), ...named(backend)].filter(
    (path) => !isAbsolute(path) && path !== CHANGE,
  );
  if (relative.length > 0) {
    notes.remark(
      undefined,
      `${relative.join(', ')}: relative paths begin at this file, and not at the working directory`,
    );
  }
}

const told = (count: number): string =>
  count === 1
    ? 'One place was not converted: CHANGE-ME names it.'
    : `${count} places were not converted: CHANGE-ME names them.`;

function assemble(draft: Draft, names: readonly string[], { templatesBeside }: ImportOptions): Imported {
  const templates: TemplateFiles = { isBeside: templatesBeside, texts: new Map() };
  const outputs = outputsOf(draft, templates);
  const secrets = new YamlMap();
  for (const wanted of draft.secrets.all()) {
    const { request } = formOf(wanted);
    const isPolled = 'kv' in request || 'read' in request;
    const isWhole = 'read' in request && /^[^/]+\/data\//.test(wanted.path);
    secrets.set(
      wanted.name,
      inline({ ...request, refresh: isPolled ? draft.refresh : undefined }),
      ...(isWhole ? ['read, and not kv: a template uses its metadata'] : []),
    );
  }
  for (const [name, { request, comment }] of draft.plainSecrets) secrets.set(name, request, comment);
  const document = new YamlMap().set('version', 1);
  document.set('backends', new YamlMap().set('vault', draft.backend), '');
  if (!secrets.isEmpty) document.set('secrets', secrets, '');
  if (!outputs.isEmpty) document.set('outputs', outputs, '');
  if (draft.variables.length > 0) {
    const env = draft.exec.entries.find(({ key }) => key === 'env')?.value;
    const all = env instanceof YamlMap ? env : new YamlMap();
    if (env === undefined) draft.exec.set('env', all);
    for (const { name, parts, origin } of draft.variables) {
      all.set(name, printTemplate(parts));
      draft.sources.set(`exec.env.${name}`, origin);
    }
    if (draft.variables.some(({ name }) => !isVariableName(name))) draft.needsAnyName = true;
  }
  if (draft.needsAnyName) draft.exec.set('names', 'any');
  for (const [name, section] of [
    ['exec', draft.exec],
    ['proxy', draft.proxy],
    ['admin', draft.admin],
    ['log', draft.log],
  ] as const) {
    if (!section.isEmpty) document.set(name, section, '');
  }
  const problems = [...draft.notes.problems].sort((a, b) => order(names, a, b));
  return {
    yaml: head(names, draft.notes) + marksOf(problems) + writeYaml(document),
    templates: templates.texts,
    problems,
    constants: draft.constants,
    sources: draft.sources,
  };
}

function head(names: readonly string[], { remarks, problems }: Notes): string {
  const lines = [`Made by pannier import from ${names.join(', ')}. Check it with pannier validate.`];
  if (problems.length > 0) lines.push(told(problems.length));
  if (remarks.length > 0)
    lines.push('What has no place here, or comes out differently:', ...remarks.map((one) => `  ${one}`));
  return `${lines.map((line) => `# ${line.replace(/\s*\n\s*/g, ' ')}\n`).join('')}\n`;
}

function order(names: readonly string[], a: Problem, b: Problem): number {
  const [one, other] = [names.indexOf(a.place.file), names.indexOf(b.place.file)];
  return one - other || a.place.line - b.place.line || a.place.column - b.place.column;
}
