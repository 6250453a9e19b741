import { Secret } from '../base/secret.ts';
import { aboutOneField, isList, isSecret, type Value } from '../base/value.ts';
import { RenderFault } from './fault.ts';
import { BadArgument, wantText } from './helpers/helper.ts';
import { MASK } from './mask.ts';
import type { Ask, Call, Each, Expr, LoopWord, Node, Path, With } from './nodes.ts';
import { demand, isTruthy, kindOf, Missing, type Outcome, stepInto } from './outcome.ts';
import { pathText } from './scopes.ts';
import { textOf } from './text.ts';

/** The values of one render: undefined for an optional secret that is absent. */
export type View = (secret: string) => Value | undefined;

/** Answers what a template asks by a computed path: `pending` when no answer has come yet. */
export type Answer = (ask: Ask, path: string) => Value | 'pending' | 'none';

/** No computed path can be answered. */
const ANSWERS_NOTHING: Answer = () => 'none';

/** Ends the statement that needs an answer which has not come; the others are still rendered, so that they can ask. */
class Pending extends Error {}

/** What an `each` or a `with` that is being rendered stands at. */
interface Frame {
  readonly item: Value;
  /** The backend named its fields; false for what a helper made of a value. */
  readonly isNamed: boolean;
  readonly loop?: Readonly<Record<LoopWord, Secret>>;
}

/**
 * Renders the nodes of a template over one view of the secrets. Values stay in `Secret` and `Map` until the text that
 * is written, so a name can only ever reach a field that really has it.
 */
export class Evaluation {
  readonly #view: View;
  readonly #answer: Answer;
  readonly #masked: boolean;
  readonly #frames: Frame[] = [];
  readonly #written: string[] = [];

  /** @param masked writes a mark in the place of every value. */
  constructor(view: View, answer: Answer = ANSWERS_NOTHING, masked = false) {
    this.#view = view;
    this.#masked = masked;
    this.#answer = answer;
  }

  /** @throws RenderFault */
  text(nodes: readonly Node[]): string {
    this.#write(nodes);
    return this.#written.join('');
  }

  /** @throws RenderFault for a fault in an argument of a helper; a missing value comes back as such. */
  outcome(expr: Expr): Outcome {
    if (expr.kind === 'literal') return expr.value;
    if (expr.kind === 'ask') return this.#ask(expr);
    return expr.kind === 'path' ? this.#path(expr) : this.#call(expr);
  }

  #write(nodes: readonly Node[]): void {
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

  #statement(node: Exclude<Node, string>): void {
    if (node.kind === 'put') {
      const text = textOf(demand(this.outcome(node.what)), nameOf(node.what), node.at);
      this.#written.push(this.#masked && !this.#isHarmless(node.what) ? MASK : text);
    } else if (node.kind === 'if') this.#write(isTruthy(this.outcome(node.condition)) ? node.body : node.otherwise);
    else if (node.kind === 'with') this.#with(node);
    else this.#each(node);
  }

  #with(node: With): void {
    const item = demand(this.outcome(node.value));
    // Zero is falsy and yet not empty, as in Handlebars.
    if (isTruthy(item) || (isSecret(item) && item.type === 'number'))
      this.#inFrame({ item, isNamed: this.#isNamed(node.value) }, node.body);
    else this.#write(node.otherwise);
  }

  #each(node: Each): void {
    const over = demand(this.outcome(node.over));
    if (isSecret(over) && over.type !== 'null') {
      const seen = `${nameOf(node.over)} is ${kindOf(over)}, and #each wants a list or a map`;
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
      this.#inFrame({ item, isNamed, loop }, node.body);
    }
  }

  /** Positions, and names of fields that the backend gave. */
  #isHarmless(expr: Expr): boolean {
    if (expr.kind !== 'path' || expr.start.from !== 'loop') return false;
    return expr.start.what !== 'key' || this.#frames[this.#frames.length - 1 - expr.start.up]?.isNamed === true;
  }

  #isNamed(expr: Expr): boolean {
    if (expr.kind !== 'path') return expr.kind === 'ask';
    if (expr.start.from === 'item') return this.#frames[this.#frames.length - 1 - expr.start.up]?.isNamed === true;
    return expr.start.from === 'secret';
  }

  #inFrame(frame: Frame, body: readonly Node[]): void {
    this.#frames.push(frame);
    this.#write(body);
    this.#frames.pop();
  }

  #path(path: Path): Outcome {
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

  #start({ start }: Path): Value | undefined {
    if (start.from === 'secret') return this.#view(start.name);
    const frame = this.#frames[this.#frames.length - 1 - start.up];
    return start.from === 'item' ? frame?.item : frame?.loop?.[start.what];
  }

  #ask(ask: Ask): Outcome {
    const parts = ask.path.map((part) => demand(this.outcome(part)));
    let path = '';
    try {
      path = parts.map((part) => wantText(part)).join('');
    } catch (error) {
      if (!(error instanceof BadArgument)) throw error;
      throw new RenderFault('RENDER_BAD_ARGUMENT', `${ask.what} ${error.message}`, { at: ask.at });
    }
    const answer = this.#answer(ask, path);
    if (answer === 'pending') throw new Pending();
    // The path is not shown: it was worked out from values.
    if (answer === 'none') return new Missing(`(${ask.what} …) finds nothing`, ask.at);
    return answer;
  }

  #call(call: Call): Outcome {
    const { helper, name, at } = call;
    try {
      if ('choose' in helper) return helper.choose(call.args.map((arg) => () => this.outcome(arg)));
      const args = call.args.map((arg) => demand(this.outcome(arg)));
      const options = new Map(call.options.map(([key, value]) => [key, demand(this.outcome(value))]));
      return helper.apply(args, options) ?? new Missing(`${name} finds nothing in ${nameOf(call.args[0])}`, at);
    } catch (error) {
      if (!(error instanceof BadArgument)) throw error;
      throw new RenderFault('RENDER_BAD_ARGUMENT', `${name} ${error.message}`, { at });
    }
  }
}

function missingStep(path: Path, i: number, value: Value): Missing {
  const whole = pathText(path.head, path.steps);
  const above = pathText(path.head, path.steps.slice(0, i)) || 'the item';
  const hint = i === 0 ? path.hint : undefined;
  if (isSecret(value)) return new Missing(`${whole} is missing: ${above} is ${kindOf(value)}`, path.at, hint);
  const what = isList(value) ? 'position' : 'field';
  const seen = `${whole} is missing: ${above} has no such ${what}${aboutOneField(value)}`;
  return new Missing(seen, path.at, hint);
}

/** What messages call an expression: a path as it is written, a call in parentheses, a literal by its type. */
function nameOf(expr: Expr | undefined): string {
  if (expr?.kind === 'path') return pathText(expr.head, expr.steps);
  if (expr?.kind === 'ask') return `(${expr.what} …)`;
  return expr?.kind === 'call' ? `(${expr.name} …)` : 'a literal';
}
