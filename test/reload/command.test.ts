import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Emit, Fact } from '../../src/base/fact.ts';
import { createReload } from '../../src/reload/create-reload.ts';
import { useScratch } from '../deliver/file/file-sink.helpers.ts';
import { expectNoLeaks } from '../faults/leaks.ts';
import { fileAppears } from '../process/children.helpers.ts';

const scratch = useScratch();
expectNoLeaks();
const never = new AbortController().signal;
const place = 'outputs.shop.reload[0].command';
const agent = { PATH: '/usr/bin:/bin', HOME: '/root', VAULT_TOKEN: 'hvs.agent', BAO_TOKEN: 's.agent' };

function reloadBy(argv: readonly string[], timeoutMs = 10_000, captureOutput = false, emit: Emit = () => {}) {
  const config = { kind: 'command', argv, timeoutMs, captureOutput, place } as const;
  const output = { name: 'shop', dir: '/run/secrets/shop' };
  return createReload(config, output, agent, undefined, undefined, emit);
}

describe('a reload by command', () => {
  it('is done when the command ends with 0, which knows output, directory and generation but no login', async () => {
    const path = join(scratch(), 'env');
    const reload = reloadBy(['sh', '-c', `env > ${path}`]);
    expect([reload.kind, reload.place]).toEqual(['command', place]);
    expect(await reload.run(12, never)).toBeUndefined();
    const env = readFileSync(path, 'utf8').split('\n');
    expect(env).toEqual(
      expect.arrayContaining([
        'PANNIER_OUTPUT=shop',
        'PANNIER_DIR=/run/secrets/shop',
        'PANNIER_GENERATION=12',
        'HOME=/root',
      ]),
    );
    expect(env.filter((line) => line.includes('agent'))).toEqual([]);
  });

  it.each<[readonly string[], string, string]>([
    [['sh', '-c', 'exit 3'], 'RELOAD_COMMAND_FAILED', 'sh ended with status 3'],
    [['sh', '-c', 'kill -KILL $$'], 'RELOAD_COMMAND_FAILED', 'sh was ended by SIGKILL'],
    [['/no/such/program', '--token=hunter2'], 'RELOAD_COMMAND_MISSING', '/no/such/program cannot be started (ENOENT)'],
    [['/etc/passwd'], 'RELOAD_COMMAND_MISSING', '/etc/passwd cannot be started (EACCES)'],
  ])('%j is %s', async (argv, code, seen) => {
    expect(await reloadBy(argv).run(1, never)).toMatchObject({ code, place, seen, retry: 'backoff' });
  });

  it('that takes too long is RELOAD_COMMAND_TIMEOUT', async () => {
    expect(await reloadBy(['sleep', '30'], 200).run(1, never)).toMatchObject({
      code: 'RELOAD_COMMAND_TIMEOUT',
      seen: 'sleep did not end within 200ms',
    });
  });

  it('that ends because the agent stops is CANCELLED', async () => {
    const stop = new AbortController();
    const running = reloadBy(['sleep', '30']).run(1, stop.signal);
    setTimeout(() => stop.abort(), 100);
    expect((await running)?.code).toBe('CANCELLED');
  });

  it('has failures that show neither an argument nor what the command printed', async () => {
    const failures = [
      await reloadBy(['sh', '-c', 'echo canary; echo canary >&2; exit 1', 'canary']).run(1, never),
      await reloadBy(['sh', '-c', 'canary\0']).run(1, never),
      await reloadBy(['sh', '-c', 'echo canary; sleep 30'], 100).run(1, never),
    ];
    expect(failures.map((failed) => failed?.code)).toEqual([
      'RELOAD_COMMAND_FAILED',
      'RELOAD_COMMAND_MISSING',
      'RELOAD_COMMAND_TIMEOUT',
    ]);
    expect(JSON.stringify(failures)).not.toContain('canary');
  });

  it.each<[string, string, readonly string[]]>([
    [
      'the last lines of standard error',
      'echo out; for i in $(seq 12); do echo line $i >&2; done; exit 1',
      lines(3, 12),
    ],
    ['nothing when the command printed nothing', 'exit 1', []],
    ['nothing when the command succeeded', 'echo fine >&2', []],
    ['no control characters', 'printf "a\\033[2Kb\\tc\\n" >&2; exit 1', ['a?[2Kb c']],
    ['the end of a long line', 'head -c 9999 /dev/zero | tr "\\0" x >&2; exit 1', ['x'.repeat(4096)]],
    ['what was printed before the time limit', 'echo slow >&2; sleep 30', ['slow']],
  ])('with captureOutput emits %s', async (_title, script, expected) => {
    const facts: Fact[] = [];
    await reloadBy(['sh', '-c', script], 1_000, true, (fact) => facts.push(fact)).run(3, never);
    const fact = { kind: 'reload-output', output: 'shop', generation: 3, place, lines: expected };
    expect(facts).toEqual(expected.length === 0 ? [] : [fact]);
  });

  it('fails at once while a background process keeps standard error open, and that process may still write', async () => {
    const dir = scratch();
    const facts: Fact[] = [];
    const script = `echo why >&2; (while [ ! -e ${dir}/go ]; do sleep 0.05; done; echo more >&2 && touch ${dir}/wrote) & exit 1`;
    await reloadBy(['sh', '-c', script], 10_000, true, (fact) => facts.push(fact)).run(3, never);
    expect(facts).toMatchObject([{ lines: ['why'] }]);
    writeFileSync(join(dir, 'go'), '');
    expect(await fileAppears(join(dir, 'wrote'))).toBe(true);
  });
});

function lines(from: number, to: number): readonly string[] {
  return Array.from({ length: to - from + 1 }, (_, at) => `line ${from + at}`);
}
