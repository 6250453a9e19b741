import { Secret } from '../../base/secret.ts';
import { aboutOneField, isList, isSecret, otherFields, type Value } from '../../base/value.ts';
import { BadArgument, takeText } from '../helpers/helper.ts';
import { RenderFault } from './fault.ts';
import { MASK } from './mask.ts';
import type {
  EachBlock,
  FieldPath,
  HelperCall,
  LoopWord,
  SecretCall,
  TemplateExpr,
  TemplateNode,
  WithBlock,
} from './nodes.ts';
import { demand, type Evaluated, isTruthy, Missing, stepInto, valueKind } from './outcome.ts';
import type { Position } from './position.ts';
import { pathText } from './scopes.ts';
import { textOf } from './text.ts';

/** The value of each secret in one render; undefined for an optional secret that is absent. */
export type View = (secret: string) => Value | undefined;

/**
 * What a file may be: loops in loops over lists of a backend could fill the memory, or never end. The agent does
 * nothing else meanwhile: two million steps take about two seconds.
 */
const MAX_LENGTH = 2 ** 26;
const MAX_STATEMENTS = 2_000_000;

/** Looks up a computed path. `pending`: no answer has come yet. `none`: nothing is there. */
export type ComputedLookup = (call: SecretCall, path: string) => Value | 'pending' | 'none';

/** For templates that may not use computed paths. */
const FINDS_NOTHING: ComputedLookup = () => 'none';

/**
 * Thrown when the answer to a computed path has not come. It ends the statement that needs the answer; the other
 * statements are still rendered, so that they can ask for their secrets in the same round.
 */
class Pending extends Error {}

/** The current item of an `each` or a `with` that is being rendered. */
interface Frame {
  readonly item: Value;
  /** The field names of the item are the backend's; false when a helper made the item of a value. */
  readonly isNamed: boolean;
  /** The expression that the item was found in; an `each` found it there under `key`. */
  readonly within: TemplateExpr;
  readonly key?: string | number;
  readonly loop?: Readonly<Record<LoopWord, Secret>>;
}

/**
 * Renders the nodes of a template with the secrets of one view. Values stay in `Secret` and `Map` until text is
 * written, so a name can only reach a field that the secret has, never a property of an object.
 */
export class Evaluation {
  readonly #view: View;
  readonly #lookUp: ComputedLookup;
  readonly #masked: boolean;
  readonly #frames: Frame[] = [];
  readonly #written: string[] = [];
  #length = 0;
  #statements = 0;

  /** @param masked writes a mark in the place of every value. */
  constructor(view: View, lookUp: ComputedLookup = FINDS_NOTHING, masked = false) {
    this.#view = view;
    this.#masked = masked;
    this.#lookUp = lookUp;
  }

  /** The text of the nodes. @throws RenderFault */
  text(nodes: readonly TemplateNode[]): string {
    this.#write(nodes);
    return this.#written.join('');
  }

  /** The value of an expression; undefined while an answer that it needs has not come. @throws RenderFault */
  valueOf(expr: TemplateExpr): Value | undefined {
    try {
      return demand(this.outcome(expr));
    } catch (error) {
      if (error instanceof Pending) return undefined;
      throw error;
    }
  }

  /** The value of an expression, or `Missing`. @throws RenderFault for an argument that a helper cannot take. */
  outcome(expr: TemplateExpr): Evaluated {
    if (expr.kind === 'literal') return expr.value;
    if (expr.kind === 'secret-call') return this.#secretCall(expr);
    return expr.kind === 'path' ? this.#path(expr) : this.#call(expr);
  }

