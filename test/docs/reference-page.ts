import type { Argument, Command } from 'commander';
import { BACKEND_KINDS } from '../../src/backend/registry.ts';
import { createProgram } from '../../src/cli/program.ts';
import { exportJsonSchema } from '../../src/config/json-schema.ts';
import { type JsonSchema, walkKeys } from '../../src/config/json-schema-shape.ts';
import { loadWords } from '../../src/config/words/all-words.ts';

type Schema = JsonSchema & {
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
};

const INTRO = `# Reference

Made by \`npm run docs\` from the command line, from the schema of the configuration (\`pannier schema\` prints it for editors)
and from the defaults and first words of \`pannier explain KEY\`. [Configuration](configuration.md) has the rest of each key's
story.
`;

/** docs/reference.md, made from the command line, the schema and the words of `pannier explain`. */
export async function referencePage(): Promise<string> {
  const keys = new Map<string, Set<string>>();
  walkKeys((await exportJsonSchema(BACKEND_KINDS)) as Schema, (path, schema) => {
    keys.set(path, (keys.get(path) ?? new Set()).add(wordsOf(schema)));
  });
  const rows = Object.entries(await loadWords(BACKEND_KINDS)).sort(([one], [other]) => (one < other ? -1 : 1));
  const table = rows.map(([key, { default: standard = '', does }]) => {
    const types = keys.get(key) ?? new Set(['*not yet supported*']);
    return `| \`${key}\` | ${[...types].filter((one) => !isOneOf(one, types)).join(' or ')} | ${standard} | ${types.has('*not yet supported*') ? '' : firstWords(does)} |`;
  });
  const commands = createProgram(() => {}).commands.map(commandPart);
  const parts = [INTRO, '## Commands\n', ...commands, '## Configuration keys\n'];
  return `${parts.join('\n')}\n| key | type | default | |\n| --- | --- | --- | --- |\n${table.join('\n')}\n`;
}

function commandPart(command: Command): string {
  const usage = `pannier ${command.name()} ${command.usage()}`;
  const taken = command.registeredArguments.map(
    (one) =>
      `| \`${argumentOf(one)}\` | ${cell(one.description)}${one.argChoices ? `: ${one.argChoices.join(', ')}` : ''} |`,
  );
  const given = taken.length === 0 ? '' : `| argument | |\n| --- | --- |\n${taken.join('\n')}\n\n`;
  const options = command.createHelp().visibleOptions(command);
  const rows = options.map(({ flags, description, defaultValueDescription }) => {
    const standard = defaultValueDescription === undefined ? '' : ` (default: ${defaultValueDescription})`;
    return `| \`${cell(flags)}\` | ${cell(description)}${standard} |`;
  });
  return `### ${command.name()}\n\n\`${usage}\`: ${command.description()}.\n\n${given}| option | |\n| --- | --- |\n${rows.join('\n')}\n`;
}

/** An argument as the usage line writes it. */
function argumentOf(one: Argument): string {
  const name = `${one.name()}${one.variadic ? '...' : ''}`;
  return one.required ? `<${name}>` : `[${name}]`;
}

/** Whether `type` is one value of a longer list: the key that decides between maps has it too. */
const isOneOf = (type: string, types: ReadonlySet<string>): boolean =>
  [...types].some((other) => other !== type && other.split(', ').includes(type));

function wordsOf(schema: Schema): string {
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum !== undefined) return schema.enum.map((one) => `\`${one}\``).join(', ');
  const options = schema.anyOf ?? (schema.type === undefined ? schema.oneOf : undefined);
  if (options !== undefined) return [...new Set(options.map(wordsOf))].join(' or ');
  if (schema.type === 'object') return 'map';
  if (schema.type === 'array') return `list of ${wordsOf(schema.items ?? {})}`;
  if (schema.type === 'integer') return `integer${rangeOf(schema)}`;
  if (schema.pattern?.includes('ms|s|m|h|d')) return 'duration';
  if (schema.pattern?.includes('[0-7]{3}')) return 'mode';
  const types = schema.type ?? [];
  return (
    (typeof types === 'string' ? [types] : types).map((type) => (type === 'string' ? 'text' : type)).join(', ') || 'any'
  );
}

/** The bounds of a number, but not those that only say that it is not negative or fits 32 bits. */
function rangeOf({ minimum, maximum }: Schema): string {
  if (minimum === undefined) return '';
  return maximum === undefined || maximum > 1e9 ? ` from ${minimum}` : ` from ${minimum} to ${maximum}`;
}

/** The text up to the first full stop or semicolon outside backquotes and brackets. */
function firstWords(meaning: string): string {
  let depth = 0;
  let isCode = false;
  for (const [at, letter] of [...meaning].entries()) {
    if (letter === '`') isCode = !isCode;
    else if ('([{'.includes(letter)) depth++;
    else if (')]}'.includes(letter)) depth--;
    const ends = letter === ';' || (letter === '.' && meaning[at + 1] === ' ');
    if (ends && !isCode && depth === 0 && at > 12) return meaning.slice(0, at);
  }
  return meaning;
}

const cell = (text: string): string => text.replaceAll('|', '\\|');
