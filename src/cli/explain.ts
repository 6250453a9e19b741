import { BACKEND_KINDS } from '../backend/registry.ts';
import { fail } from '../base/errors.ts';
import { makeNearest } from '../base/nearest.ts';
import { loadWords } from '../config/words/all-words.ts';
import { exampleOf, plain, type Words } from '../config/words/words.ts';
import { print } from './print.ts';

/** `pannier explain [KEY]`. Returns the exit status. */
export async function explainCommand(key?: string): Promise<number> {
  await print(await explain(key));
  return 0;
}

/**
 * What a key of the configuration is for, its type, its default, an example, and the keys below it; without a key, the
 * sections.
 * @throws PannierError CONFIG_UNKNOWN_KEY, which names the nearest key.
 */
export async function explain(key?: string): Promise<string> {
  const words = await loadWords(BACKEND_KINDS);
  const path = key === undefined ? '' : findKey(key, words);
  const below = keysBelow(path, words);
  const width = Math.max(...below.map((one) => one.length));
  const list = below.map((one) => `  ${one.padEnd(width)}  ${briefly(words, joined(path, one))}\n`);
  return path === '' ? `${INTRO}\n${list.join('')}` : (await about(path, words)) + keysPart(list);
}

const INTRO = `A configuration has these sections. pannier explain SECTION tells more of one, and pannier explain
backends.NAME.auth of a key in one; NAME is a name of your choice, and [] an item of a list.
`;

const keysPart = (list: readonly string[]): string => (list.length === 0 ? '' : `\nkeys:\n${list.join('')}`);

async function about(path: string, all: Words): Promise<string> {
  const words = all[path];
  if (words?.type === undefined) return `${path}\n  not yet supported\n`;
  const { stringify } = await import('yaml');
  const example = stringify(nested(path, exampleOf(words)), { lineWidth: 0 }).trimEnd();
  const lines = [
    path,
    `  ${plain(words.does)}`,
    '',
    `type:     ${plain(words.type)}`,
    ...(words.default === undefined ? [] : [defaultLine(plain(words.default))]),
    '',
    'example:',
    ...example.split('\n').map((line) => `  ${line}`),
  ];
  return `${lines.join('\n')}\n`;
}

const defaultLine = (text: string): string => (text.startsWith('required') ? text : `default:  ${text}`);

function briefly(words: Words, path: string): string {
  return plain(words[path]?.does ?? '');
}

const joined = (path: string, key: string): string =>
  path === '' ? key : `${path}${key.startsWith('[') ? '' : '.'}${key}`;

/**
 * The supported keys one step below, as they are written behind `path`: names and list items count no step.
 */
function keysBelow(path: string, words: Words): readonly string[] {
  const step = /^(?:\[\]\.|\.?NAME\.|\.)*(?:NAME\.)?[A-Za-z]\w*$/;
  return Object.keys(words)
    .filter((key) => key.startsWith(path) && key !== path && words[key]?.type !== undefined)
    .map((key) => key.slice(path.length))
    .filter((rest) => path === '' || /^[.[]/.test(rest))
    .map((rest) => rest.replace(/^\./, ''))
    .filter((rest) => step.test(rest));
}

/** Names for the places in which people choose one, by the path of the map. */
const NAMES: Readonly<Record<string, string>> = { backends: 'bao', secrets: 'app', outputs: 'shop', files: 'app.env' };

/** The example in its place: `secrets.NAME.kv` becomes a map of secrets with one. */
function nested(path: string, value: unknown): unknown {
  const steps = path.replaceAll('[]', '.[]').split('.');
  return steps.reduceRight((inner: unknown, step, index) => {
    if (step === '[]') return [inner];
    return { [step === 'NAME' ? (NAMES[steps[index - 1] ?? ''] ?? 'name') : step]: inner };
  }, value);
}

/**
 * The path that is meant: exact, or with the names of a real configuration (`secrets.app.kv`), or without names and
 * `[]` (`secrets.kv`).
 * @throws PannierError CONFIG_UNKNOWN_KEY, which names the nearest key.
 */
function findKey(asked: string, words: Words): string {
  // As messages print a place: `shop.yaml:9:7: outputs.shop.files["app.env"], content:2:3`.
  const steps = asked
    .replace(/^.*:\d+:\d+: /, '')
    .replace(/, [^"]*:\d+:\d+$/, '')
    .replace(/\["[^"]*"\]/g, '.NAME')
    .replace(/\[\d*\]/g, '')
    .split('.')
    .filter((step) => step !== '');
  let path = '';
  for (const [index, step] of steps.entries()) {
    const next = stepInto(path, step, steps[index + 1], words);
    if (next === undefined) throw unknownKey(asked, path, step, words);
    path = next;
  }
  const found = path.replace(/(?:\.NAME)+$/, '');
  const last = steps.at(-1) ?? '';
  // A name of the configuration stands for the map that it is in, unless it is a key with a mistake.
  if (
    words[found] === undefined ||
    (found !== path && last !== 'NAME' && nearestBelow(found, last, words) !== undefined)
  ) {
    throw unknownKey(asked, found, last, words);
  }
  return found;
}

function stepInto(path: string, step: string, after: string | undefined, words: Words): string | undefined {
  const isPart = (at: string) => Object.keys(words).some((key) => key === at || key.startsWith(`${at}.`));
  const isMap = isPart(`${path}.NAME`) || isPart(`${path}[].NAME`);
  for (const between of ['', '.NAME', '[]']) {
    const at = path === '' ? step : `${path}${between}.${step}`;
    // `secrets.key` is the key of a secret; `secrets.key.kv` is a secret named so.
    const isName = between === '.NAME' && after !== undefined && words[`${at}.${after}`] === undefined;
    if (words[at] !== undefined && !(isName && words[`${path}.NAME.${after}`] !== undefined)) return at;
  }
  return isMap ? `${path}.NAME` : undefined;
}

const lastSteps = (path: string, words: Words) => keysBelow(path, words).map((key) => key.replace(/^.*\./, ''));

const nearestBelow = (path: string, step: string, words: Words) => makeNearest(lastSteps(path, words))(step);

function unknownKey(asked: string, path: string, step: string, words: Words): Error {
  const elsewhere = Object.keys(words).filter((key) => key.endsWith(`.${step}`));
  const near = nearestBelow(path, step, words);
  const below = lastSteps(path, words);
  const where = path === '' ? 'in a configuration' : `below ${path}`;
  const seen = `there is no key "${step}" ${where}${near === undefined ? '' : `; did you mean "${near}"?`}`;
  const hint =
    near === undefined && elsewhere.length > 0
      ? `There is ${elsewhere.slice(0, 5).join(', ')}.`
      : below.length > 0
        ? `The keys there: ${below.join(', ')}.`
        : `${path} has no keys below it: leave .${step} out.`;
  return fail('CONFIG_UNKNOWN_KEY', `explain ${asked}`, seen, { hint });
}
