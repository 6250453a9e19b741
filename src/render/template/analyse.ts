import type { Code } from '../../base/codes.ts';
import { makeNearest, thereIsNo } from '../../base/nearest.ts';
import { Secret } from '../../base/secret.ts';
import type { AskableBackends } from '../../config/sections/backends/path-requests.ts';
import { HELPERS } from '../helpers/index.ts';
import { analyseSecretCall, isSecretCall } from './ask.ts';
import { problemsOfCall } from './check-call.ts';
import { RenderFault } from './fault.ts';
import { DATA_FIELD_HINT } from './go-syntax.ts';
import { type HelperCall, LOOP_WORDS, type SecretCall, type TemplateExpr, type TemplateNode } from './nodes.ts';
import { atOf } from './parse.ts';
import type { Position } from './position.ts';
import { isBareName, type Resolved, resolvePath, type Scope } from './scopes.ts';
import type { Block, Expression, Location, Mustache, PathExpression, Program } from './syntax-tree.ts';

/** One place where a template names a field of a secret. */
export interface FieldUse {
  readonly secret: string;
  readonly fields: readonly string[];
  /** The field may be missing: it is the condition of `if` or `unless`, or the first argument of `default`. */
  readonly guarded: boolean;
  readonly at: Position;
}

export interface Analysis {
  readonly nodes: readonly TemplateNode[];
  readonly uses: readonly FieldUse[];
  /** Where backends are asked for secrets by computed paths. */
  readonly asks: readonly SecretCall[];
  /** Everything wrong with the template that can be known without a value. */
  readonly problems: readonly RenderFault[];
}

/** The names that a template may use. */
export interface KnownNames {
  readonly secrets: ReadonlySet<string>;
  /** Backends that `secret` and `secrets` can ask. */
  readonly backends: AskableBackends;
}

/** Resolves every name of a parsed template. `sourceAt` gives the source text at a location. */
export function analyse(program: Program, known: KnownNames, sourceAt: (loc: Location) => string): Analysis {
  const analyser = new Analyser(known, sourceAt);
  return {
    nodes: analyser.nodes(program),
    uses: analyser.uses,
    asks: analyser.asks,
    problems: analyser.problems.slice(0, MAX_PROBLEMS),
  };
}

const BLOCKS = ['if', 'unless', 'each', 'with'];
const DATA_WORDS = [...LOOP_WORDS.map((word) => `@${word}`), '@root'];
const MAX_BLOCK_PARAMS: Readonly<Record<string, number>> = { if: 0, unless: 0, each: 2, with: 1 };
/** Whoever wrote so many mistakes made one of them everywhere; each costs a search for the name that was meant. */
const MAX_PROBLEMS = 100;
/** The literal `null`. It also takes the place of an expression with a problem, so that analysis finds the next one. */
const NULL: TemplateExpr = { kind: 'literal', value: Secret.null() };

/** One pass over the tree, in the order of the source. Collects problems instead of throwing them. */
class Analyser {
  readonly uses: FieldUse[] = [];
  readonly asks: SecretCall[] = [];
  readonly problems: RenderFault[] = [];
  readonly #known: ReadonlySet<string>;
  readonly #backends: AskableBackends;
  readonly #sourceAt: (loc: Location) => string;
  readonly #scopes: Scope[] = [];

  constructor({ secrets, backends }: KnownNames, sourceAt: (loc: Location) => string) {
    this.#known = secrets;
    this.#backends = backends;
    this.#sourceAt = sourceAt;
  }

