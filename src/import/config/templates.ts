import { basename } from 'node:path';
import { isVariableName, variableNameRule } from '../../base/variable-name.ts';
import { positionIn } from '../hcl/position-in.ts';
import type { HclString, HclValue } from '../hcl/tree.ts';
import type { Place } from '../problem.ts';
import { SourceText } from '../source-text.ts';
import { type ConvertOptions, convertTemplate } from '../template/convert.ts';
import type { Draft, DraftFile, Locate } from './draft.ts';
import { tellTemplate } from './draft.ts';
import { signalOf } from './signal-command.ts';
import { modeOf, type Stanza } from './stanza.ts';

/** Reads a file that a configuration names; or says why it cannot be read. */
export type ReadSource = (path: string) => Promise<{ readonly text: string } | { readonly problem: string }>;

/**
 * What becomes of commands after a rendering. `signals`: one that only sends a signal becomes a signal of the agent's
 * own. `only signals`: any other one is a problem too, since the agent is where no program is.
 */
export type CommandsKept = 'all' | 'signals' | 'only signals';

export interface TemplateSettings {
  readonly readSource: ReadSource;
  /** `default_delimiters` of consul-template. */
  readonly left: string | undefined;
  readonly right: string | undefined;
  readonly wait: Pick<DraftFile, 'quiet' | 'maxWait'>;
  readonly commands: CommandsKept;
}

interface TemplateText {
  readonly text: string;
  readonly locate: Locate;
  readonly origin: string;
}

/** Converts `template`: a file of an output. */
export async function convertFileTemplate(stanza: Stanza, draft: Draft, settings: TemplateSettings): Promise<void> {
  const { notes } = draft;
  const destination = stanza.text('destination');
  const command = commandOf(stanza, draft, settings.commands);
  const mode = modeOf(stanza.value('perms'));
  if (mode === 'odd') {
    const seen = `perms is no file mode: ${shownOf(stanza.value('perms'))}`;
    notes.problem(stanza.placeOf('perms'), seen, `The file has mode ${CLOSED}: write mode yourself.`);
  }
  const found = await templateText(stanza, draft, settings);
  const wait = waitOf(stanza, draft);
  const owner = ownerOf(stanza, draft);
  if (destination === undefined || destination === '') {
    notes.problem(stanza.place, 'a template has no destination', 'Name a file of an output.');
    return;
  }
  if (found === undefined) {
    draft.files.push({
      path: destination,
      parts: UNREAD,
      inputs: new Map(),
      mode: usedMode(mode),
      ...owner,
      origin: `${stanza.place.file}:${stanza.place.line}`,
    });
    return;
  }
  const made = convertTemplate(found.text, draft.secrets, delimitersOf(stanza, settings));
  tellTemplate(notes, found.locate, made);
  const common = { inputs: made.inputs, ...settings.wait, ...wait, origin: found.origin };
  draft.files.push({
    ...common,
    path: destination,
    parts: made.parts,
    mode: usedMode(mode),
    ...owner,
    ...command,
  });
  for (const file of made.files) {
    const ids = {
      ...idOf('uid', file.user, draft, found.locate(0)),
      ...idOf('gid', file.group, draft, found.locate(0)),
    };
    const used = modeOf({ kind: 'string', value: file.perms, at: { line: 1, column: 1 } });
    draft.files.push({
      ...common,
      path: file.path,
      parts: file.parts,
      mode: usedMode(used),
      ...ids,
    });
  }
}

/** A mode that cannot be read becomes one that shows the file to nobody else. */
const CLOSED = '0600';

const usedMode = (mode: string | undefined): string => (mode === 'odd' ? CLOSED : (mode ?? '0644'));

const shownOf = (value: HclValue | undefined): string => {
  if (value?.kind === 'string') return JSON.stringify(value.value.slice(0, 40));
  return value?.kind === 'number' ? value.text : `${value?.kind}`;
};

/** Stands for a template that could not be read. */
const UNREAD = [{ kind: 'comment', text: 'not converted: the template could not be read' }] as const;

/** Converts `env_template "NAME"`: a variable of the child. */
export async function convertVariable(
  name: string | undefined,
  stanza: Stanza,
  draft: Draft,
  settings: TemplateSettings,
): Promise<void> {
  const { notes } = draft;
  if (name === undefined || !isVariableName(name, 'any')) {
    const seen = name === undefined ? 'env_template has no name of a variable' : variableNameRule('any');
    notes.problem(stanza.place, seen, 'Write env_template "NAME" { … }.');
    stanza.skip();
    return;
  }
  const found = await templateText(stanza, draft, settings);
  const made =
    found === undefined
      ? undefined
      : convertTemplate(found.text, draft.secrets, { ...delimitersOf(stanza, settings), mayHaveInputs: false });
  if (found !== undefined && made !== undefined) tellTemplate(notes, found.locate, made);
  if (made !== undefined && made.files.length > 0) {
    notes.problem(found?.locate(0) ?? stanza.place, 'writeToFile in env_template', 'Make an output of it.');
  }
  const origin = found?.origin ?? `${stanza.place.file}:${stanza.place.line}`;
  draft.variables.push({ name, parts: made?.parts ?? UNREAD, origin });
}

