import {
  BUILTIN_TEMPLATES,
  type BuiltinTemplate,
  builtinText,
} from '../../src/config/sections/outputs/builtin-templates.ts';
import { HELPERS } from '../../src/render/helpers/index.ts';
import { QUOTINGS } from '../../src/render/text/quoting.ts';

/** What each target of quote is shown for. */
const QUOTED = `it's <é> & b`;

/** What the file of a builtin is usually called. */
const USUAL_NAMES: Readonly<Record<string, string>> = {
  dotenv: 'app.env',
  json: 'app.json',
  properties: 'app.properties',
  'systemd-env': 'shop.env',
  spring: 'application.yaml',
  appsettings: 'appsettings.json',
  pgpass: '.pgpass',
  'my-cnf': '.my.cnf',
  redis: 'auth.conf',
  'nginx-tls': 'tls.pem',
  'ssh-key': 'id_shop',
  'aws-credentials': 'credentials',
  'docker-config': 'config.json',
  kubeconfig: 'kubeconfig',
  htpasswd: '.htpasswd',
};

const BUILTIN_TABLE = '| builtin | what it writes | fields | example |';
const HELPER_TABLE = '| helper | what it gives | example | result |';
const QUOTING_TABLE = '| target | what it writes | result |';

/** docs/templates.md with its tables as the code has them; everything else is kept from `current`. */
export function templatesPage(current: string): string {
  const helpers = [...HELPERS.values()].map(
    ({ usage, does, example: [template, gives] }) =>
      `| ${cell(usage)} | ${does} | ${cell(template)} | ${cell(gives)} |`,
  );
  const targets = Object.entries(QUOTINGS).map(
    ([name, { does, quote }]) => `| ${cell(name)} | ${does} | ${cell(quote(QUOTED) ?? '')} |`,
  );
  const builtins = [...BUILTIN_TEMPLATES].map(
    ([name, builtin]) =>
      `| ${cell(name)} | ${aboutBuiltin(name)} | ${fieldsOf(builtin)} | ${cell(exampleOf(name, builtin))} |`,
  );
  const page = withRows(withRows(current, HELPER_TABLE, helpers), QUOTING_TABLE, targets);
  return withRows(page, BUILTIN_TABLE, builtins);
}

/** A file of an output, in YAML. */
export const exampleOf = (name: string, { input }: BuiltinTemplate): string =>
  `${USUAL_NAMES[name]}: { template: builtin:${name}, with: { ${input}: ${input === 'app' ? 'shop' : `shop-${input}`} } }`;

/** The first sentence of the template's first line, a comment that goes on with what it is made of. */
function aboutBuiltin(name: string): string {
  const [, about] = /^\{\{! (.+?)\.? Made of .* \}\}\n/.exec(builtinText(name)) ?? [];
  if (about === undefined)
    throw new Error(`${name}.hbs does not begin with a comment: what it is, and what it is made of`);
  return about;
}

function fieldsOf({ input, fields, optional = [] }: BuiltinTemplate): string {
  if (fields === undefined) return `any of ${cell(input)}`;
  const all = fields.map((field) => cell(`${input}.${field}`)).join(', ');
  return optional.length === 0 ? all : `${all}; may be missing: ${optional.map(cell).join(', ')}`;
}

const cell = (text: string): string => `\`${text.replaceAll('\n', '⏎')}\``;

/** Replaces the rows below a table's head and its rule. */
function withRows(page: string, head: string, rows: readonly string[]): string {
  const lines = page.split('\n');
  const start = lines.indexOf(head) + 2;
  if (start === 1) throw new Error(`no table begins with ${head}`);
  const length = lines.slice(start).findIndex((line) => !line.startsWith('|'));
  return [...lines.slice(0, start), ...rows, ...lines.slice(start + length)].join('\n');
}
