import { KNOWN_ANNOTATIONS } from '../../src/import/annotations/known.ts';
import { KNOWN_KEYS, type KnownKey } from '../../src/import/config/keys.ts';
import { convertTemplate } from '../../src/import/template/convert.ts';
import { FUNCTIONS } from '../../src/import/template/functions.ts';
import { printTemplate } from '../../src/import/template/print.ts';
import { Names, WantedSecrets } from '../../src/import/template/wanted-secrets.ts';

/** docs/import.md with the tables of the code; everything else stays as it is in `current`. */
export function importPage(current: string): string {
  const keys = KNOWN_KEYS.filter(({ key }) => !key.startsWith('env_template.'));
  const options = table(
    'there',
    keys.map(({ key, ...rest }) => ({ ...rest, name: key })),
  );
  const annotations = table('annotation', KNOWN_ANNOTATIONS);
  return withTable(
    withTable(withTable(current, 'options', options), 'functions', functionTable()),
    'annotations',
    annotations,
  );
}

interface Row {
  readonly name: string;
  readonly is: KnownKey['is'];
  readonly here: string;
}

/** A row for the names that follow each other and have one answer. */
function table(head: string, rows: readonly Row[]): string {
  const groups: { names: string[]; answer: string }[] = [];
  for (const { name, is, here } of rows) {
    const answer = is === 'converted' ? here : is === 'no place' ? `no place here: ${here}` : `not there: ${here}`;
    const last = groups.at(-1);
    if (last?.answer === answer) last.names.push(name);
    else groups.push({ names: [name], answer });
  }
  const lines = groups.map(({ names, answer }) => `| ${names.map((name) => `\`${name}\``).join(', ')} | ${answer} |`);
  return [`| ${head} | here |`, '| --- | --- |', ...lines].join('\n');
}

/** A call of each function that has an answer, on the fields of a secret. */
export const FUNCTION_EXAMPLES: Readonly<Record<string, string>> = {
  secret: '(secret "secret/data/app").Data.data.key',
  secrets: 'range secrets "secret/metadata/apps/"',
  pkiCert: '(pkiCert "pki/issue/shop" "common_name=shop.svc").Cert',
  env: 'env "STAGE"',
  mustEnv: 'mustEnv "STAGE"',
  envOrDefault: 'envOrDefault "STAGE" "test"',
  file: 'file "/etc/x"',
  writeToFile: '.x | writeToFile "/run/x" "" "" "0600"',
  and: 'and .x .y',
  or: 'or .x "d"',
  not: 'if not .x',
  eq: 'if eq .x "a" "b"',
  ne: 'if ne .x "a"',
  lt: 'if lt .x 5',
  le: 'if le .x 5',
  gt: 'if gt .x 5',
  ge: 'if ge .x 5',
  index: 'index .x "a-b"',
  len: 'len .x',
  slice: 'slice .x 0 8',
  print: 'print .x "-" .y',
  println: 'println .x',
  printf: 'printf "%s:%q" .x .y',
  urlquery: '.x | urlquery',
  trim: '.x | trim "/"',
  trimPrefix: '.x | trimPrefix "a"',
  trimSuffix: '.x | trimSuffix "a"',
  replaceAll: '.x | replaceAll "a" "b"',
  regexMatch: 'if .x | regexMatch "^a"',
  regexReplaceAll: '.x | regexReplaceAll "(a)" "${1}b"',
  split: 'range .x | split ","',
  join: '.x | join ","',
  indent: '.x | indent 4',
  contains: 'if .x | contains "a"',
  in: 'if in .x "a"',
  hmacSHA256Hex: 'hmacSHA256Hex .x .key',
  add: '.x | add 1',
  subtract: '.x | subtract 1',
  multiply: '.x | multiply 2',
  divide: '.x | divide 2',
  modulo: '.x | modulo 2',
  minimum: 'minimum .x .y',
  maximum: 'maximum .x .y',
  sprig_trimAll: '.x | sprig_trimAll "/"',
  sprig_trimPrefix: '.x | sprig_trimPrefix "a"',
  sprig_trimSuffix: '.x | sprig_trimSuffix "a"',
  sprig_trunc: '.x | sprig_trunc 8',
  sprig_substr: 'sprig_substr 0 8 .x',
  sprig_replace: '.x | sprig_replace "a" "b"',
  sprig_contains: 'if sprig_contains "a" .x',
  sprig_hasPrefix: 'if sprig_hasPrefix "a" .x',
  sprig_hasSuffix: 'if sprig_hasSuffix "a" .x',
  sprig_cat: 'sprig_cat .x .y',
  sprig_indent: '.x | sprig_indent 4',
  sprig_nindent: '.x | sprig_nindent 4',
  sprig_default: '.x | sprig_default "d"',
  sprig_coalesce: 'sprig_coalesce .x .y',
  sprig_ternary: 'sprig_ternary "a" "b" .x',
  sprig_join: '.x | sprig_join ","',
  sprig_splitList: 'range .x | sprig_splitList ","',
  sprig_list: 'range sprig_list "a" "b"',
  sprig_tuple: 'range sprig_tuple "a" "b"',
  sprig_has: 'if .x | sprig_has "a"',
  sprig_hasKey: 'if sprig_hasKey .x "a"',
  sprig_get: 'sprig_get .x "a"',
  sprig_add: 'sprig_add .x 1',
  sprig_sub: 'sprig_sub .x 1',
  sprig_mul: 'sprig_mul .x 2',
  sprig_div: 'sprig_div .x 2',
  sprig_mod: 'sprig_mod .x 2',
  sprig_regexMatch: 'if .x | sprig_regexMatch "^a"',
};

/** What the converter itself makes of an example of each function; those without an answer are named by the reason. */
function functionTable(): string {
  const kept: string[] = [];
  const reasons = new Map<string, string[]>();
  for (const name of Object.keys(FUNCTIONS).sort((a, b) => (order(a) < order(b) ? -1 : 1))) {
    const example = FUNCTION_EXAMPLES[name] ?? `.x | ${name}`;
    const { text, problem } = converted(example);
    if (problem === undefined) kept.push(`| ${cell(`{{ ${example} }}`)} | ${text} |`);
    else reasons.set(problem, [...(reasons.get(problem) ?? []), name]);
  }
  const refused = [...reasons].map(
    ([reason, names]) => `| ${names.map((name) => `\`${name}\``).join(', ')} | ${reason} |`,
  );
  const head = (one: string, other: string) => [`| ${one} | ${other} |`, '| --- | --- |'];
  return [
    ...head('Go template, `.x` for a field of `app`', 'here'),
    ...kept,
    '',
    ...head('not kept', 'why, and what to do'),
    ...refused,
  ].join('\n');
}

const order = (name: string): string => (name.startsWith('sprig_') ? `~${name}` : name.toLowerCase());

function converted(example: string): { readonly text: string; readonly problem?: string } {
  const body = example.startsWith('range ') ? '{{ . }}' : '…';
  const block = /^(?:if|range) /.test(example) ? `{{ ${example} }}${body}{{ end }}` : `{{ ${example} }}`;
  const secrets = new WantedSecrets(new Names());
  const whole = `{{ with secret "secret/data/app" }}{{ with .Data.data }}${block}{{ end }}{{ end }}`;
  const { parts, problems, inputs, files } = convertTemplate(whole, secrets);
  const [problem] = problems;
  if (problem !== undefined) {
    // The name stands beside it.
    const seen = problem.seen.replace(/^\w+(?:: |, |$)/, (name) =>
      example.includes(name.replace(/\W+$/, '')) ? '' : name,
    );
    return { text: '', problem: seen === '' ? problem.todo : `${seen}. ${problem.todo}` };
  }
  const beside = [...inputs].map(([name, source]) => `, with ${cell(`values: { ${name}: "${source}" }`)}`).join('');
  const file = files.map(({ path, parts: own }) => `${cell(printTemplate(own))} as the file \`${path}\``).join('');
  return { text: file === '' ? `${cell(printTemplate(parts))}${beside}` : file };
}

const cell = (text: string): string => `\`${text.replaceAll('\n', '⏎').replaceAll('|', '\\|')}\``;

/** Puts a table behind its mark, in the place of the lines that are there. */
function withTable(page: string, mark: string, lines: string): string {
  const start = page.indexOf(`<!-- ${mark} -->`);
  if (start === -1) throw new Error(`docs/import.md has no mark for ${mark}`);
  const head = page.slice(0, start);
  const rest = page.slice(start);
  const next = rest.indexOf('\n## ');
  return `${head}<!-- ${mark} -->\n\n${lines}\n${next === -1 ? '' : rest.slice(next)}`;
}
