import { isList, isSecret, type Value } from '../../base/value.ts';
import { RenderFault } from './fault.ts';
import type { Position } from './position.ts';

/** Nothing is there. Falsy in `if`, `unless` and `default`; a failure everywhere else. */
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

export type Evaluated = Value | Missing;

/** The value, or its absence thrown. */
export function demand(outcome: Evaluated): Value {
  if (outcome instanceof Missing) throw outcome.toFault();
  return outcome;
}

const ZERO = /^-?0*(?:\.0*)?(?:[eE][+-]?\d+)?$/;

/** As Handlebars has it: missing, `false`, `null`, `""`, `0` and the empty list are falsy, all else is truthy. */
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

/** One step down: a field of a map, a position in a list, nothing anywhere else. */
export function stepInto(value: Value, name: string): Value | undefined {
  if (isSecret(value)) return undefined;
  if (isList(value)) return INDEX.test(name) ? value[Number(name)] : undefined;
  return value.get(name);
}

/** `a list`, `null`, `bytes`: what a value is, and nothing of what it holds. */
export function valueKind(value: Value): string {
  if (isList(value)) return 'a list';
  if (!isSecret(value)) return 'a map';
  if (value.type === 'null') return 'null';
  return value.type === 'bytes' ? 'bytes' : `a ${value.type}`;
}
