import type { HclValue } from '../hcl/tree.ts';
import type { Notes, Place } from '../problem.ts';
import { knownKey } from './keys.ts';
import type { FiledItem, Stanza } from './stanza.ts';

/** Tells of every key that was not read: it has no place here, is not there, or is unknown. */
export function tellRest(stanza: Stanza, notes: Notes, path = ''): void {
  const told = new Set<string>();
  for (const item of stanza.items) {
    const key = path === '' ? item.key : `${path}.${item.key}`;
    const known = knownKey(key);
    const place: Place = { file: item.file, ...item.at };
    if (stanza.read.has(item.key)) {
      const misfit = stanza.misfitOf(item);
      if (misfit !== undefined) notes.problem(place, `${key} ${misfit}`, 'Correct it, or leave it out.');
      continue;
    }
    if (known?.is === 'no place') {
      if (!told.has(key)) notes.remark(place, `${key}: ${known.here}`);
      told.add(key);
    } else if (known?.is === 'not there') notes.problem(place, `${key} is not there`, sentence(known.here));
    else if (known === undefined) {
      notes.problem(place, `${key} is unknown to import`, 'Look for it in docs/configuration.md.');
      notes.remark(place, `unknown: ${sketch(item)}`);
    } else notes.problem(place, `${key} means nothing in this place`, 'Correct it, or leave it out.');
  }
  for (const [name, blocks] of stanza.entered) {
    const key = path === '' ? name : `${path}.${name}`;
    const counting = stanza.single.has(name) ? blocks.length - 1 : 0;
    for (const [i, { stanza: inner }] of blocks.entries()) {
      if (i >= counting) tellRest(inner, notes, key);
      else notes.remark(inner.place, `${key}: a later one counts`);
    }
  }
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** An item without its texts, which may be secrets. */
function sketch({ key, labels, value }: Pick<FiledItem, 'key' | 'labels' | 'value'>): string {
  const head = [key, ...labels.map((label) => JSON.stringify(label))].join(' ');
  return value.kind === 'object' ? `${head} ${shape(value)}` : `${head} = ${shape(value)}`;
}

function shape(value: HclValue): string {
  switch (value.kind) {
    case 'object':
      return value.items.length === 0 ? '{}' : `{ ${value.items.map(sketch).join('; ')} }`;
    case 'list':
      return `[${value.items.map(shape).join(', ')}]`;
    case 'string':
      return '"…"';
    case 'number':
      return value.text;
    case 'bool':
      return String(value.value);
    case 'null':
      return 'null';
  }
}