  #write(nodes: readonly TemplateNode[]): void {
    for (const node of nodes) {
      if (typeof node === 'string') this.#put(node, undefined);
      else {
        const depth = this.#frames.length;
        try {
          this.#statement(node);
        } catch (error) {
          if (!(error instanceof Pending)) throw error;
          this.#frames.length = depth;
        }
      }
    }
  }

  #put(text: string, at: Position | undefined): void {
    this.#length += text.length;
    if (this.#length > MAX_LENGTH) throw new RenderFault('RENDER_TOO_LARGE', 'the file is larger than 64 MiB', { at });
    this.#written.push(text);
  }

  #statement(node: Exclude<TemplateNode, string>): void {
    if (++this.#statements > MAX_STATEMENTS) {
      const seen = `the template does more than ${MAX_STATEMENTS / 1e6} million steps`;
      throw new RenderFault('RENDER_TOO_LARGE', seen, { at: 'at' in node ? node.at : undefined });
    }
    if (node.kind === 'put') {
      const { expr, at } = node;
      const text = textOf(demand(this.outcome(expr)), writtenName(expr), at, () => this.#nameOf(expr));
      this.#put(this.#masked && !this.#isPublic(expr) ? MASK : text, at);
    } else if (node.kind === 'if') this.#write(isTruthy(this.outcome(node.condition)) ? node.body : node.otherwise);
    else if (node.kind === 'with') this.#with(node);
    else this.#each(node);
  }

  #with(node: WithBlock): void {
    const item = demand(this.#orEmpty(node.value));
    // As in Handlebars, zero is falsy and still enters the block.
    if (isTruthy(item) || (isSecret(item) && item.type === 'number'))
      this.#inFrame({ item, isNamed: this.#isNamed(node.value), within: node.value }, node.body);
    else this.#write(node.otherwise);
  }

  #each(node: EachBlock): void {
    const over = demand(this.#orEmpty(node.over));
    if (isSecret(over) && over.type !== 'null') {
      const seen = `${this.#nameOf(node.over)} is ${valueKind(over)}, and #each takes a list or a map`;
      throw new RenderFault('RENDER_BAD_ARGUMENT', seen, { at: node.at });
    }
    const size = isSecret(over) ? 0 : isList(over) ? over.length : over.size;
    if (isSecret(over) || size === 0) {
      this.#write(node.otherwise);
      return;
    }
    const isNamed = this.#isNamed(node.over);
    let index = 0;
    for (const [key, item] of over.entries()) {
      const position = Secret.number(String(index));
      const loop = {
        index: position,
        key: typeof key === 'string' ? Secret.text(key) : position,
        first: Secret.boolean(index === 0),
        last: Secret.boolean(++index === size),
      };
      this.#inFrame({ item, isNamed, within: node.over, key, loop }, node.body);
    }
  }

  /** The value that a block works on. A secret that may be absent, and is, gives an empty value, which takes `else`. */
  #orEmpty(expr: TemplateExpr): Evaluated {
    const found = this.outcome(expr);
    return found instanceof Missing && mayBeAbsent(expr) ? EMPTY : found;
  }

  /** Whether a masked file may show an expression: positions, and field names of the backend, are not values. */
  #isPublic(expr: TemplateExpr): boolean {
    if (expr.kind !== 'path' || expr.start.from !== 'loop') return false;
    return expr.start.what !== 'key' || this.#frameAt(expr.start.up)?.isNamed === true;
  }

  /** Whether the field names below an expression are the backend's. */
  #isNamed(expr: TemplateExpr): boolean {
    if (expr.kind !== 'path') return expr.kind === 'secret-call';
    if (expr.start.from === 'item') return this.#frameAt(expr.start.up)?.isNamed === true;
    return expr.start.from === 'secret';
  }

  /** The frame `up` scopes further out, 0 for the innermost. */
  #frameAt(up: number): Frame | undefined {
    return this.#frames[this.#frames.length - 1 - up];
  }

  #inFrame(frame: Frame, body: readonly TemplateNode[]): void {
    this.#frames.push(frame);
    this.#write(body);
    this.#frames.pop();
  }

  #path(path: FieldPath): Evaluated {
    let value = this.#start(path);
    if (value === undefined) {
      const seen = `${pathText(path.head, path.steps)} is missing: the optional secret ${path.head} is absent`;
      return new Missing(seen, path.at, `Guard it with {{#if ${path.head}}} or default.`);
    }
    for (const [i, step] of path.steps.entries()) {
      const next = stepInto(value, step);
      if (next === undefined) return missingStep(path, i, value, this.#isNamed(path));
      value = next;
    }
    return value;
  }

  #start({ start }: FieldPath): Value | undefined {
    if (start.from === 'secret') return this.#view(start.name);
    const frame = this.#frameAt(start.up);
    return start.from === 'item' ? frame?.item : frame?.loop?.[start.what];
  }

  #secretCall(call: SecretCall): Evaluated {
    const parts = call.path.map((part) => demand(this.outcome(part)));
    let path = '';
    try {
      path = parts.map((part) => takeText(part)).join('');
    } catch (error) {
      if (!(error instanceof BadArgument)) throw error;
      throw this.#badArgument(`${call.what} ${error.message}`, call);
    }
    const found = this.#lookUp(call, path);
    if (found === 'pending') throw new Pending();
    // The message shows the path as the template writes it, since the path itself may hold values.
    if (found === 'none') return new Missing(`${secretCallText(call)} finds nothing`, call.at, GUARD_HINT);
    return found;
  }

  #call(call: HelperCall): Evaluated {
    const { helper, name, at } = call;
    try {
      if ('choose' in helper) return helper.choose(call.args.map((arg) => () => this.outcome(arg)));
      const args = call.args.map((arg) => demand(this.outcome(arg)));
      const options = new Map(call.options.map(([key, value]) => [key, demand(this.outcome(value))]));
      return helper.apply(args, options) ?? new Missing(`${name} finds nothing in ${this.#nameOf(call.args[0])}`, at);
    } catch (error) {
      // The longest text that JavaScript can have is shorter than what a few replacements could make.
      if (error instanceof RangeError) throw this.#badArgument(`${name} makes too long a text`, call);
      if (!(error instanceof BadArgument)) throw error;
      throw this.#badArgument(`${name} ${error.message}`, call);
    }
  }

  /** Names the arguments, since in an `each` the place alone does not say which item was given. */
  #badArgument(seen: string, call: HelperCall | SecretCall): RenderFault {
    const given = new Set(this.#namesIn(call));
    const named = given.size === 0 ? '' : `; it was given ${[...given].join(', ')}`;
    return new RenderFault('RENDER_BAD_ARGUMENT', `${seen}${named}`, { at: call.at });
  }

  /**
   * What messages call an expression. A path is named as it is written, and inside `each` and `with` by the field that
   * it leads to; a call by its helper, in parentheses; a literal is `a literal`.
   */
  #nameOf(expr: TemplateExpr | undefined, depth = this.#frames.length): string {
    if (expr?.kind !== 'path') return writtenName(expr);
    const { start, steps } = expr;
    const item = start.from === 'secret' ? undefined : this.#nameOfItem(depth - 1 - start.up);
    if (start.from === 'secret' || item === undefined) return writtenName(expr);
    return start.from === 'item' ? pathText(item, steps) : `${expr.head} of ${item}`;
  }

  /** Undefined inside a map that a helper made of a value: its keys may be a part of that value. */
  #nameOfItem(depth: number): string | undefined {
    const frame = this.#frames[depth];
    if (frame === undefined || (typeof frame.key === 'string' && !frame.isNamed)) return undefined;
    return pathText(this.#nameOf(frame.within, depth), frame.key === undefined ? [] : [String(frame.key)]);
  }

  /** The names of the paths that an expression is made of. */
  #namesIn(expr: TemplateExpr): readonly string[] {
    if (expr.kind === 'literal') return [];
    if (expr.kind === 'path') return [this.#nameOf(expr)];
    const parts = expr.kind === 'secret-call' ? expr.path : [...expr.args, ...expr.options.map(([, value]) => value)];
    return parts.flatMap((part) => this.#namesIn(part));
  }
}

