import { boolLiteral, call, concat, type Expr, type GoValue, literal, NotKept, numberLiteral, step } from './expr.ts';
import { FETCH_FUNCTIONS } from './fetch-functions.ts';
import { type GoFunction, literalText, notKept, ofExprs, toExpr, value } from './function.ts';
import { print, printf } from './printf.ts';
import { toJsPattern, toJsReplacement } from './regexp.ts';
import { SPRIG_FUNCTIONS } from './sprig-functions.ts';

const CONSUL = notKept(
  'a function of Consul or Nomad',
  'Pannier reads secrets only: keep consul-template for this file.',
);
const CLOCK = notKept(
  'the time of rendering',
  'The file would change each time. The helper date writes the time in a field.',
);

/** Whole answers of secrets and parsed texts: Go writes and visits the names of a map in their order. */
export function sorted(expr: Expr): Expr {
  if (expr.kind !== 'call') return expr;
  if (expr.helper === 'parseJson' || expr.helper === 'parseYaml') {
    return { ...expr, options: { ...expr.options, sorted: true } };
  }
  if (expr.helper !== 'lookup') return expr;
  return { ...expr, args: expr.args.map((arg, i) => (i === 0 ? sorted(arg) : arg)) };
}

const json = (options: Readonly<Record<string, string | number>>): GoFunction =>
  ofExprs(1, (one) => call('json', [sorted(one)], options));

/** `eq a b c` is true when a is b or c. */
function equal(args: readonly Expr[]): Expr {
  const [first, ...others] = args;
  if (first === undefined || others.length === 0) throw new NotKept('eq takes two values or more', 'Correct the call.');
  // Some templates are made from others, and compare what is known.
  if (args.every((arg) => arg.kind === 'literal')) return boolLiteral(others.some((other) => isSame(first, other)));
  const tests = others.map((other) => call('eq', [first, other]));
  return tests.length === 1 ? (tests[0] as Expr) : call('or', tests);
}

const isSame = (one: Expr, other: Expr): boolean =>
  one.kind === 'literal' && other.kind === 'literal' && one.text === other.text;

/** A number of Go in a comparison. */
const compare = (helper: string): GoFunction => ofExprs(2, (one, other) => call(helper, [one, other]));

/** `f b a`, so that a pipeline reads `a | f b`. */
const turned = (helper: string): GoFunction => ofExprs(2, (b, a) => call(helper, [a, b]));

/** `index X a b` is X[a][b]. */
const index: GoFunction = ([subject, ...keys]) => {
  if (subject === undefined) throw new NotKept('index is called without a value', 'Correct the call.');
  return keys.reduce<GoValue>((from, key) => {
    if (key.kind === 'expr' && key.expr.kind === 'literal') return fieldOf(from, key.expr.text);
    return value(call('lookup', [toExpr(from), toExpr(key)]));
  }, subject);
};

/** `.NAME` of a value. @throws NotKept */
export function fieldOf(from: GoValue, name: string): GoValue {
  switch (from.kind) {
    case 'answer':
      if (name === 'Data') return value({ kind: 'secret', secret: from.secret, steps: [] });
      throw new NotKept(`.${name} of the answer of a secret`, 'The agent takes care of leases: remove it.');
    case 'computed':
      if (from.part === 'answer') {
        if (name === 'Data') return { ...from, part: 'data' };
        throw new NotKept(`.${name} of the answer of a secret`, 'The agent takes care of leases: remove it.');
      }
      if (name === 'metadata') {
        throw new NotKept('the metadata of a secret at a computed path', 'Name the secret by a path that is known.');
      }
      return value(name === 'data' ? from.expr : step(from.expr, name));
    case 'pki':
      return pkiField(from, name);
    case 'expr':
      return value(step(from.expr, name));
    case 'list': {
      const item = from.items[Number(name)];
      if (item === undefined) throw new NotKept('a position that the list does not have', 'Correct the position.');
      return item;
    }
    case 'nothing':
      throw new NotKept(`.${name} stands outside of any block, where the dot is nothing`, 'Name a secret.');
  }
}

const PKI_FIELDS: Readonly<Record<string, string>> = { Cert: 'certificate', Key: 'private_key', CA: 'issuing_ca' };

