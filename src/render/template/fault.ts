import type { Code } from '../../base/codes.ts';
import { type Failure, failure } from '../../base/errors.ts';
import type { Position } from './position.ts';

/** Why a file cannot be rendered. Thrown only inside `render/`; its texts never hold a value. */
export class RenderFault extends Error {
  readonly code: Code;
  readonly hint: string | undefined;
  readonly at: Position | undefined;

  constructor(code: Code, seen: string, { hint, at }: { hint?: string | undefined; at?: Position | undefined } = {}) {
    super(seen);
    this.name = 'RenderFault';
    this.code = code;
    this.hint = hint;
    this.at = at;
  }

  /**
   * @param place the file's configuration path.
   * @param origin what messages call the file's template.
   */
  toFailure(place: string, origin: string): Failure {
    return failure(this.code, placeIn(place, origin, this.at), this.message, {
      ...(this.hint === undefined ? {} : { hint: this.hint }),
    });
  }
}

/** Throws one fault that says what all of them say, so that all can be corrected at once; nothing without faults. */
export function throwAll(faults: readonly RenderFault[]): void {
  const [first] = faults;
  if (first === undefined) return;
  if (faults.length === 1) throw first;
  const hints = faults.flatMap(({ hint }) => (hint === undefined ? [] : [hint]));
  const seen = faults.map(({ message }) => message).join('; ');
  throw new RenderFault(first.code, seen, { hint: hints.length === 0 ? undefined : hints.join(' ') });
}

/** `outputs.shop.files["app.conf"], /etc/app.conf.hbs:3:7`, or `place` alone when there is no position. */
export function placeIn(place: string, origin: string, at: Position | undefined): string {
  return at === undefined ? place : `${place}, ${origin}:${at.line}:${at.column}`;
}
