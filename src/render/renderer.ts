import { errnoWord } from '../base/errno.ts';
import { asFailure, type Failure, failure, ProblemsError } from '../base/errors.ts';
import { makeNearest, thereIsNo } from '../base/nearest.ts';
import { readFileInTime } from '../base/read-file.ts';
import type { FileConfig, FileContent, GenerationsConfig, VariablesConfig } from '../config/config.ts';
import type { Snapshot } from '../lease/snapshot.ts';
import { ComputedSecrets } from './computed-secrets.ts';
import { isOfCertificates, loadFormat } from './formats/index.ts';
import { type FieldSource, maskPicked, type PickedSource, pick } from './formats/pick.ts';
import type { Rendered, Renderer } from './render.ts';
import type { RenderFile } from './render-file.ts';
import type { KnownNames } from './template/analyse.ts';
import { placeIn, RenderFault } from './template/fault.ts';
import { secretsBehind, type TemplateInputs, withInputs } from './template/inputs.ts';
import { missingIn, viewOf } from './template/view.ts';

/** Reads a template file. Tests give their own; the default reads from the disk. */
export type ReadBytes = (path: string) => Promise<Uint8Array>;

/**
 * Makes the renderer of one output: reads its templates, parses and analyses them. Needs no backend and no value.
 * @param known the names of all configured secrets, and the backends that computed paths can ask.
 * @param alsoNeeded names of secrets that the output needs for something other than its files, such as a reload.
 * @throws ProblemsError with everything that is wrong in any file of the output.
 */
export async function createRenderer(
  output: Pick<GenerationsConfig, 'files' | 'variables'>,
  known: KnownNames,
  read: ReadBytes = readTemplateFile,
  alsoNeeded: Iterable<string> = [],
): Promise<Renderer> {
  const problems: Failure[] = [];
  const files: RenderFile[] = [];
  for (const [name, file] of output.files) files.push(await prepare(name, file, known, read, problems));
  if (output.variables !== undefined)
    files.push(await prepareVariables(output.variables, output.files, known, problems));
  if (problems.length > 0) throw new ProblemsError(problems);
  const wants: ReadonlySet<string> = new Set([...files.flatMap((file) => file.wants), ...alsoNeeded]);
  const asks: ReadonlySet<string> = new Set(files.flatMap((file) => file.asks.map(({ backend }) => backend)));
  return {
    wants,
    asks,
    calls: async () => (await import('./computed-calls.ts')).callsOf(files, placeIn),
    render: async (snapshot, { masked = false } = {}) => renderFiles(files, wants, snapshot, masked),
  };
}

/** A larger file is not a template; reading it fails. */
const MAX_TEMPLATE_BYTES = 16 * 1024 * 1024;

const readTemplateFile: ReadBytes = async (path) =>
  (await readFileInTime(path, { maxBytes: MAX_TEMPLATE_BYTES })).bytes;

/** Reads and checks one file; adds everything that is wrong with it to `problems`. */
async function prepare(
  name: string,
  { place, content }: FileConfig,
  known: KnownNames,
  read: ReadBytes,
  problems: Failure[],
): Promise<RenderFile> {
  if (content.kind === 'format') {
    problems.push(...problemsOfFormat(content, place, known.secrets));
    const { from, options = {}, format } = content;
    if (isOfCertificates(format)) {
      const { certificateFile } = await import('./formats/certificates.ts');
      return certificateFile(name, place, content, problems);
    }
    const write = await loadFormat(format, options);
    return ofSources(name, place, from, (sources) => write(sources, options));
  }
  const source = content.kind === 'template' ? await readSource(content.path, place, read, problems) : content.text;
  const origin = originOf(content);
  const inputs = content.inputs ?? NO_INPUTS;
  const names = inputs.size === 0 ? known : { ...known, secrets: known.secrets.union(inputs) };
  // An output of formats alone needs no templates.
  const { readTemplate } = await import('./template/template.ts');
  const template = await readTemplate(source, names);
  problems.push(...template.problems.map((fault) => fault.toFailure(place, origin)));
  const used = new Set(template.uses.map(({ secret }) => secret));
  if (template.problems.length === 0) problems.push(...problemsOfInputs(inputs, used, place));
  const wants = [...used].flatMap((name) => secretsBehind(name, inputs));
  const render: RenderFile['render'] = (view, lookUp, masked) =>
    template.render(withInputs(inputs, view), lookUp, masked);
  return { name, place, origin, wants, asks: template.asks, render };
}

/** The variables that whole secrets give. Those of `own` win. */
async function prepareVariables(
  { place, from, options }: VariablesConfig,
  own: ReadonlyMap<string, unknown>,
  known: KnownNames,
  problems: Failure[],
): Promise<RenderFile> {
  const { writeVariables } = await import('./formats/keyed.ts');
  problems.push(...unknownSecrets(from, place, known.secrets));
  return ofSources('', place, from, (sources) => writeVariables(sources, options, (name) => own.has(name)));
}

