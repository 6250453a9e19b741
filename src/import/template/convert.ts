import { type GoNode, type GoPipe, GoSyntaxError, type GoTemplate, type Offset } from '../go/nodes.ts';
import { parseGo } from '../go/parser.ts';
import { call, type Expr, type GoValue, NotKept, numberLiteral } from './expr.ts';
import { toExpr, value } from './function.ts';
import { sorted } from './functions.ts';
import { joined, type Out } from './out.ts';
import { Pipes, type Place } from './pipes.ts';
import { put, used } from './put.ts';
import { Scope } from './scope.ts';
import { isReserved, type WantedSecrets } from './wanted-secrets.ts';
import { type ExtraFile, extraFileOf } from './write-to-file.ts';

/** Something of a template that is not kept, or comes out differently. */
export interface TemplateProblem {
  readonly offset: Offset;
  readonly seen: string;
  readonly todo: string;
}

export interface ConvertedTemplate {
  readonly parts: readonly Out[];
  /** Values beside the template, by name: `${env:NAME}` or `${file:PATH}`. */
  readonly inputs: ReadonlyMap<string, string>;
  /** The files of `writeToFile`. */
  readonly files: readonly ExtraFile[];
  readonly problems: readonly TemplateProblem[];
  /** What comes out differently, each once. */
  readonly differences: readonly string[];
}

export interface ConvertOptions {
  readonly left?: string;
  readonly right?: string;
  /** False where no values may stand beside a template. */
  readonly mayHaveInputs?: boolean;
}

/** The length of what is written, in pieces: `define` and variables are written out where they are used. */
const MAX_PIECES = 20_000;

/** Converts a Go template. What cannot be kept is in `problems`, and a mark that is not valid stands in its place. */
export function convertTemplate(text: string, secrets: WantedSecrets, options: ConvertOptions = {}): ConvertedTemplate {
  const empty = { inputs: new Map<string, string>(), files: [], differences: [] };
  try {
    return new Converter(parseGo(text, options.left, options.right), secrets, options.mayHaveInputs ?? true).convert();
  } catch (error) {
    if (!(error instanceof GoSyntaxError)) throw error;
    const todo = 'The template does not parse: correct it first.';
    const parts = [{ kind: 'comment', text: `not converted: ${error.message}` }] as const;
    return { ...empty, parts, problems: [{ offset: error.offset, seen: error.message, todo }] };
  }
}

class Converter {
  readonly #template: GoTemplate;
  readonly #inputs = new Map<string, string>();
  readonly #files: ExtraFile[] = [];
  readonly #problems: TemplateProblem[] = [];
  readonly #differences = new Set<string>();
  readonly #pipes: Pipes;
  /** Names of block parameters that are in use around the place. */
  readonly #locals: string[] = [];
  readonly #calls: string[] = [];
  #pieces = 0;

