import { isList, isSecret, type Value } from '../../base/value.ts';
import { RenderFault } from './fault.ts';
import type { Position } from './position.ts';

/** The outcome of an expression that finds no value. Falsy in `if`, `unless` and `default`, a failure elsewhere. */
export class Missing {
  readonly #seen: string;
  readonly #at: Position | undefined;
  readonly #hint: string | undefined;

  constructor(seen: string, at?: Position, hint?: string) {
    this.#seen = seen;
    this.#at = at;
    this.#hint = hint;
  }

  toFault(): RenderFault {
    return new RenderFault('RENDER_MISSING_FIELD', this.#seen, { at: this.#at, hint: this.#hint });
  }
}

/** The outcome of an expression. */
export type Evaluated = Value | Missing;

/** The value. @throws RenderFault RENDER_MISSING_FIELD when it is missing. */
export function demand(outcome: Evaluated): Value {
  if (outcome instanceof Missing) throw outcome.toFault();
  return outcome;
}

const ZERO = /^-?0*(?:\.0*)?(?:[eE][+-]?\d+)?$/;

/** By the rules of Handlebars: missing, `false`, `null`, `""`, `0` and the empty list are falsy, all else is truthy. */
export function isTruthy(outcome: Evaluated): boolean {
  if (outcome instanceof Missing) return false;
  if (isList(outcome)) return outcome.length > 0;
  if (!isSecret(outcome)) return true;
  switch (outcome.type) {
    case 'null':
      return false;
    case 'boolean':
      return outcome.exposeText('file') === 'true';
    case 'number':
      return !ZERO.test(outcome.exposeText('file'));
    case 'string':
      return outcome.exposeText('file') !== '';
    case 'bytes':
      return true;
  }
}

const INDEX = /^(?:0|[1-9]\d*)$/;

/** One step of a path: a field of a map, or a position in a list. Undefined when there is none, and for a leaf. */
export function stepInto(value: Value, name: string): Value | undefined {
  if (isSecret(value)) return undefined;
  if (isList(value)) return INDEX.test(name) ? value[Number(name)] : undefined;
  return value.get(name);
}

/** The kind of a value for messages: `a list`, `null`, `bytes`. Shows nothing of the value itself. */
export function valueKind(value: Value): string {
  if (isList(value)) return 'a list';
  if (!isSecret(value)) return 'a map';
  if (value.type === 'null') return 'null';
  return value.type === 'bytes' ? 'bytes' : `a ${value.type}`;
}
