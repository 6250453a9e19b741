import { asFailure, type Failure, failure, ProblemsError } from '../base/errors.ts';
import { makeNearest, thereIsNo } from '../base/nearest.ts';
import type { FileConfig, FileContent, GenerationsConfig, VariablesConfig } from '../config/config.ts';
import type { Snapshot } from '../lease/snapshot.ts';
import { ComputedSecrets } from './computed-secrets.ts';
import { isOfCertificates, loadFormat } from './formats/index.ts';
import { type FieldSource, maskPicked, type PickedSource, pick } from './formats/pick.ts';
import type { Rendered, Renderer } from './render.ts';
import type { RenderFile } from './render-file.ts';
import type { KnownNames } from './template/analyse.ts';
import { placeIn, RenderFault } from './template/fault.ts';
import type { ReadBytes } from './template/file.ts';
import { missingIn, viewOf } from './template/view.ts';

/**
 * Makes the renderer of one output: reads its templates, parses and analyses them. Needs no backend and no value.
 * @param known the names of all configured secrets, and the backends that computed paths can ask.
 * @param alsoNeeded names of secrets that the output needs for something other than its files, such as a reload.
 * @throws ProblemsError with everything that is wrong in any file of the output.
 */
export async function createRenderer(
  output: Pick<GenerationsConfig, 'files' | 'variables'>,
  known: KnownNames,
  read?: ReadBytes,
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

/** Reads and checks one file; adds everything that is wrong with it to `problems`. */
async function prepare(
  name: string,
  { place, content }: FileConfig,
  known: KnownNames,
  read: ReadBytes | undefined,
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
  // An output of formats alone needs no templates.
  const { templateFile } = await import('./template/file.ts');
  return templateFile(name, place, content, known, read, problems);
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