/** @param isNamed whether fields have names of the backend; other names may be a part of a value, and are not shown. */
function missingStep(path: FieldPath, i: number, value: Value, isNamed: boolean): Missing {
  const whole = pathText(path.head, path.steps);
  const above = pathText(path.head, path.steps.slice(0, i)) || 'the item';
  const hint = i === 0 ? path.hint : undefined;
  if (isSecret(value)) return new Missing(`${whole} is missing: ${above} is ${valueKind(value)}`, path.at, hint);
  const what = isList(value) ? 'position' : 'field';
  const others = isNamed ? otherFields(value, path.steps[i] ?? '') : { meant: '' };
  const seen = `${whole} is missing: ${above} has no such ${what}${aboutOneField(value)}${others.meant}`;
  return new Missing(seen, path.at, hint ?? others.hint);
}

const EMPTY: Value = [];

const GUARD_HINT =
  'Store the secret, or guard the call with {{#if (secret …)}}, or with {{#with (secret …)}} over a list.';

/** A path made of values may name a folder or a deleted secret. The secret of a literal path is expected to exist. */
const mayBeAbsent = (expr: TemplateExpr): boolean => expr.kind === 'secret-call' && !expr.isLiteral;

function secretCallText({ what, path }: SecretCall): string {
  const parts = path.map((part) =>
    part.kind === 'literal' ? `"${part.value.exposeText('file')}"` : writtenName(part),
  );
  return `(${what} ${parts.join(' ')})`;
}

/** An expression as the template writes it. */
function writtenName(expr: TemplateExpr | undefined): string {
  if (expr?.kind === 'path') return pathText(expr.head, expr.steps);
  if (expr?.kind === 'secret-call') return secretCallText(expr);
  return expr?.kind === 'call' ? `(${expr.name} …)` : 'a literal';
}
