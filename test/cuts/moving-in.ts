import { type Cut, cutIn } from './cut.ts';

const parser = cutIn('src/import/hcl/parser.ts');
const keys = cutIn('src/import/config/keys.ts');
const rest = cutIn('src/import/config/rest.ts');
const print = cutIn('src/import/template/print.ts');
const show = cutIn('src/cli/import/show-comparison.ts');
const agent = cutIn('src/import/compare/agent-config.ts');

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
  agent('import-harmless', "value: { kind: 'bool', value: false, at } }", "value: { kind: 'bool', value: true, at } }"),
];
