import { markOf } from '../marks.ts';
import { type Expr, isConcat, literal } from './expr.ts';
import { joined, type Out, type OutBlock } from './out.ts';
import { formOf, type WantedSecret } from './wanted-secrets.ts';

/**
 * Writes a template. To call when all templates of a configuration are converted, see `formOf`.
 *
 * A line that holds only the tag of a block disappears in Handlebars, and stays in Go. So where a tag would take its
 * line along, an empty comment, `{{!}}`, stands beside it.
 */
export function printTemplate(parts: readonly Out[]): string {
  return new Printer().program(parts, true);
}

/** The comment that keeps a line, and parts braces that would be read as one tag. */
const GUARD = '{{!}}';

class Printer {
  /** How many `each` and `with` are around: inside, a secret is named from the root. */
  #depth = 0;
  readonly #forms = new Map<WantedSecret, ReturnType<typeof formOf>>();

  program(given: readonly Out[], isRoot: boolean): string {
    const parts = joined(given);
    let text = '';
    for (const [i, part] of parts.entries()) {
      const next = parts[i + 1];
      if (part.kind === 'text') text += this.#text(part.text, next !== undefined || !isRoot);
      else if (part.kind === 'comment') text = `${braceSafe(text)}${markOf(part.text)}`;
      else if (part.kind === 'put') text = this.#put(text, part.expr);
      else text = this.#block(text, part, { parts, i, isRoot });
      if (part.kind !== 'text' && next?.kind === 'text' && next.text.startsWith('}')) text += GUARD;
    }
    return text;
  }

  /** Text in which nothing is a tag. @param isBeforeTag a backslash there would make text of the tag. */
  #text(plain: string, isBeforeTag: boolean): string {
    const pieces = plain.split('{{');
    let text = pieces[0] as string;
    for (const piece of pieces.slice(1)) {
      const isPlain = !/[\\{]$/.test(text) && !piece.startsWith('{') && piece !== '';
      text += isPlain ? `\\{{${piece}` : `{{concat "{{"}}${piece.startsWith('}') ? GUARD : ''}${piece}`;
    }
    return isBeforeTag && text.endsWith('\\') ? `${text}\\` : text;
  }

