import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import type { Choice } from '../../src/cli/choice.ts';
import { createProgram } from '../../src/cli/program.ts';
import { quickChoice } from '../../src/cli/quick-choice.ts';

const HOT = ['init', 'run', 'exec', 'validate', 'get', 'status'];

/** Words that command lines are made of, and some that are not meant for one. */
const WORDS = [
  ...['-c', '--config', '-ca.yaml', '-c=a.yaml', '--config=a.yaml', '--config=', 'a.yaml', ''],
  ...['--timeout', '--timeout=5s', '--timeout=soon', '5s', '--socket', '--socket=/s', '--json', '--json=true'],
  ...[
    '--watch',
    '--no-watch',
    '--',
    '-',
    '-1',
    '-h',
    '--help',
    '-V',
    '--version',
    'help',
    'init',
    '-cV',
    '-jc',
    '--conf',
  ],
];

/** What commander makes of it; undefined when it refuses it, or prints help or the version instead. */
async function byCommander(argv: readonly string[]): Promise<Choice | undefined> {
  let choice: Choice | undefined;
  const program = createProgram((chosen) => {
    choice = chosen;
  });
  for (const command of [program, ...program.commands]) {
    command.configureOutput({ writeOut: () => {}, writeErr: () => {} });
  }
  await program.parseAsync([...argv], { from: 'user' }).catch((error: unknown) => {
    if (!(error instanceof CommanderError)) throw error;
    choice = undefined;
  });
  return choice;
}

describe('quickChoice', () => {
  it.each([
    [
      'init -c a.yaml -c b.d --timeout 10s',
      { command: 'init', options: { config: ['a.yaml', 'b.d'], timeoutMs: 10_000 } },
    ],
    ['init', { command: 'init', options: { config: [], timeoutMs: 60_000 } }],
    ['run --config=a.yaml', { command: 'run', options: { config: ['a.yaml'] } }],
    ['exec -c a -- app -c x', { command: 'exec', options: { config: ['a'], command: ['app', '-c', 'x'] } }],
    ['validate a.yaml -c b b.d', { command: 'validate', options: { config: ['b', 'a.yaml', 'b.d'] } }],
    ['validate -ca', { command: 'validate', options: { config: ['a'] } }],
    [
      'get db.password --socket /s --json',
      { command: 'get', name: 'db.password', options: { config: [], socket: '/s', json: true } },
    ],
    ['status --watch', { command: 'status', options: { config: [], json: false, watch: true } }],
  ])('reads %s', (line, choice) => {
    expect(quickChoice(line.split(' '))).toEqual(choice);
  });

  it.each(['', 'render', 'probe live', 'schema', 'demo', 'init --help', '--version', 'help run', 'run now', 'get'])(
    'leaves "%s" to commander',
    (line) => {
      expect(quickChoice(line.split(' '))).toBeUndefined();
    },
  );

  it('finds what commander finds in each command line that it reads', async () => {
    const tails = [[], ...WORDS.map((one) => [one]), ...WORDS.flatMap((one) => WORDS.map((other) => [one, other]))];
    const three = tails.filter((_, index) => index % 7 === 0).flatMap((tail) => WORDS.map((word) => [...tail, word]));
    let count = 0;
    for (const argv of HOT.flatMap((command) => [...tails, ...three].map((tail) => [command, ...tail]))) {
      const choice = quickChoice(argv);
      if (choice === undefined) continue;
      count += 1;
      expect(await byCommander(argv), argv.join(' ')).toEqual(choice);
    }
    expect(count).toBeGreaterThan(1_000);
  });
});