  nodes(program: Program | undefined, scope?: Scope): TemplateNode[] {
    const nodes: TemplateNode[] = [];
    if (scope !== undefined) this.#scopes.push(scope);
    for (const statement of program?.body ?? []) {
      if (this.problems.length >= MAX_PROBLEMS) break;
      if (statement.type === 'ContentStatement') {
        if (statement.value !== '') nodes.push(statement.value);
      } else if (statement.type === 'MustacheStatement') nodes.push(this.#mustache(statement));
      else if (statement.type === 'BlockStatement') nodes.push(...this.#block(statement));
      else if (statement.type !== 'CommentStatement') {
        const what = statement.type.startsWith('Partial') ? 'partials' : 'decorators and inline partials';
        this.#problem('TEMPLATE_REFUSED', `${what} are turned off`, undefined, atOf(statement.loc));
      }
    }
    if (scope !== undefined) this.#scopes.pop();
    return nodes;
  }

  #mustache(node: Mustache): TemplateNode {
    const at = atOf(node.loc);
    const { path } = node;
    const isBare = path.type === 'PathExpression' && isBareName(path, this.#scopes);
    if (node.params.length > 0 || node.hash !== undefined || (isBare && HELPERS.has(path.original))) {
      return { kind: 'put', expr: this.#call(node, false), at };
    }
    if (path.type !== 'PathExpression') {
      this.#problem('TEMPLATE_SYNTAX', 'a literal stands where a name belongs', 'Write text outside of {{ }}.', at);
    }
    return { kind: 'put', expr: this.#expr(path, false), at };
  }

  #block(node: Block): TemplateNode[] {
    const at = atOf(node.loc);
    const name = node.path.type === 'PathExpression' ? node.path.original : '';
    if (name === 'raw' && node.openStrip.open === undefined) return this.nodes(node.program);
    if (!BLOCKS.includes(name)) {
      this.#problem('TEMPLATE_UNKNOWN_HELPER', ...this.#noSuchBlock(name, node), at);
      return [];
    }
    const [subject, ...more] = node.params;
    if (subject === undefined || more.length > 0 || node.hash !== undefined) {
      this.#problem('TEMPLATE_BAD_ARGUMENT', `#${name} takes exactly one argument and no options`, undefined, at);
    }
    const params = node.program?.blockParams ?? [];
    if (params.length > (MAX_BLOCK_PARAMS[name] ?? 0)) {
      this.#problem(
        'TEMPLATE_SYNTAX',
        `#${name} gives at most ${MAX_BLOCK_PARAMS[name]} block parameters`,
        undefined,
        at,
      );
    }
    const isTest = name === 'if' || name === 'unless';
    const expr = subject === undefined ? NULL : this.#expr(subject, isTest);
    const body = this.nodes(node.program, isTest ? undefined : { kind: name === 'each' ? 'each' : 'with', params });
    const otherwise = this.nodes(node.inverse);
    if (name === 'if') return [{ kind: 'if', condition: expr, body, otherwise }];
    if (name === 'unless') return [{ kind: 'if', condition: expr, body: otherwise, otherwise: body }];
    if (name === 'each') return [{ kind: 'each', over: expr, body, otherwise, at }];
    return [{ kind: 'with', value: expr, body, otherwise }];
  }

  #noSuchBlock(name: string, { params }: Block): [seen: string, hint: string] {
    const helper = HELPERS.get(name);
    if (helper !== undefined) return [`${name} is a helper, not a block`, `Write {{${helper.usage}}}.`];
    if (params.length === 0) {
      return [`there is no block named "${name}"`, `Write {{#with ${name}}}, {{#each ${name}}} or {{#if ${name}}}.`];
    }
    return [noneNamed('block', name, BLOCKS), `There are ${BLOCKS.map((block) => `#${block}`).join(', ')}.`];
  }

  #expr(node: Expression, guarded: boolean): TemplateExpr {
    if (this.problems.length >= MAX_PROBLEMS) return NULL;
    switch (node.type) {
      case 'PathExpression':
        return this.#path(node, guarded);
      case 'SubExpression':
        return this.#call(node, guarded);
      case 'StringLiteral':
        return { kind: 'literal', value: Secret.text(node.value) };
      case 'NumberLiteral':
        return { kind: 'literal', value: Secret.number(this.#sourceAt(node.loc)) };
      case 'BooleanLiteral':
        return { kind: 'literal', value: Secret.boolean(node.value) };
      default:
        return NULL;
    }
  }

  #call(node: Pick<Mustache, 'path' | 'params' | 'hash' | 'loc'>, guarded: boolean): TemplateExpr {
    const at = atOf(node.loc);
    const isBare = node.path.type === 'PathExpression' && isBareName(node.path, this.#scopes);
    const name = node.path.type === 'PathExpression' ? node.path.original : '';
    if (isBare && isSecretCall(name)) {
      const args = node.params.map((param) => this.#expr(param, false));
      const options = (node.hash?.pairs ?? []).map(({ key, value }) => [key, this.#expr(value, false)] as const);
      const call = analyseSecretCall({ what: name, args, options, at }, this.#backends);
      if ('kind' in call) {
        this.asks.push(call);
        return call;
      }
      this.#problem(call.code, call.seen, call.hint, at);
      return NULL;
    }
    const helper = isBare ? HELPERS.get(name) : undefined;
    if (helper === undefined) {
      const hint = BLOCKS.includes(name) ? `${name} is a block: {{#${name} …}}…{{/${name}}}.` : undefined;
      const seen =
        node.path.type === 'PathExpression'
          ? noneNamed('helper', name, BLOCKS.includes(name) ? [] : HELPERS.keys())
          : 'a literal stands where the name of a helper belongs';
      this.#problem('TEMPLATE_UNKNOWN_HELPER', seen, hint, at);
    }
    // The first argument of `default` may be missing. The second may be missing where the whole call may be.
    const isLogic = ['and', 'or', 'not'].includes(name);
    const mayMiss = (i: number) => isLogic || (['default', 'choose'].includes(name) && (i === 0 || guarded));
    const args = node.params.map((param, i) => this.#expr(param, mayMiss(i)));
    const options = (node.hash?.pairs ?? []).map(({ key, value }) => [key, this.#expr(value, false)] as const);
    if (helper === undefined) return NULL;
    const call: HelperCall = { kind: 'call', name, helper, args, options, at };
    this.problems.push(...problemsOfCall(call));
    return call;
  }

  #path(node: PathExpression, guarded: boolean): TemplateExpr {
    const at = atOf(node.loc);
    const resolved = resolvePath(node, this.#scopes);
    if ('problem' in resolved) return this.#badPath(resolved, at);
    const { start, head, steps } = resolved;
    if (start.from === 'secret') {
      if (!this.#known.has(start.name)) {
        const seen = noneNamed('secret', start.name, this.#known);
        this.#problem('TEMPLATE_UNKNOWN_NAME', seen, undefined, at);
      }
      this.uses.push({ secret: start.name, fields: steps, guarded, at });
    }
    const isShadowed = start.from === 'item' && head === '' && this.#known.has(steps[0] ?? '');
    const dataHint = start.from === 'secret' && steps[0] === 'Data' ? DATA_FIELD_HINT : undefined;
    const hint = isShadowed ? `Inside each and with, the secret is @root.${steps[0]}.` : dataHint;
    return { kind: 'path', start, head, steps, at, ...(hint === undefined ? {} : { hint }) };
  }

  #badPath({ problem, word }: Extract<Resolved, { problem: string }>, at: Position): TemplateExpr {
    if (problem === 'everything') {
      this.#problem(
        'TEMPLATE_REFUSED',
        `${word} would give all secrets at once`,
        'Name the secret that is needed.',
        at,
      );
    } else if (problem === 'unknown word') {
      const hint = `There are ${DATA_WORDS.join(', ')}.`;
      this.#problem('TEMPLATE_UNKNOWN_NAME', noneNamed('variable', word, DATA_WORDS), hint, at);
    } else {
      const seen =
        problem === 'above the top' ? `${word} leads above the outermost scope` : `${word} stands outside of #each`;
      this.#problem('TEMPLATE_UNKNOWN_NAME', seen, undefined, at);
    }
    return NULL;
  }

  #problem(code: Code, seen: string, hint: string | undefined, at: Position): void {
    this.problems.push(new RenderFault(code, seen, { hint, at }));
  }
}

/** The message for a name that none of the candidates has. */
function noneNamed(what: string, name: string, candidates: Iterable<string>): string {
  return thereIsNo(what, name, makeNearest(candidates)(name));
}