/** Each PEM of `pkiCert` ends with a line end. */
function pkiField(from: GoValue & { kind: 'pki' }, name: string): GoValue {
  if (name === 'Data') return from;
  const field = PKI_FIELDS[name];
  if (field === undefined) throw new NotKept(`.${name} of pkiCert`, 'Use .Cert, .Key and .CA.');
  return value(concat([{ kind: 'secret', secret: from.secret, steps: [field] }, literal('\n')]));
}

const or: GoFunction = (args) => value(args.map(toExpr).reduceRight((rest, one) => call('default', [one, rest])));

const and: GoFunction = (args) => {
  const exprs = args.map(toExpr);
  return value(exprs.reduceRight((rest, one) => call('choose', [one, rest, one])));
};

/** The functions of Go's template language and of consul-template that have an answer here; others are unknown. */
export const FUNCTIONS: Readonly<Record<string, GoFunction>> = {
  ...FETCH_FUNCTIONS,
  ...SPRIG_FUNCTIONS,
  // ---- Go
  and,
  or,
  not: ofExprs(1, (one) => call('not', [one])),
  eq: ofExprs('any', (...args) => equal(args)),
  ne: compare('ne'),
  lt: compare('lt'),
  le: compare('le'),
  gt: compare('gt'),
  ge: compare('ge'),
  index,
  len: ofExprs(1, (one) => call('size', [one])),
  slice: (args) => {
    const [text, from = numberLiteral('0'), to] = args.map(toExpr);
    if (text === undefined) throw new NotKept('slice is called without a value', 'Correct the call.');
    return value(call('part', [text, from, to ?? call('size', [text])]));
  },
  print: ofExprs('any', (...args) => print(args)),
  println: ofExprs('any', (...args) =>
    concat([...args.flatMap((one, i) => (i === 0 ? [one] : [literal(' '), one])), literal('\n')]),
  ),
  printf: ofExprs('any', (format, ...args) => printf(format, args)),
  urlquery: ofExprs(1, (one) => call('replace', [call('urlencode', [one]), literal('%20'), literal('+')])),
  html: notKept('escaping for HTML by html', 'The helper quote "xml" writes other, equal escapes.'),
  js: notKept('escaping for JavaScript by js', 'The helper quote "json" writes a text of JavaScript.'),
  call: notKept('call', 'There are no functions in values.'),
  // ---- texts
  toLower: ofExprs(1, (one) => call('lower', [one])),
  toUpper: ofExprs(1, (one) => call('upper', [one])),
  toTitle: ofExprs(1, (one) => call('title', [one])),
  trim: ofExprs(2, (set, text) => call('trim', [text], { characters: plainOption(set) })),
  trimSpace: ofExprs(1, (one) => call('trim', [one])),
  trimPrefix: turned('trimPrefix'),
  trimSuffix: turned('trimSuffix'),
  replaceAll: ofExprs(3, (from, to, text) => call('replace', [text, from, to])),
  regexMatch: ([pattern, text], _) => value(matches(literalText(pattern, 'the pattern of regexMatch'), text)),
  regexReplaceAll: ([pattern, to, text]) =>
    value(replacePattern(literalText(pattern, 'the pattern of regexReplaceAll'), to, text)),
  split: ofExprs(2, (separator, text) => call('split', [call('trim', [text]), separator])),
  join: turned('join'),
  indent: ofExprs(2, (spaces, text) => call('indent', [spaces, text])),
  contains: ofExprs(2, (part, whole) => call('contains', [whole, part])),
  in: ofExprs(2, (whole, part) => call('contains', [whole, part])),
  base64Encode: ofExprs(1, (one) => call('base64encode', [one])),
  base64Decode: ofExprs(1, (one) => call('base64decode', [one])),
  base64URLEncode: ofExprs(1, (one) => call('base64encode', [one], { url: true })),
  base64URLDecode: ofExprs(1, (one) => call('base64decode', [one])),
  sha256Hex: ofExprs(1, (one) => call('sha256', [one])),
  md5sum: ofExprs(1, (one) => call('md5', [one])),
  hmacSHA256Hex: ofExprs(2, (message, key) => call('hmac', [key, message])),
  // ---- values
  toJSON: json({ escape: 'html' }),
  toJSONPretty: json({ indent: 2, escape: 'html' }),
  toUnescapedJSON: json({}),
  toUnescapedJSONPretty: json({ indent: 2 }),
  toYAML: ([one], { differs }) => {
    if (one === undefined) throw new NotKept('toYAML is called without a value', 'Correct the call.');
    differs('toYAML puts quotes around texts here: YAML readers read the same values');
    return value(call('yaml', [sorted(toExpr(one))]));
  },
  parseJSON: ofExprs(1, (one) => call('parseJson', [one])),
  parseYAML: ofExprs(1, (one) => call('parseYaml', [one])),
  parseInt: ofExprs(1, (one) => one),
  parseUint: ofExprs(1, (one) => one),
  parseFloat: ofExprs(1, (one) => one),
  parseBool: ([text]) => value(matches('^(1|t|T|TRUE|true|True)$', text)),
  add: turned('add'),
  subtract: turned('subtract'),
  multiply: turned('multiply'),
  divide: turned('divide'),
  modulo: turned('modulo'),
  minimum: ofExprs(2, (b, a) => call('choose', [call('lt', [a, b]), a, b])),
  maximum: ofExprs(2, (b, a) => call('choose', [call('gt', [a, b]), a, b])),
  // ---- what is not kept
  timestamp: CLOCK,
  toTOML: notKept('toTOML', 'Write the file line by line: the helper quote "toml" writes a value.'),
  loop: notKept('loop', 'Write the lines one by one.'),
  executeTemplate: notKept('executeTemplate', 'Use template instead.'),
  scratch: notKept('scratch', 'Use a variable, $x := ….'),
  plugin: notKept('plugin, which runs a program', 'Run the program before the agent, and read its file.'),
  sockaddr: notKept('sockaddr', 'Put the address beside the template: values: { ip: "${env:IP}" }.'),
  explode: CONSUL,
  explodeMap: notKept('explodeMap', 'Store the secret as nested maps.'),
  mergeMap: notKept('mergeMap', 'Format dotenv, json and yaml take several secrets: from: [a, b].'),
  mergeMapWithOverride: notKept(
    'mergeMapWithOverride',
    'Format dotenv, json and yaml take several secrets: from: [a, b].',
  ),
  splitToMap: notKept('splitToMap', 'Store the secret as a map.'),
  containsAll: notKept('containsAll', 'Call contains for each.'),
  containsAny: notKept('containsAny', 'Call contains for each.'),
  containsNone: notKept('containsNone', 'Call contains for each.'),
  containsNotAll: notKept('containsNotAll', 'Call contains for each.'),
  spew_dump: notKept('spew_dump', 'Remove it: no helper shows values for debugging.'),
  spew_printf: notKept('spew_printf', 'Remove it: no helper shows values for debugging.'),
  spew_sdump: notKept('spew_sdump', 'Remove it: no helper shows values for debugging.'),
  spew_sprintf: notKept('spew_sprintf', 'Remove it: no helper shows values for debugging.'),
  ...Object.fromEntries(
    [
      ...['datacenters', 'exportedServices', 'importedServices', 'key', 'keyExists', 'keyOrDefault', 'ls', 'safeLs'],
      ...['node', 'nodes', 'partitions', 'peerings', 'service', 'connect', 'services', 'tree', 'safeTree', 'caRoots'],
      ...['caLeaf', 'nomadServices', 'nomadService', 'nomadVarList', 'nomadVarListSafe', 'nomadVar', 'nomadVarExists'],
      ...['byKey', 'byPort', 'byTag', 'byMeta'],
    ].map((name) => [name, CONSUL]),
  ),
};

/** A literal text for an option of a helper. */
function plainOption(expr: Expr): string {
  if (expr.kind === 'literal' && !/["\\]/.test(expr.text)) return expr.text;
  throw new NotKept('the characters of trim are computed, or have a quote or a backslash', 'Use replace.');
}

function matches(pattern: string, text: GoValue | undefined): Expr {
  if (text === undefined) throw new NotKept('regexMatch is called without a text', 'Correct the call.');
  const { pattern: written, ignoreCase } = toJsPattern(pattern);
  return call('matches', [toExpr(text), literal(written)], ignoreCase ? { ignoreCase } : {});
}

function replacePattern(pattern: string, to: GoValue | undefined, text: GoValue | undefined): Expr {
  if (text === undefined) throw new NotKept('regexReplaceAll is called without a text', 'Correct the call.');
  const { pattern: written, ignoreCase } = toJsPattern(pattern);
  const replacement = toJsReplacement(literalText(to, 'the replacement of regexReplaceAll'));
  return call(
    'replacePattern',
    [toExpr(text), literal(written), literal(replacement)],
    ignoreCase ? { ignoreCase } : {},
  );
}