  /** A brace right before a tag would be read as a part of it, so it goes into the tag. */
  #put(before: string, expr: Expr): string {
    const parts = isConcat(expr) ? expr.args : [expr];
    if (!before.endsWith('{')) return before + this.#tag(expr);
    return `${before.slice(0, -1)}${this.#tag({ kind: 'call', helper: 'concat', args: [literal('{'), ...parts], options: {} })}`;
  }

  #tag(expr: Expr): string {
    const inside = this.#expr(expr);
    return `{{${inside.startsWith('(') ? inside.slice(1, -1) : inside}}}`;
  }

  #block(before: string, block: OutBlock, place: { parts: readonly Out[]; i: number; isRoot: boolean }): string {
    const { word, expr, params, otherwise } = block;
    const { parts, i, isRoot } = place;
    const body = joined(block.body);
    const chained = chainOf(otherwise);
    const firstElse = joined(chained === undefined ? otherwise : chained.body);
    let text = braceSafe(before);
    if (endsLine(parts, i - 1, isRoot) && beginsLine(body, 0, false)) text += GUARD;
    const names = params.length === 0 ? '' : ` as |${params.join(' ')}|`;
    text += `{{#${word} ${this.#expr(expr)}${names}}}`;
    const isScope = word === 'each' || word === 'with';
    if (isScope) this.#depth++;
    text += startGuarded(this.program(body, false));
    if (isScope) this.#depth--;
    if (otherwise.length > 0) {
      text = braceSafe(text);
      if (endsLine(body, body.length - 1, false) && beginsLine(firstElse, 0, false)) text += GUARD;
      text += this.#otherwise(otherwise, chained);
    }
    text = `${braceSafe(text)}{{/${word}}}`;
    const bodies = [body, firstElse, joined(otherwise)];
    // At the end of the template nothing but white space before the tag would go.
    const isLast = parts[i + 1] === undefined && !bodies.some((one) => endsInSpace(one.at(-1)));
    return !isLast && beginsLine(parts, i + 1, isRoot) && mayEndLine(bodies) ? text + GUARD : text;
  }

  #otherwise(otherwise: readonly Out[], chained: OutBlock | undefined): string {
    if (chained === undefined) return `{{else}}${startGuarded(this.program(otherwise, false))}`;
    // The block inside of `else` is written as `else if`, without a closing tag of its own.
    const whole = this.#block('', chained, { parts: [chained], i: 0, isRoot: false });
    return `{{else ${whole.slice('{{#'.length, -`{{/${chained.word}}}`.length)}`;
  }

  #expr(expr: Expr): string {
    switch (expr.kind) {
      case 'literal':
        return expr.type === 'text' ? this.#quoted(expr.text) : expr.text;
      case 'input':
        return this.#depth > 0 ? `@root.${expr.name}` : expr.name;
      case 'local':
        return this.#path(expr.name, expr.steps);
      case 'secret': {
        const { name } = expr.secret;
        return this.#path(this.#depth > 0 ? `@root.${name}` : name, this.#form(expr.secret).steps(expr.steps));
      }
      case 'call': {
        const options = Object.entries(expr.options).map(([key, value]) => `${key}=${optionText(value)}`);
        return `(${[expr.helper, ...expr.args.map((arg) => this.#expr(arg)), ...options].join(' ')})`;
      }
    }
  }

  #path(head: string, steps: readonly string[]): string {
    // A name with a bracket has no place in a path.
    const bad = steps.findIndex((one) => one === '' || /[[\]]/.test(one));
    if (bad === -1) return [head, ...steps.map(written)].join('.');
    const lookup = `(lookup ${this.#path(head, steps.slice(0, bad))} ${this.#quoted(steps[bad] as string)})`;
    return steps.slice(bad + 1).reduce((inner, one) => `(lookup ${inner} ${this.#quoted(one)})`, lookup);
  }

  /** A text as an argument: quotes have no escapes here. */
  #quoted(text: string): string {
    if (!text.includes('"') && !text.endsWith('\\')) return `"${text}"`;
    if (!text.includes("'") && !text.endsWith('\\')) return `'${text}'`;
    const pieces = text.match(/"+|[^"]+/g) ?? [];
    return `(concat ${pieces.map((piece) => (piece.startsWith('"') ? `'${piece}'` : `"${piece}"`)).join(' ')})`;
  }

  #form(secret: WantedSecret): ReturnType<typeof formOf> {
    let form = this.#forms.get(secret);
    if (form === undefined) {
      form = formOf(secret);
      this.#forms.set(secret, form);
    }
    return form;
  }
}

/** `else` holds one block alone, which can be written as `else if`. */
function chainOf(otherwise: readonly Out[]): OutBlock | undefined {
  const [only, ...more] = joined(otherwise);
  return only?.kind === 'block' && only.word === 'if' && more.length === 0 ? only : undefined;
}

/** A text before a tag: a brace at its end would be read as a part of the tag. */
const braceSafe = (text: string): string => (text.endsWith('{') ? `${text.slice(0, -1)}{{concat "{"}}` : text);

const startGuarded = (text: string): string => (text.startsWith('}') ? GUARD + text : text);

/** By Handlebars' rules: whether what stands before a tag ends a line, or is white space after a line's end. */
function endsLine(parts: readonly Out[], i: number, isRoot: boolean): boolean {
  const part = parts[i];
  if (part === undefined) return isRoot;
  if (part.kind !== 'text') return false;
  return (i > 0 || !isRoot ? /\r?\n\s*?$/ : /(?:^|\r?\n)\s*?$/).test(part.text);
}

function beginsLine(parts: readonly Out[], i: number, isRoot: boolean): boolean {
  const part = parts[i];
  if (part === undefined) return isRoot;
  if (part.kind !== 'text') return false;
  return (i < parts.length - 1 || !isRoot ? /^\s*?\r?\n/ : /^\s*?(?:\r?\n|$)/).test(part.text);
}

const endsInSpace = (part: Out | undefined): boolean => part?.kind === 'text' && /[ \t]$/.test(part.text);

const mayEndLine = (bodies: readonly (readonly Out[])[]): boolean =>
  bodies.some((body) => body.length > 0 && endsLine(body, body.length - 1, false));

const PLAIN = /^[A-Za-z_][A-Za-z0-9_-]*$/;
const WORDS: ReadonlySet<string> = new Set(['this', 'true', 'false', 'null', 'undefined', 'as', 'else']);

const written = (name: string): string => (PLAIN.test(name) && !WORDS.has(name) ? name : `[${name}]`);

const optionText = (value: string | number | boolean): string =>
  typeof value === 'string' ? `"${value}"` : String(value);
