import { JsonError, parseJson } from '../../base/json.ts';
import { formatPlace, pathKey } from '../place.ts';
import type { Problems } from '../problems/problems.ts';
import type { ParsedFile } from './source-file.ts';

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,\n]/g;

/**
 * Parses JSON. `JSON.parse` quotes its input in its message, so the message is replaced by one with line and column.
 */
export function parseJsonFile(text: string, label: string, problems: Problems): ParsedFile {
  try {
    const tree: unknown = JSON.parse(text);
    return { tree, lines: findKeys(text, label, problems) };
  } catch {
    problems.addAt('CONFIG_MALFORMED', ...locate(text, label));
    return { tree: undefined, lines: new Map() };
  }
}

/** Finds the line and the column of a syntax error by `parseJson`, whose message quotes nothing. */
function locate(text: string, label: string): [place: string, seen: string] {
  try {
    parseJson(text);
  } catch (error) {
    if (error instanceof JsonError) {
      const before = text.slice(0, error.offset).split('\n');
      const what = error.message.replace(/ at offset \d+$/, '');
      return [`${label}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`, `not JSON: ${what}`];
    }
  }
  return [label, 'not JSON'];
}

/** The lines of keys in valid JSON. A repeated key is reported, since JSON.parse would use the last one silently. */
function findKeys(text: string, label: string, problems: Problems): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  const frames: { readonly keys: Map<string, number> | undefined; step: string | number }[] = [];
  let line = 1;
  let wantsKey = false;
  for (const [token] of text.matchAll(TOKEN)) {
    const frame = frames.at(-1);
    if (token === '\n') line++;
    else if (token === '{') frames.push({ keys: new Map(), step: '' });
    else if (token === '[') frames.push({ keys: undefined, step: 0 });
    else if (token === '}' || token === ']') frames.pop();
    else if (token === ',' && typeof frame?.step === 'number') frame.step++;
    else if (wantsKey && frame?.keys !== undefined && token.startsWith('"')) {
      const key = JSON.parse(token) as string;
      frame.step = key;
      const path = frames.map(({ step }) => step);
      const first = frame.keys.get(key);
      if (first === undefined) frame.keys.set(key, line);
      else
        problems.addAt('CONFIG_DUPLICATE', `${label}:${line}: ${formatPlace(path)}`, `also defined in line ${first}`);
      if (path.length <= 2 && first === undefined) lines.set(pathKey(path), line);
    }
    if (token !== '\n') wantsKey = token === '{' || token === ',';
  }
  return lines;
}