/** A file that is made of whole secrets and their fields. */
function ofSources(
  name: string,
  place: string,
  from: readonly FieldSource[],
  write: (sources: readonly PickedSource[]) => ReturnType<RenderFile['render']>,
): RenderFile {
  const render: RenderFile['render'] = (view, _lookUp, masked) => {
    const sources = from.map((source) => pick(source, view));
    return write(masked ? sources.map(maskPicked) : sources);
  };
  return { name, place, origin: place, wants: from.map(([secret = '']) => secret), asks: [], render };
}

const NO_INPUTS: TemplateInputs = new Map();

function originOf(content: Exclude<FileContent, { kind: 'format' }>): string {
  if (content.kind === 'template') return content.path;
  return content.builtin === undefined ? 'content' : `builtin:${content.builtin}`;
}

/** An input that the template does not use is a spelling mistake, in the configuration or in the template. */
function problemsOfInputs(inputs: TemplateInputs, names: ReadonlySet<string>, place: string): Failure[] {
  const unused = [...inputs.keys()].filter((name) => !names.has(name));
  return unused.map((name) =>
    failure('CONFIG_INVALID', place, `with or values gives "${name}", which the template does not use`, {
      hint: 'Correct the name, or remove it.',
    }),
  );
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

async function readSource(path: string, place: string, read: ReadBytes, problems: Failure[]): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await read(path);
  } catch (error) {
    problems.push(failure('TEMPLATE_UNREADABLE', place, `${path} cannot be read (${errnoWord(error)})`));
    return '';
  }
  try {
    return strictUtf8.decode(bytes);
  } catch {
    problems.push(failure('TEMPLATE_UNREADABLE', place, `${path} is not UTF-8`, { hint: 'Save it as UTF-8.' }));
    return '';
  }
}

function problemsOfFormat(
  { format, from, options = {} }: Extract<FileContent, { kind: 'format' }>,
  place: string,
  known: ReadonlySet<string>,
): Failure[] {
  const problems: Failure[] = [];
  if (from.length === 0) problems.push(failure('CONFIG_INVALID', place, 'from does not name a secret'));
  if (format === 'raw' && from.length > 1)
    problems.push(failure('CONFIG_INVALID', place, 'format raw takes exactly one source'));
  const { password } = options;
  return [...problems, ...unknownSecrets(password === undefined ? from : [...from, password], place, known)];
}

function unknownSecrets(from: readonly FieldSource[], place: string, known: ReadonlySet<string>): Failure[] {
  const unknown = from.map(([secret = '']) => secret).filter((secret) => !known.has(secret));
  return unknown.map((secret) =>
    failure('CONFIG_UNKNOWN_SECRET', place, thereIsNo('secret', secret, makeNearest(known)(secret))),
  );
}

/** Renders every file even after a failure, so that one round tells all failures and asks for all computed secrets. */
function renderFiles(
  files: readonly RenderFile[],
  wants: ReadonlySet<string>,
  snapshot: Snapshot,
  masked: boolean,
): Rendered {
  const missing = missingIn(snapshot, wants);
  if (missing.length > 0) return { kind: 'waits', missing, computed: new Map() };
  const view = viewOf(snapshot);
  const computedSecrets = new ComputedSecrets(snapshot);
  const rendered = new Map<string, Uint8Array>();
  const failed: Failure[] = [];
  for (const { name, place, origin, render } of files) {
    try {
      const made = render(view, computedSecrets.lookupFor(place, origin), masked);
      if (made instanceof Uint8Array) rendered.set(name, made);
      else for (const [variable, bytes] of made) rendered.set(variable, bytes);
    } catch (error) {
      failed.push(error instanceof RenderFault ? error.toFailure(place, origin) : asFailure(error, place));
    }
  }
  if (failed.length > 0) return { kind: 'failed', why: combined(failed) };
  const { computed, pending } = computedSecrets;
  if (pending.length > 0) return { kind: 'waits', missing: pending, computed };
  return { kind: 'files', files: rendered, computed };
}

/** Limits how many other files one failure lists. */
const MAX_LISTED_FILES = 5;

/** The first failure, which also says what is wrong with the other files, so that all can be corrected at once. */
function combined([first, ...others]: readonly Failure[]): Failure {
  const { code, place, seen, hint } = first as Failure;
  if (others.length === 0) return first as Failure;
  const told = others.slice(0, MAX_LISTED_FILES);
  const listed = told.map((other) => `${other.place}: ${other.seen}${other.code === code ? '' : ` (${other.code})`}`);
  const more = others.length > MAX_LISTED_FILES ? `; and ${others.length - MAX_LISTED_FILES} more files` : '';
  const hints = told.flatMap((other) => (other.hint === hint || !other.hint ? [] : [`${other.place}: ${other.hint}`]));
  const allHints = [...(hint === undefined ? [] : [hint]), ...hints].join(' ');
  const details = allHints === '' ? {} : { hint: allHints };
  return failure(code, place, `${seen}; also ${listed.join('; ')}${more}`, { ...first, ...details });
}
