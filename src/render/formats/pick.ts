import { aboutOneField, isList, isSecret, otherFields, type Value } from '../../base/value.ts';
import type { View } from '../template/evaluate.ts';
import { RenderFault } from '../template/fault.ts';
import { maskValue } from '../template/mask.ts';
import { stepInto } from '../template/outcome.ts';

/** One source of a formatted file: `app` or `app.key`, split at the first dot. */
export type FieldSource = readonly string[];

/** A source and its value. */
export interface PickedSource {
  /** The name of the secret, and the steps below it. */
  readonly from: readonly string[];
  /** Undefined when the optional secret is absent. */
  readonly value: Value | undefined;
}

/** The value of a source. @throws RenderFault RENDER_MISSING_FIELD when the secret has no such field. */
export function pick(from: FieldSource, view: View): PickedSource {
  const [name = '', ...rest] = from;
  const fields = view(name);
  if (fields === undefined || rest.length === 0) return { from, value: fields };
  const found = walk(fields, rest.join('.'));
  if (found === undefined) throw missing(from, fields);
  return { from: [name, ...found.steps], value: found.value };
}

interface Found {
  readonly steps: readonly string[];
  readonly value: Value;
}

/**
 * Finds the value at a path. A field whose own name holds the dots comes first; else each dot is one step, into a field
 * of a map or a position in a list. Undefined when there is no such value.
 */
function walk(value: Value, path: string): Found | undefined {
  const whole = stepInto(value, path);
  if (whole !== undefined) return { steps: [path], value: whole };
  for (let dot = path.indexOf('.'); dot !== -1; dot = path.indexOf('.', dot + 1)) {
    const step = path.slice(0, dot);
    const below = stepInto(value, step);
    const found = below === undefined ? undefined : walk(below, path.slice(dot + 1));
    if (found !== undefined) return { steps: [step, ...found.steps], value: found.value };
  }
  return undefined;
}

function missing(from: FieldSource, fields: Value): RenderFault {
  const whole = from.join('.');
  const [name = '', ...steps] = whole.split('.');
  let above = name;
  let value = fields;
  let wanted = '';
  for (const step of steps) {
    wanted = step;
    const next = stepInto(value, step);
    if (next === undefined) break;
    above = `${above}.${step}`;
    value = next;
  }
  const what = isSecret(value) || isList(value) ? 'is not a map with fields' : 'has no such field';
  const { meant, hint } = otherFields(value, wanted);
  const seen = `${whole} is missing: ${above} ${what}${aboutOneField(value)}${meant}`;
  return new RenderFault('RENDER_MISSING_FIELD', seen, { hint });
}

/** The same source with marks instead of values. */
export const maskPicked = ({ from, value }: PickedSource): PickedSource => ({
  from,
  value: value === undefined ? undefined : maskValue(value),
});

/** The value of a source. @throws RenderFault RENDER_MISSING_FIELD when its optional secret is absent. */
export function demandPicked({ from, value }: PickedSource): Value {
  if (value !== undefined) return value;
  const seen = `${from.join('.')} is missing: the optional secret ${from[0]} is absent`;
  throw new RenderFault('RENDER_MISSING_FIELD', seen);
}
