import { type Cut, cutIn } from './cut.ts';

const parser = cutIn('src/import/hcl/parser.ts');
const keys = cutIn('src/import/config/keys.ts');
const rest = cutIn('src/import/config/rest.ts');
const print = cutIn('src/import/template/print.ts');
const show = cutIn('src/cli/import/show-comparison.ts');
const agent = cutIn('src/import/compare/agent-config.ts');
const wire = cutIn('src/deliver/aws/create-aws-agent.ts');
const named = cutIn('src/deliver/aws/on-demand.ts');
const kept = cutIn('src/deliver/aws/on-demand-values.ts');

export const MOVING_IN: readonly Cut[] = [
  parser(
    'import-modes',
    "return { kind: 'number', text: token.text, at };",
    "return { kind: 'number', text: String(Number(token.text)), at };",
  ),
  keys('import-answers', "'vault.ca_path', 'vault.ssl.ca_path'", "'vault.ssl.ca_path'"),
  rest('import-answers', 'else if (known === undefined) {', 'else if (known === null) {', { by: 'without a word' }),
  print(
    'import-bytes',
    'if (endsLine(parts, i - 1, isRoot) && beginsLine(body, 0, false)) text += GUARD;',
    'if (endsLine(parts, i - 1, isRoot) && beginsLine(body, 9, false)) text += GUARD;',
  ),
  parser(
    'import-no-values',
    "if (kind === 'string') return 'a text';",
    "if (kind === 'string') return String(arguments[0].text);",
  ),
  show('import-no-values', 'options.reveal === true ? undefined : (masked ?? new Uint8Array())', 'undefined', {
    by: 'with marks',
  }),
  cutIn('src/import/marks.ts')(
    'import-not-valid',
    'if (problems.length === 0) return',
    'if (problems.length >= 0) return',
    {
      by: 'are not valid while',
    },
  ),
  agent('import-harmless', "value: { kind: 'bool', value: false, at } }", "value: { kind: 'bool', value: true, at } }"),
  wire('aws-agent-wire', "API_TOKEN: textReply(403, 'Bad Token'),", ''),
  cutIn('src/backend/aws/source/as-stored.ts')(
    'aws-agent-wire',
    'return stages?.includes(versionStage ?? CURRENT) === true;',
    'return stages !== undefined;',
    { by: 'at the end of the ttl' },
  ),
  named('aws-on-demand-allowed', 'if (!this.mayRead(secretId)) return', 'if (secretId === undefined) return'),
  cutIn('src/deliver/aws/allowed-names.ts')(
    'aws-on-demand-allowed',
    'one.isArn ? arns.some(one.matches) : one.matches(name)));',
    'one.isArn ? one.mayName(name) : one.matches(name)));',
    { by: 'with the ARN' },
  ),
  cutIn('src/config/sections/listeners/resolve-aws.ts')(
    'aws-on-demand-allowed',
    'if (allow.length === 0 && (parameters ?? []).length === 0) {',
    'if (allow === null) {',
    { by: 'nobody allowed' },
  ),
  kept('aws-on-demand-kept', 'if (this.#kept.size > this.#options.maxEntries &&', 'if (this.#kept.size > 9_999 &&'),
  kept('aws-on-demand-kept', 'if (this.#isTooOld(kept)) this.#kept.delete(key);', '', { by: 'not confirmed' }),
  kept(
    'aws-on-demand-kept',
    'if (!refreshNow) return await flight.done;',
    'if (!refreshNow) return await this.#begin(key, false, reads);',
    {
      by: 'read once',
    },
  ),
  kept(
    'aws-on-demand-kept',
    "code.startsWith('SECRET_')) this.#kept.delete(key);",
    "code === 'CANCELLED') this.#kept.delete(key);",
    {
      by: 'refuses them',
    },
  ),
  cutIn('src/deliver/api/audit.ts')(
    'aws-on-demand-audited',
    "this.#lineOf('read-on-demand', 'done', { secret, version });",
    "this.#lineOf('read-on-demand', 'done', { version });",
  ),
];
