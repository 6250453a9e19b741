import { isList, isSecret, type Value } from '../../base/value.ts';
import type { View } from '../evaluate.ts';
import { RenderFault } from '../fault.ts';
import { stepInto } from '../outcome.ts';

/** One source of a formatted file: `app` or `app.key`, split. */
export type From = readonly string[];

/** A source and what is there. */
export interface Picked {
  readonly from: From;
  /** Undefined: the optional secret is absent. */
  readonly value: Value | undefined;
}

/** What a source stands for. @throws RenderFault when the secret is there and the field is not. */
export function pick(from: From, view: View): Picked {
  const [name = '', ...steps] = from;
  let value = view(name);
  for (const [i, step] of steps.entries()) {
    if (value === undefined) break;
    const next = stepInto(value, step);
    if (next === undefined) {
      const above = from.slice(0, i + 1).join('.');
      const what = isSecret(value) || isList(value) ? 'is not a map with fields' : 'has no such field';
      throw new RenderFault('RENDER_MISSING_FIELD', `${from.join('.')} is missing: ${above} ${what}`);
    }
    value = next;
  }
  return { from, value };
}

/** The value of a source that the file cannot do without. */
export function demandPicked({ from, value }: Picked): Value {
  if (value !== undefined) return value;
  const seen = `${from.join('.')} is missing: the optional secret ${from[0]} is absent`;
  throw new RenderFault('RENDER_MISSING_FIELD', seen);
}
