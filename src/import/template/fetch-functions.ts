import { call, type Expr, type GoValue, isConcat, NotKept } from './expr.ts';
import { type FunctionContext, type GoFunction, literalText, toExpr, value } from './function.ts';
import { withoutData } from './wanted-secrets.ts';

/** `KEY=VALUE` of `secret` and `pkiCert`. */
function dataOf(args: readonly GoValue[]): ReadonlyMap<string, string> {
  return new Map(
    args.map((arg) => {
      const text = knownText(toExpr(arg));
      if (text === undefined) {
        throw new NotKept('a parameter of a secret is computed', 'Write it as it is, or with the variable of env.');
      }
      const at = text.indexOf('=');
      if (at === -1) throw new NotKept('a parameter of a secret has no =', 'Write "name=value".');
      return [text.slice(0, at), text.slice(at + 1)] as const;
    }),
  );
}

/** The text of literals and of variables of the environment, which a configuration may hold; else undefined. */
function knownText(expr: Expr): string | undefined {
  if (expr.kind === 'literal') return expr.text.replaceAll('${', '$${');
  if (expr.kind === 'input') return expr.source;
  if (!isConcat(expr)) return undefined;
  const parts = expr.args.map(knownText);
  return parts.every((part) => part !== undefined) ? parts.join('') : undefined;
}

const secret: GoFunction = ([path, ...data], { secrets }) => {
  if (path === undefined) throw new NotKept('secret is called without a path', 'Write secret "secret/app".');
  const expr = toExpr(path);
  const known = knownText(expr);
  if (known !== undefined) {
    return { kind: 'answer', secret: secrets.want(known, data.length === 0 ? 'get' : 'write', dataOf(data)) };
  }
  if (data.length > 0) {
    throw new NotKept('secret writes to a computed path', 'Name the path, or configure each secret with write.');
  }
  return { kind: 'computed', part: 'answer', expr: call('secret', isConcat(expr) ? expr.args : [expr]) };
};

/** The names below a path. */
const secrets: GoFunction = ([path]) => {
  if (path === undefined) throw new NotKept('secrets is called without a path', 'Write secrets "secret/".');
  const expr = toExpr(path);
  const [first, ...more] = isConcat(expr) ? expr.args : [expr];
  if (first?.kind === 'literal') {
    const clean = { ...first, text: withoutData(`${first.text}${more.length === 0 ? '/' : ''}`) };
    return value(
      call('secrets', [more.length === 0 ? { ...clean, text: clean.text.replace(/\/+$/, '') } : clean, ...more]),
    );
  }
  return value(call('secrets', first === undefined ? [] : [first, ...more]));
};

const pkiCert: GoFunction = ([path, ...data], { secrets: wanted }) => {
  const known = path === undefined ? undefined : knownText(toExpr(path));
  if (known === undefined) throw new NotKept('the path of pkiCert is computed', 'Write it in quotes.');
  return { kind: 'pki', secret: wanted.want(known, 'pki', dataOf(data)) };
};

function variable(name: string, { input }: FunctionContext): GoValue {
  return value(input(`\${env:${name}}`, [name.toLowerCase()]));
}

export const FETCH_FUNCTIONS: Readonly<Record<string, GoFunction>> = {
  secret,
  secrets,
  pkiCert,
  env: ([name], context) => {
    context.differs('a variable that is not set is an error here, and was an empty text');
    return variable(literalText(name, 'the name of a variable'), context);
  },
  mustEnv: ([name], context) => variable(literalText(name, 'the name of a variable'), context),
  envOrDefault: () => {
    throw new NotKept(
      'envOrDefault: a variable here has no default',
      'Set the variable always and use env, or write the value.',
    );
  },
  file: ([path], { input, differs }) => {
    const name = literalText(path, 'the path of file');
    differs('a line end at the end of a file is taken off here; the file is read when the configuration is');
    return value(input(`\${file:${name}}`, name.split('/')));
  },
  writeToFile: () => {
    throw new NotKept('writeToFile is a part of an expression', 'Write it as the last call of a tag of its own.');
  },
};
