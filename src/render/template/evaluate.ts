import { Secret } from '../../base/secret.ts';
import { aboutOneField, isList, isSecret, type Value } from '../../base/value.ts';
import { BadArgument, wantText } from '../helpers/helper.ts';
import { RenderFault } from './fault.ts';
import { MASK } from './mask.ts';
import type {
  EachBlock,
  FieldPath,
  HelperCall,
  LoopWord,
  PathAsk,
  TemplateExpr,
  TemplateNode,
  WithBlock,
} from './nodes.ts';
import { demand, type Evaluated, isTruthy, Missing, stepInto, valueKind } from './outcome.ts';
import { pathText } from './scopes.ts';
import { textOf } from './text.ts';

/** The values of one render: undefined for an optional secret that is absent. */
export type View = (secret: string) => Value | undefined;

/** Answers what a template asks by a computed path: `pending` when no answer has come yet. */
export type AskedValue = (ask: PathAsk, path: string) => Value | 'pending' | 'none';

/** No computed path can be answered. */
const ANSWERS_NOTHING: AskedValue = () => 'none';

/** Ends the statement that needs an answer which has not come; the others are still rendered, so that they can ask. */
class Pending extends Error {}

/** What an `each` or a `with` that is being rendered stands at. */
interface Frame {
  readonly item: Value;
  /** The backend named its fields; false for what a helper made of a value. */
  readonly isNamed: boolean;
  /** Where the item was found: in this, and in an `each` below this key. */
  readonly within: TemplateExpr;
  readonly key?: string | number;
  readonly loop?: Readonly<Record<LoopWord, Secret>>;
}

/**
 * Renders the nodes of a template over one view of the secrets. Values stay in `Secret` and `Map` until the text that
 * is written, so a name can only ever reach a field that really has it.
 */
export class Evaluation {
  readonly #view: View;
  readonly #answer: AskedValue;
  readonly #masked: boolean;
  readonly #frames: Frame[] = [];
  readonly #written: string[] = [];

  /** @param masked writes a mark in the place of every value. */
  constructor(view: View, answer: AskedValue = ANSWERS_NOTHING, masked = false) {
    this.#view = view;
    this.#masked = masked;
    this.#answer = answer;
  }

  /** @throws RenderFault */
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

  /** @throws RenderFault for a fault in an argument of a helper; a missing value comes back as such. */
  outcome(expr: TemplateExpr): Evaluated {
    if (expr.kind === 'literal') return expr.value;
    if (expr.kind === 'ask') return this.#ask(expr);
    return expr.kind === 'path' ? this.#path(expr) : this.#call(expr);
  }

