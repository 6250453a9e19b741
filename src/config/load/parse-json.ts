import type { Problems } from '../problems/problems.ts';
import type { RepeatedKey } from '../problems/syntax.ts';

/** As in parse-yaml.ts. */
const MAX_DEPTH = 64;

/** Whoever repeats so many keys repeats one file. */
const MAX_REPEATED = 50;

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]/g;

/**
 * Parses JSON; undefined when there is a syntax error, which was reported. `JSON.parse` quotes its input in its
 * message, so the message is replaced by one with line and column.
 */
export async function parseJsonFile(text: string, label: string, problems: Problems): Promise<unknown> {
  let tree: unknown;
  try {
    tree = JSON.parse(text);
  } catch {
    (await import('./json-problems.ts')).addSyntaxError(text, label, problems);
    return undefined;
  }
  const repeated = repeatedKeys(text);
  if (typeof repeated === 'number') {
    (await import('./json-problems.ts')).addTooDeep(text, label, repeated, problems);
    return undefined;
  }
  if (repeated.length > 0) (await import('./json-problems.ts')).addRepeatedKeys(text, label, repeated, problems);
  return tree;
}

/**
 * The repeated keys in valid JSON, of which JSON.parse would use the last one silently; or the offset of the map or
 * list that is nested too deep.
 */
function repeatedKeys(text: string): readonly RepeatedKey[] | number {
  const repeated: RepeatedKey[] = [];
  const frames: { readonly keys: Map<string, number> | undefined; step: string | number }[] = [];
  let wantsKey = false;
  for (const { 0: token, index: offset } of text.matchAll(TOKEN)) {
    const frame = frames.at(-1);
    if (frames.length > MAX_DEPTH) return offset;
    if (token === '{') frames.push({ keys: new Map(), step: '' });
    else if (token === '[') frames.push({ keys: undefined, step: 0 });
    else if (token === '}' || token === ']') frames.pop();
    else if (token === ',' && typeof frame?.step === 'number') frame.step++;
    else if (wantsKey && frame?.keys !== undefined && token.startsWith('"')) {
      const key = JSON.parse(token) as string;
      frame.step = key;
      const firstOffset = frame.keys.get(key);
      if (firstOffset === undefined) frame.keys.set(key, offset);
      else if (repeated.length < MAX_REPEATED)
        repeated.push({ path: frames.map(({ step }) => step), offset, firstOffset });
    }
    wantsKey = token === '{' || token === ',';
  }
  return repeated;
}
