import { pathKey } from '../place.ts';
import type { Marks } from './marks.ts';

/** As in load/parse-json.ts: nothing that was read is nested deeper. */
const MAX_DEPTH = 64;

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]|[^\s{}[\]:,"]+/g;

/** The text of a key; undefined for what is no JSON string, since the message of JSON.parse quotes it. */
function keyOf(token: string): string | undefined {
  try {
    const key: unknown = JSON.parse(token);
    return typeof key === 'string' ? key : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Where keys, items and scalars stand in JSON; in a text that is none, those up to the first key that cannot be read.
 */
export function readJsonMarks(text: string): Marks {
  const keys = new Map<string, { path: readonly (string | number)[]; offset: number }>();
  const scalars = new Map<string, number>();
  const frames: { readonly isMap: boolean; step: string | number; wantsKey: boolean }[] = [];
  for (const { 0: token, index: offset } of text.matchAll(TOKEN)) {
    const frame = frames.at(-1);
    if (frames.length > MAX_DEPTH) break;
    if (token === '}' || token === ']') frames.pop();
    else if (token === ',' && frame !== undefined) {
      if (frame.isMap) frame.wantsKey = true;
      else frame.step = Number(frame.step) + 1;
    } else if (token === ':') continue;
    else if (frame?.isMap && frame.wantsKey) {
      const key = keyOf(token);
      if (key === undefined) break;
      frame.step = key;
      frame.wantsKey = false;
      mark(keys, offset);
    } else {
      if (frame !== undefined && !frame.isMap) mark(keys, offset);
      if (token === '{' || token === '[') frames.push({ isMap: token === '{', step: 0, wantsKey: token === '{' });
      else if (token !== 'null') scalars.set(pathKey(here()), offset);
    }
  }
  return { keys, scalars, blocks: new Map() };

  function here(): readonly (string | number)[] {
    return frames.map(({ step }) => step);
  }

  function mark(marks: typeof keys, offset: number): void {
    const path = here();
    const key = pathKey(path);
    // Of a repeated key the first one, which the message about the second one names.
    if (!marks.has(key)) marks.set(key, { path, offset });
  }
}