  constructor(template: GoTemplate, secrets: WantedSecrets, mayHaveInputs: boolean) {
    this.#template = template;
    this.#pipes = new Pipes({
      secrets,
      input: (source, parts) => {
        if (!mayHaveInputs) {
          throw new NotKept(`${source} in the template of a variable`, 'Set the variable where exec gets its own.');
        }
        let name = [...this.#inputs].find(([, known]) => known === source)?.[0];
        if (name === undefined) {
          name = secrets.names.take(parts);
          this.#inputs.set(name, source);
        }
        return { kind: 'input', name, source };
      },
      differs: (seen) => this.#differences.add(seen),
    });
  }

  convert(): ConvertedTemplate {
    const scope = new Scope();
    const dot: GoValue = { kind: 'nothing' };
    scope.declare('', dot);
    const parts = this.#nodes(this.#template.nodes, { dot, scope, isConditional: false });
    const used = new Map([...this.#inputs].filter(([name]) => usesInput(parts, name) || this.#inFiles(name)));
    return {
      parts,
      inputs: used,
      files: this.#files,
      problems: this.#problems,
      differences: [...this.#differences],
    };
  }

  #inFiles(name: string): boolean {
    return this.#files.some(({ parts }) => usesInput(parts, name));
  }

  #nodes(nodes: readonly GoNode[], place: Place): readonly Out[] {
    const parts: Out[] = [];
    for (const node of nodes) {
      if (node.kind === 'text') {
        parts.push(node);
        continue;
      }
      try {
        if (++this.#pieces > MAX_PIECES)
          throw new NotKept('the template is too long when it is written out', 'Split it.');
        parts.push(...this.#node(node, place));
      } catch (error) {
        if (!(error instanceof NotKept)) throw error;
        this.#problems.push({ offset: error.offset ?? node.offset, seen: error.message, todo: error.todo });
        parts.push({ kind: 'comment', text: `not kept: ${error.message}` });
      }
    }
    return joined(parts);
  }

  #node(node: Exclude<GoNode, { kind: 'text' }>, place: Place): readonly Out[] {
    switch (node.kind) {
      case 'action':
        return this.#action(node.pipe, place);
      case 'if':
        return this.#if(node, place);
      case 'with':
        return this.#with(node, place);
      case 'range':
        return this.#range(node, place);
      case 'template':
        return this.#templateCall(node, place);
      default:
        throw new NotKept(`{{ ${node.kind} }}`, 'Put what follows it into an if.');
    }
  }

  #action(pipe: GoPipe, place: Place): readonly Out[] {
    const file = extraFileOf(pipe, (inner) => this.#pipes.value(inner, place));
    if (file !== undefined) {
      if (place.isConditional) {
        throw new NotKept('writeToFile in if, range or with', 'Make an output file of it, with a template of its own.');
      }
      this.#files.push({ ...file, parts: put(file.content) });
      return [];
    }
    const result = this.#pipes.value(pipe, place);
    const [name] = pipe.declared;
    if (name === undefined) return put(toExpr(result));
    if (!pipe.isAssignment) place.scope.declare(name, result);
    else this.#assign(place.scope, name, result);
    return [];
  }

  #assign(scope: Scope, name: string, result: GoValue): void {
    const why = scope.assign(name, result);
    if (why === undefined) return;
    if (why === 'unknown') throw new NotKept('a variable gets a value that was not declared', 'Write := instead of =.');
    throw new NotKept(
      'a variable from outside changes in a range',
      'Write what the range is for with each, first and last.',
    );
  }

  #if({ pipe, body, otherwise }: GoNode & { kind: 'if' }, place: Place): readonly Out[] {
    const inner = new Scope(place.scope);
    const result = this.#pipes.value(pipe, { ...place, scope: inner });
    this.#declare(pipe, result, inner);
    // An answer is there, or nothing is rendered.
    if (result.kind === 'answer' || result.kind === 'pki') {
      return this.#nodes(body, { ...place, scope: new Scope(inner) });
    }
    const test = toExpr(result);
    if (test.kind === 'literal') {
      const isTrue = test.type === 'bool' ? test.text === 'true' : test.text !== '' && test.text !== '0';
      return this.#nodes(isTrue ? body : otherwise, { ...place, scope: new Scope(inner) });
    }
    used(test);
    const [then, other] = this.#branches(test, inner, [
      (scope) => this.#nodes(body, { ...place, scope, isConditional: true }),
      (scope) => this.#nodes(otherwise, { ...place, scope, isConditional: true }),
    ]);
    if (then.length === 0 && other.length === 0) return [];
    if (other.length === 0 && test.kind === 'call' && test.helper === 'not' && test.args.length === 1) {
      return [block('unless', test.args[0] as Expr, then)];
    }
    return [block('if', test, then, other)];
  }

  /** Converts two branches, and gives each variable that one of them changes the value of the one that is taken. */
  #branches(
    test: Expr,
    scope: Scope,
    [one, other]: readonly [(scope: Scope) => readonly Out[], (scope: Scope) => readonly Out[]],
  ): readonly [readonly Out[], readonly Out[]] {
    const before = scope.snapshot();
    const then = one(new Scope(scope));
    const afterOne = scope.snapshot();
    scope.restore(before);
    const rest = other(new Scope(scope));
    const afterOther = scope.snapshot();
    for (const [name, value1] of afterOne) {
      const value2 = afterOther.get(name);
      if (value1 === value2 || value2 === undefined || name === '') continue;
      scope.assign(name, value(call('choose', [test, toExpr(value1), toExpr(value2)])));
    }
    return [then, rest];
  }

  #with({ pipe, body, otherwise }: GoNode & { kind: 'with' }, place: Place): readonly Out[] {
    const inner = new Scope(place.scope);
    const result = this.#pipes.value(pipe, { ...place, scope: inner });
    this.#declare(pipe, result, inner);
    if (isAlwaysThere(result)) return this.#nodes(body, { ...place, dot: result, scope: inner });
    if (result.kind === 'computed' || (result.kind === 'expr' && result.expr.kind === 'call')) {
      const expr = result.expr as Expr;
      used(expr);
      return this.#named(pipe.declared[0] ?? 'it', (name) => {
        const local: Expr = { kind: 'local', name, steps: [] };
        const dot: GoValue = result.kind === 'computed' ? { ...result, expr: local } : value(local);
        this.#declare(pipe, dot, inner);
        const then = this.#nodes(body, { ...place, dot, scope: inner, isConditional: true });
        const other = this.#nodes(otherwise, { ...place, scope: new Scope(place.scope), isConditional: true });
        return [{ kind: 'block', word: 'with', expr, params: [name], body: then, otherwise: other }];
      });
    }
    const test = toExpr(result);
    used(test);
    const [then, other] = this.#branches(test, inner, [
      (scope) => this.#nodes(body, { dot: result, scope, isConditional: true }),
      (scope) => this.#nodes(otherwise, { ...place, scope, isConditional: true }),
    ]);
    return then.length === 0 && other.length === 0 ? [] : [block('if', test, then, other)];
  }

  #range({ pipe, body, otherwise }: GoNode & { kind: 'range' }, place: Place): readonly Out[] {
    if (pipe.isAssignment) throw new NotKept('range with =', 'Write := instead of =.');
    const result = this.#pipes.value(pipe, place);
    const [first, second] = pipe.declared;
    const [key, item] = second === undefined ? [undefined, first] : [first, second];
    if (result.kind === 'list') {
      if (result.items.length === 0) return this.#nodes(otherwise, { ...place, scope: new Scope(place.scope) });
      return result.items.flatMap((one, i) => {
        const scope = new Scope(place.scope);
        if (key !== undefined) scope.declare(key, value(numberLiteral(String(i))));
        if (item !== undefined) scope.declare(item, one);
        return this.#nodes(body, { ...place, dot: one, scope });
      });
    }
    const over = sorted(toExpr(result));
    if (over.kind === 'literal') throw new NotKept('range over a number or a text', 'Write the lines one by one.');
    used(over);
    return this.#named(item ?? 'item', (itemName) =>
      this.#named(key ?? '', (keyName) => {
        const scope = new Scope(place.scope, true);
        const dot = value({ kind: 'local', name: itemName, steps: [] });
        if (item !== undefined) scope.declare(item, dot);
        if (key !== undefined) scope.declare(key, value({ kind: 'local', name: keyName, steps: [] }));
        const inside = this.#nodes(body, { dot, scope, isConditional: true });
        const none = this.#nodes(otherwise, { ...place, scope: new Scope(place.scope), isConditional: true });
        const params = key === undefined ? [itemName] : [itemName, keyName];
        return [{ kind: 'block', word: 'each', expr: over, params, body: inside, otherwise: none }];
      }),
    );
  }

  /** Calls `make` with a name for a block parameter that no parameter around has. */
  #named(wanted: string, make: (name: string) => readonly Out[]): readonly Out[] {
    if (wanted === '') return make('');
    const stem = wanted.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(?=\d)/, '_');
    let name = isReserved(stem) ? `${stem}1` : stem;
    for (let number = 2; this.#locals.includes(name); number++) name = `${stem}${number}`;
    this.#locals.push(name);
    try {
      return make(name);
    } finally {
      this.#locals.pop();
    }
  }

  #templateCall({ name, pipe }: GoNode & { kind: 'template' }, place: Place): readonly Out[] {
    const nodes = this.#template.defined.get(name);
    if (nodes === undefined) throw new NotKept('a template is called that is not defined here', 'Define it.');
    if (this.#calls.includes(name)) {
      throw new NotKept('a template calls itself', 'Write the levels out: there is no recursion.');
    }
    const dot: GoValue = pipe === undefined ? { kind: 'nothing' } : this.#pipes.value(pipe, place);
    const scope = new Scope();
    scope.declare('', dot);
    this.#calls.push(name);
    try {
      return this.#nodes(nodes, { ...place, dot, scope });
    } finally {
      this.#calls.pop();
    }
  }

  #declare(pipe: GoPipe, result: GoValue, scope: Scope): void {
    const [name] = pipe.declared;
    if (name === undefined) return;
    if (pipe.isAssignment) this.#assign(scope, name, result);
    else scope.declare(name, result);
  }
}

function block(word: 'if' | 'unless', expr: Expr, body: readonly Out[], otherwise: readonly Out[] = []): Out {
  return { kind: 'block', word, expr, params: [], body, otherwise };
}

/** What `with` always enters: an answer, without which nothing is rendered, and all fields of one. */
function isAlwaysThere(result: GoValue): boolean {
  if (result.kind === 'answer' || result.kind === 'pki' || (result.kind === 'computed' && result.part === 'data'))
    return true;
  if (result.kind === 'list') return result.items.length > 0;
  if (result.kind !== 'expr') return false;
  const { expr } = result;
  return expr.kind === 'secret' && (expr.steps.length === 0 || (expr.steps.length === 1 && expr.steps[0] === 'data'));
}

function usesInput(parts: readonly Out[], name: string): boolean {
  const inExpr = (expr: Expr): boolean => {
    if (expr.kind === 'call') return expr.args.some(inExpr);
    return expr.kind === 'input' && expr.name === name;
  };
  return parts.some((part) => {
    if (part.kind === 'put') return inExpr(part.expr);
    if (part.kind !== 'block') return false;
    return inExpr(part.expr) || usesInput(part.body, name) || usesInput(part.otherwise, name);
  });
}
