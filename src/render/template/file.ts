import { errnoWord } from '../../base/errno.ts';
import { type Failure, failure } from '../../base/errors.ts';
import { readFileInTime } from '../../base/read-file.ts';
import type { FileContent } from '../../config/config.ts';
import type { RenderFile } from '../render-file.ts';
import type { KnownNames } from './analyse.ts';
import { secretsBehind, type TemplateInputs, withInputs } from './inputs.ts';
import { readTemplate } from './template.ts';

/** Reads a template file. Tests give their own; the default reads from the disk. */
export type ReadBytes = (path: string) => Promise<Uint8Array>;

/** A larger file is not a template; reading it fails. */
const MAX_TEMPLATE_BYTES = 16 * 1024 * 1024;

const readTemplateFile: ReadBytes = async (path) =>
  (await readFileInTime(path, { maxBytes: MAX_TEMPLATE_BYTES })).bytes;

type TemplateContent = Exclude<FileContent, { kind: 'format' }>;

/** Reads and checks one file that is a template; adds everything that is wrong with it to `problems`. */
export async function templateFile(
  name: string,
  place: string,
  content: TemplateContent,
  known: KnownNames,
  read: ReadBytes | undefined,
  problems: Failure[],
): Promise<RenderFile> {
  const source = await sourceOf(content, place, read, problems);
  const origin = originOf(content);
  const inputs = content.inputs ?? NO_INPUTS;
  const names = inputs.size === 0 ? known : { ...known, secrets: known.secrets.union(inputs) };
  const template = await readTemplate(source, names);
  problems.push(...template.problems.map((fault) => fault.toFailure(place, origin)));
  const used = new Set(template.uses.map(({ secret }) => secret));
  if (template.problems.length === 0) problems.push(...problemsOfInputs(inputs, used, place));
  const wants = [...used].flatMap((name) => secretsBehind(name, inputs));
  const render: RenderFile['render'] = (view, lookUp, masked) =>
    template.render(withInputs(inputs, view), lookUp, masked);
  return { name, place, origin, wants, asks: template.asks, render };
}

const NO_INPUTS: TemplateInputs = new Map();

/** The text of a template; empty when it cannot be read, which is added to `problems`. */
export async function sourceOf(
  content: TemplateContent,
  place: string,
  read: ReadBytes | undefined,
  problems: Failure[],
): Promise<string> {
  if (content.kind !== 'template') return content.text;
  return await readSource(content.path, place, read ?? readTemplateFile, problems);
}

/** What messages call the text of a template. */
export function originOf(content: TemplateContent): string {
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
