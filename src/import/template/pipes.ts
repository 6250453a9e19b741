import type { GoOperand, GoPipe, Offset } from '../go/nodes.ts';
import { boolLiteral, type GoValue, literal, NotKept, numberLiteral } from './expr.ts';
import { type FunctionContext, value } from './function.ts';
import { FUNCTIONS, fieldOf } from './functions.ts';
import type { Scope } from './scope.ts';

/** Where a statement stands. */
export interface Place {
  readonly dot: GoValue;
  readonly scope: Scope;
  /** Inside of a block that is written, so a file beside this one would depend on it. */
  readonly isConditional: boolean;
}

/** Works out what the pipelines of a Go template stand for. */
export class Pipes {
  readonly #context: FunctionContext;

  constructor(context: FunctionContext) {
    this.#context = context;
  }

  /** The value of a pipeline. @throws NotKept */
  value({ commands }: GoPipe, place: Place): GoValue {
    let result: GoValue | undefined;
    for (const { words, offset } of commands) {
      const [first, ...more] = words;
      if (first === undefined) throw new NotKept('an empty command', 'Remove it.', offset);
      if (first.kind === 'function') {
        const make = Object.hasOwn(FUNCTIONS, first.name) ? FUNCTIONS[first.name] : undefined;
        if (make === undefined) {
          throw new NotKept(
            `there is no function ${first.name} here`,
            'See docs/templates.md for the helpers.',
            first.offset,
          );
        }
        if (first.names.length > 0) {
          // As Go reads it: a function without arguments, whose field may be a method with some.
          const made = this.#fields(this.#called(make, first, []), first.names, first.offset);
          if (more.length > 0 || result !== undefined) {
            throw new NotKept('a value is called like a function', 'Write the function first.', offset);
          }
          result = made;
          continue;
        }
        const args = more.map((word) => this.#operand(word, place));
        result = this.#called(make, first, result === undefined ? args : [...args, result]);
        continue;
      }
      if (more.length > 0 || result !== undefined) {
        throw new NotKept('a value is called like a function', 'Write the function first.', offset);
      }
      result = this.#operand(first, place);
    }
    return result ?? { kind: 'nothing' };
  }

  #called(
    make: (typeof FUNCTIONS)[string],
    { name, offset }: { name: string; offset: Offset },
    args: GoValue[],
  ): GoValue {
    try {
      return make(args, this.#context);
    } catch (error) {
      if (!(error instanceof NotKept)) throw error;
      const seen = error.message.startsWith('a function ') ? `${name}: ${error.message}` : error.message;
      throw new NotKept(seen, error.todo, error.offset ?? offset);
    }
  }

  #operand(word: GoOperand, place: Place): GoValue {
    switch (word.kind) {
      case 'dot':
        return place.dot;
      case 'field':
        return this.#fields(place.dot, word.names, word.offset);
      case 'variable': {
        const found = place.scope.get(word.name);
        if (found === undefined) throw new NotKept('a variable that is not declared', 'Declare it.', word.offset);
        return this.#fields(found, word.names, word.offset);
      }
      case 'pipe':
        return this.#fields(this.value(word.pipe, place), word.names, word.offset);
      case 'string':
        return value(literal(word.value));
      case 'number':
        return value(numberLiteral(decimal(word.text, word.offset)));
      case 'bool':
        return value(boolLiteral(word.value));
      case 'function':
        return this.value(
          {
            declared: [],
            isAssignment: false,
            commands: [{ words: [word], offset: word.offset }],
            offset: word.offset,
          },
          place,
        );
      case 'nil':
        throw new NotKept('nil', 'if and default see whether a value is there.', word.offset);
    }
  }

  #fields(from: GoValue, names: readonly string[], offset: Offset): GoValue {
    try {
      return names.reduce(fieldOf, from);
    } catch (error) {
      if (!(error instanceof NotKept) || error.offset !== undefined) throw error;
      throw new NotKept(error.message, error.todo, offset);
    }
  }
}

function decimal(text: string, offset: Offset): string {
  const number =
    /^[+-]?0[oO]?[0-7]+$/.test(text) && !/^[+-]?0$/.test(text)
      ? Number.parseInt(text.replace(/[oO]/, ''), 8)
      : Number(text);
  if (!Number.isFinite(number) || text.endsWith('i'))
    throw new NotKept('a number that is none here', 'Write it in decimal.', offset);
  return String(number);
}
