import { call, concat, type Expr, type GoValue, literal, NotKept, numberLiteral } from './expr.ts';
import { type GoFunction, literalText, notKept, ofExprs, toExpr, value } from './function.ts';
import { toJsPattern } from './regexp.ts';

const one = (helper: string, options: Readonly<Record<string, string | number>> = {}): GoFunction =>
  ofExprs(1, (text) => call(helper, [text], options));

const turned = (helper: string): GoFunction => ofExprs(2, (b, a) => call(helper, [a, b]));

const same = (helper: string): GoFunction => ofExprs(2, (a, b) => call(helper, [a, b]));

/** What Go writes for a value is what is written here for numbers and texts. */
const itself: GoFunction = ofExprs(1, (text) => text);

const list: GoFunction = (args) => ({ kind: 'list', items: args });

const item = (which: 'first' | 'last'): GoFunction => {
  return ([whole]) => {
    if (whole?.kind === 'list') {
      const found = which === 'first' ? whole.items[0] : whole.items.at(-1);
      if (found !== undefined) return found;
    }
    return value(call(which, [toExpr(whole ?? { kind: 'nothing' })]));
  };
};

/** The last value that is truthy, or the last. */
const coalesce: GoFunction = (args) =>
  value(args.map(toExpr).reduceRight((rest: Expr, first: Expr) => call('default', [first, rest])));

const quoted = (quote: '"' | "'"): GoFunction => {
  return (args) =>
    value(
      concat(
        args.map(toExpr).flatMap((text, i) => {
          const written = quote === '"' ? [call('quote', [literal('go'), text])] : [literal("'"), text, literal("'")];
          return i === 0 ? written : [literal(' '), ...written];
        }),
      ),
    );
};

const regexMatch: GoFunction = ([pattern, text]) => {
  const { pattern: written, ignoreCase } = toJsPattern(literalText(pattern, 'the pattern of sprig_regexMatch'));
  const options = ignoreCase ? { ignoreCase } : {};
  return value(call('matches', [toExpr(text ?? { kind: 'nothing' }), literal(written)], options));
};

/** `sprig_NAME`, by NAME: those that templates for secrets use. */
const BY_NAME: Readonly<Record<string, GoFunction>> = {
  upper: one('upper'),
  lower: one('lower'),
  title: one('title'),
  trim: one('trim'),
  trimAll: ofExprs(2, (set, text) => call('trim', [text], { characters: literalOf(set) })),
  trimPrefix: turned('trimPrefix'),
  trimSuffix: turned('trimSuffix'),
  nospace: ofExprs(1, (text) => call('replacePattern', [text, literal('\\s+'), literal('')])),
  trunc: ofExprs(2, (length, text) => {
    if (length.kind === 'literal' && /^\d+$/.test(length.text)) {
      return call('part', [text, numberLiteral('0'), length]);
    }
    throw new NotKept('sprig_trunc with a length that is negative or computed', 'Use part.');
  }),
  substr: ofExprs(3, (from, to, text) => call('part', [text, from, to])),
  replace: ofExprs(3, (from, to, text) => call('replace', [text, from, to])),
  contains: turned('contains'),
  hasPrefix: turned('startsWith'),
  hasSuffix: turned('endsWith'),
  quote: quoted('"'),
  squote: quoted("'"),
  cat: (args) => value(concat(args.map(toExpr).flatMap((text, i) => (i === 0 ? [text] : [literal(' '), text])))),
  indent: ofExprs(2, (spaces, text) => replaceLines(spaces, text, false)),
  nindent: ofExprs(2, (spaces, text) => replaceLines(spaces, text, true)),
  b64enc: one('base64encode'),
  b64dec: one('base64decode'),
  sha256sum: one('sha256'),
  sha1sum: one('sha1'),
  toString: itself,
  int: itself,
  int64: itself,
  float64: itself,
  atoi: itself,
  default: ofExprs(2, (other, text) => call('default', [text, other])),
  empty: one('not'),
  coalesce,
  ternary: ofExprs(3, (then, other, test) => call('choose', [test, then, other])),
  toJson: one('json', { escape: 'html' }),
  toPrettyJson: one('json', { indent: 2, escape: 'html' }),
  toRawJson: one('json'),
  fromJson: one('parseJson'),
  join: ofExprs(2, (separator, parts) => call('join', [parts, separator])),
  splitList: ofExprs(2, (separator, text) => call('split', [text, separator])),
  list,
  tuple: list,
  first: item('first'),
  last: item('last'),
  has: ofExprs(2, (part, whole) => call('contains', [whole, part])),
  hasKey: same('contains'),
  get: same('lookup'),
  sortAlpha: one('sort'),
  keys: notKept('sprig_keys', 'Go gives the names in any order: {{#each x}}{{@key}}{{/each}} gives them in theirs.'),
  add: sum('add'),
  sub: same('subtract'),
  mul: sum('multiply'),
  div: same('divide'),
  mod: same('modulo'),
  add1: ofExprs(1, (number) => call('add', [number, numberLiteral('1')])),
  regexMatch,
  urlquery: ofExprs(1, (text) => call('replace', [call('urlencode', [text]), literal('%20'), literal('+')])),
  now: notKept('the time of rendering', 'The file would change each time.'),
  date: notKept('the time of rendering', 'The helper date writes the time in a field.'),
  env: notKept('sprig_env', 'Use env.'),
  randAlphaNum: notKept('a random text', 'The file would change each time: store it as a secret.'),
  uuidv4: notKept('a random text', 'The file would change each time: store it as a secret.'),
  bcrypt: notKept('a hash with a random salt', 'The file would change each time: store the hash.'),
  htpasswd: notKept('a hash with a random salt', 'The file would change each time: store the hash.'),
};

export const SPRIG_FUNCTIONS: Readonly<Record<string, GoFunction>> = Object.fromEntries(
  Object.entries(BY_NAME).map(([name, make]) => [`sprig_${name}`, make]),
);

function sum(helper: 'add' | 'multiply'): GoFunction {
  return ofExprs('any', (...args) => args.reduce((total, next) => call(helper, [total, next])));
}

/** Sprig indents empty lines too. */
function replaceLines(spaces: Expr, text: Expr, isOnNewLine: boolean): Expr {
  if (spaces.kind !== 'literal' || !/^\d{1,3}$/.test(spaces.text)) {
    throw new NotKept('an indent that is computed', 'Write the number of spaces.');
  }
  const margin = ' '.repeat(Number(spaces.text));
  const lines = call('replace', [text, literal('\n'), literal(`\n${margin}`)]);
  return concat([literal(isOnNewLine ? `\n${margin}` : margin), lines]);
}

function literalOf(expr: Expr): string {
  return literalText(value(expr) satisfies GoValue, 'the characters of sprig_trimAll');
}