function delimitersOf(stanza: Stanza, { left, right }: TemplateSettings): ConvertOptions {
  const own = { left: stanza.text('left_delimiter') || left, right: stanza.text('right_delimiter') || right };
  return { ...(own.left ? { left: own.left } : {}), ...(own.right ? { right: own.right } : {}) };
}

/** The template itself, of `contents` or of the file `source`. Undefined when it cannot be read, which was told. */
async function templateText(
  stanza: Stanza,
  { notes }: Draft,
  { readSource }: TemplateSettings,
): Promise<TemplateText | undefined> {
  const contents = stanza.value('contents', 'text');
  const source = stanza.text('source');
  if (contents?.kind === 'string') {
    const { file } = stanza.placeOf('contents');
    return { text: contents.value, locate: locateIn(contents, file), origin: `${file}:${contents.at.line}` };
  }
  if (source === undefined || source === '') {
    notes.problem(stanza.place, 'a template has neither source nor contents', 'Give it one of them.');
    return undefined;
  }
  const read = await readSource(source);
  if ('problem' in read) {
    notes.problem(
      stanza.placeOf('source'),
      `the template ${source} cannot be read here: ${read.problem}`,
      'Run import where the file is, or write the template yourself.',
    );
    return undefined;
  }
  const text = new SourceText(read.text);
  return { text: read.text, locate: (offset) => ({ file: source, ...text.at(offset) }), origin: source };
}

function locateIn(contents: HclString, file: string): Locate {
  return (offset) => ({ file, ...positionIn(contents, offset) });
}

function commandOf(
  stanza: Stanza,
  { notes }: Draft,
  kept: CommandsKept,
): Pick<DraftFile, 'command' | 'signal'> | undefined {
  const exec = stanza.block('exec')?.stanza;
  const [old, oldTimeout] = [stanza.value('command', 'texts'), stanza.duration('command_timeout')];
  const holder = exec?.has('command') ? exec : stanza;
  const given = exec?.value('command', 'texts') ?? old;
  const timeout = exec?.duration('timeout') ?? oldTimeout;
  if (timeout === 'odd') {
    const place = exec?.has('timeout') ? exec.placeOf('timeout') : stanza.placeOf('command_timeout');
    notes.problem(place, 'the timeout of a command is no duration', 'Write timeout: 30s.');
  }
  if (given === undefined) return undefined;
  const argv = argvOf(given.kind === 'string' ? given.value : holder.texts('command'));
  if (argv.length === 0) return undefined;
  const signal = kept !== 'all' && given.kind === 'string' ? signalOf(given.value) : undefined;
  if (signal !== undefined) return { signal };
  if (kept === 'only signals') notes.problem(holder.placeOf('command'), NO_PROGRAM, SIGNAL_INSTEAD);
  return { command: timeout === undefined || timeout === 'odd' ? { argv } : { argv, timeout } };
}

const NO_PROGRAM = 'the image of the agent has no shell and no program but the agent';
const SIGNAL_INSTEAD =
  'For a signal write kill -HUP $(pidof NAME); else name an image of yours with the program in pannier.dev/image.';

/** A command of one text is for a shell when it has spaces, as there; a list is a program and its arguments. */
export function argvOf(given: string | readonly string[] | undefined): readonly string[] {
  if (given === undefined) return [];
  const [only = '', ...more] = typeof given === 'string' ? [given] : given;
  if (more.length > 0) return [only, ...more];
  if (only.trim() === '') return [];
  return /\s/.test(only.trim()) ? ['sh', '-c', only] : [only.trim()];
}

/** `wait { min, max }`, or `wait = "5s:10s"`. */
export function waitOf(stanza: Stanza, { notes }: Draft): Pick<DraftFile, 'quiet' | 'maxWait'> {
  const text = stanza.text('wait');
  const block = stanza.block('wait')?.stanza;
  const [min, max] = text === undefined ? [block?.duration('min'), block?.duration('max')] : text.split(':');
  if (min === 'odd' || max === 'odd') notes.problem(stanza.placeOf('wait'), 'wait is no duration', 'Write quiet: 5s.');
  return {
    ...(min === undefined || min === 'odd' ? {} : { quiet: min }),
    ...(max === undefined || max === 'odd' ? {} : { maxWait: max }),
  };
}

function ownerOf(stanza: Stanza, draft: Draft): Pick<DraftFile, 'uid' | 'gid'> {
  const owner = (number: 'uid' | 'gid', name: string) => {
    const key = stanza.has(number) ? number : name;
    return idOf(number, stanza.text(key), draft, stanza.placeOf(key));
  };
  return { ...owner('uid', 'user'), ...owner('gid', 'group') };
}

/** An id by its number; the name of a user or a group is a problem. */
export function idOf(
  key: 'uid' | 'gid',
  text: string | undefined,
  { notes }: Draft,
  place: Place,
): Partial<Record<'uid' | 'gid', number>> {
  if (text === undefined || text === '' || text === '-1') return {};
  if (/^\d{1,9}$/.test(text)) return { [key]: Number(text) };
  notes.problem(place, `${key === 'uid' ? 'a user' : 'a group'} is named`, `Write ${key} with its number.`);
  return {};
}

export const fileStem = (path: string): string => basename(path).replace(/^\.+/, '') || 'file';