  #write(nodes: readonly TemplateNode[]): void {
    for (const node of nodes) {
      if (typeof node === 'string') this.#written.push(node);
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

  #statement(node: Exclude<TemplateNode, string>): void {
    if (node.kind === 'put') {
      const { what, at } = node;
      const text = textOf(demand(this.outcome(what)), writtenName(what), at, () => this.#nameOf(what));
      this.#written.push(this.#masked && !this.#isHarmless(node.what) ? MASK : text);
    } else if (node.kind === 'if') this.#write(isTruthy(this.outcome(node.condition)) ? node.body : node.otherwise);
    else if (node.kind === 'with') this.#with(node);
    else this.#each(node);
  }

  #with(node: WithBlock): void {
    const item = demand(this.#orNothing(node.value));
    // Zero is falsy and yet not empty, as in Handlebars.
    if (isTruthy(item) || (isSecret(item) && item.type === 'number'))
      this.#inFrame({ item, isNamed: this.#isNamed(node.value), within: node.value }, node.body);
    else this.#write(node.otherwise);
  }

  #each(node: EachBlock): void {
    const over = demand(this.#orNothing(node.over));
    if (isSecret(over) && over.type !== 'null') {
      const seen = `${this.#nameOf(node.over)} is ${valueKind(over)}, and #each wants a list or a map`;
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

  /** What a block goes over; where it may lead nowhere and does, something empty, which is for `else`. */
  #orNothing(expr: TemplateExpr): Evaluated {
    const found = this.outcome(expr);
    return found instanceof Missing && mayLeadNowhere(expr) ? NOTHING : found;
  }

  /** Positions, and names of fields that the backend gave. */
  #isHarmless(expr: TemplateExpr): boolean {
    if (expr.kind !== 'path' || expr.start.from !== 'loop') return false;
    return expr.start.what !== 'key' || this.#frames[this.#frames.length - 1 - expr.start.up]?.isNamed === true;
  }

  #isNamed(expr: TemplateExpr): boolean {
    if (expr.kind !== 'path') return expr.kind === 'ask';
    if (expr.start.from === 'item') return this.#frames[this.#frames.length - 1 - expr.start.up]?.isNamed === true;
    return expr.start.from === 'secret';
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
      if (next === undefined) return missingStep(path, i, value);
      value = next;
    }
    return value;
  }

  #start({ start }: FieldPath): Value | undefined {
    if (start.from === 'secret') return this.#view(start.name);
    const frame = this.#frames[this.#frames.length - 1 - start.up];
    return start.from === 'item' ? frame?.item : frame?.loop?.[start.what];
  }

  #ask(ask: PathAsk): Evaluated {
    const parts = ask.path.map((part) => demand(this.outcome(part)));
    let path = '';
    try {
      path = parts.map((part) => wantText(part)).join('');
    } catch (error) {
      if (!(error instanceof BadArgument)) throw error;
      throw this.#badArgument(`${ask.what} ${error.message}`, ask);
    }
    const answer = this.#answer(ask, path);
    if (answer === 'pending') throw new Pending();
    // The path is shown as it is written: what it was worked out to may be made of values.
    if (answer === 'none') return new Missing(`${writtenAsk(ask)} finds nothing`, ask.at, GUARD);
    return answer;
  }

  #call(call: HelperCall): Evaluated {
    const { helper, name, at } = call;
    try {
      if ('choose' in helper) return helper.choose(call.args.map((arg) => () => this.outcome(arg)));
      const args = call.args.map((arg) => demand(this.outcome(arg)));
      const options = new Map(call.options.map(([key, value]) => [key, demand(this.outcome(value))]));
      return helper.apply(args, options) ?? new Missing(`${name} finds nothing in ${this.#nameOf(call.args[0])}`, at);
    } catch (error) {
      if (!(error instanceof BadArgument)) throw error;
      throw this.#badArgument(`${name} ${error.message}`, call);
    }
  }

  /** Names what was given: in an `each` the place alone does not say which item it was. */
  #badArgument(seen: string, of: HelperCall | PathAsk): RenderFault {
    const given = new Set(this.#namesIn(of));
    const named = given.size === 0 ? '' : `; it was given ${[...given].join(', ')}`;
    return new RenderFault('RENDER_BAD_ARGUMENT', `${seen}${named}`, { at: of.at });
  }

  /**
   * What messages call an expression: a path as it is written, or inside `each` and `with` the field that it leads to;
   * a call in parentheses; a literal by its type.
   */
  #nameOf(expr: TemplateExpr | undefined, depth = this.#frames.length): string {
    if (expr?.kind !== 'path') return writtenName(expr);
    const { start, steps } = expr;
    const item = start.from === 'secret' ? undefined : this.#nameOfItem(depth - 1 - start.up);
    if (start.from === 'secret' || item === undefined) return writtenName(expr);
    return start.from === 'item' ? pathText(item, steps) : `${expr.head} of ${item}`;
  }

  /** Undefined for the fields of a map that a helper made of a value: their names may be a part of it. */
  #nameOfItem(depth: number): string | undefined {
    const frame = this.#frames[depth];
    if (frame === undefined || (typeof frame.key === 'string' && !frame.isNamed)) return undefined;
    return pathText(this.#nameOf(frame.within, depth), frame.key === undefined ? [] : [String(frame.key)]);
  }

  /** The names of the paths that an expression is made of. */
  #namesIn(expr: TemplateExpr): readonly string[] {
    if (expr.kind === 'literal') return [];
    if (expr.kind === 'path') return [this.#nameOf(expr)];
    const parts = expr.kind === 'ask' ? expr.path : [...expr.args, ...expr.options.map(([, value]) => value)];
    return parts.flatMap((part) => this.#namesIn(part));
  }
}

function missingStep(path: FieldPath, i: number, value: Value): Missing {
  const whole = pathText(path.head, path.steps);
  const above = pathText(path.head, path.steps.slice(0, i)) || 'the item';
  const hint = i === 0 ? path.hint : undefined;
  if (isSecret(value)) return new Missing(`${whole} is missing: ${above} is ${valueKind(value)}`, path.at, hint);
  const what = isList(value) ? 'position' : 'field';
  const seen = `${whole} is missing: ${above} has no such ${what}${aboutOneField(value)}`;
  return new Missing(seen, path.at, hint);
}

const NOTHING: Value = [];

const GUARD = 'Write the secret, or guard it with {{#if (secret …)}} or {{#with (secret …)}} over a list.';

/** A path made of values may name what is not there (a folder, a deleted secret); one of literals is meant to be. */
const mayLeadNowhere = (expr: TemplateExpr): boolean => expr.kind === 'ask' && !expr.isLiteral;

function writtenAsk({ what, path }: PathAsk): string {
  const parts = path.map((part) =>
    part.kind === 'literal' ? `"${part.value.exposeText('file')}"` : writtenName(part),
  );
  return `(${what} ${parts.join(' ')})`;
}

/** An expression as the template writes it. */
function writtenName(expr: TemplateExpr | undefined): string {
  if (expr?.kind === 'path') return pathText(expr.head, expr.steps);
  if (expr?.kind === 'ask') return writtenAsk(expr);
  return expr?.kind === 'call' ? `(${expr.name} …)` : 'a literal';
}
