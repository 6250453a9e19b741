import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { init } from '../../../src/agent/init.ts';
import { run } from '../../../src/agent/run.ts';
import type { Fact } from '../../../src/base/fact.ts';
import { createWorld, keep, planFrom, scratchFolder } from '../agent.helpers.ts';

/** A check that passes what holds the word good, and records what it was shown. */
const GOOD_ONLY = ['sh', '-c', 'cat "$1/f" >> "$2/checked"; grep -q good "$1/f"', 'check', '{dir}'];

/** An application: it has what was published when it was last reloaded, and answers well while that is good. */
const APPLICATION = {
  reload: (dir: string) => [{ command: { argv: ['cp', join(dir, 'o/f'), join(dir, 'taken')] } }],
  verify: (dir: string) => ({ command: { argv: ['grep', '-q', 'good', join(dir, 'taken')] }, within: '300ms' }),
};

async function start(value: string, output: (dir: string) => object, dir = scratchFolder()) {
  const put = (text: string) => writeFileSync(join(dir, 'secrets.json'), JSON.stringify({ app: { text } }));
  put(value);
  mkdirSync(join(dir, 'o'), { recursive: true });
  const plan = await planFrom({
    backends: { demo: { kind: 'file', path: join(dir, 'secrets.json') } },
    secrets: { app: { key: 'app', refresh: '1h' } },
    outputs: { o: { dir: join(dir, 'o'), files: { f: { content: '{{app.text}}' } }, ...output(dir) } },
  });
  const world = createWorld();
  const read = (name = 'o/f') => (existsSync(join(dir, name)) ? readFileSync(join(dir, name), 'utf8') : undefined);
  return { ...world, dir, put, read, plan };
}

async function running(value: string, output: (dir: string) => object, dir?: string) {
  const setUp = await start(value, output, dir);
  const stop = new AbortController();
  const ended = run(setUp.plan, setUp.context, { signal: stop.signal, stop: () => stop.abort() });
  const end = async () => {
    stop.abort();
    await ended;
  };
  keep({ [Symbol.asyncDispose]: end });
  return { ...setUp, end };
}

const withCheck = (dir: string) => ({ check: { command: { argv: [...GOOD_ONLY, dir] } } });
const withVerify = (dir: string) => ({ reload: APPLICATION.reload(dir), verify: APPLICATION.verify(dir) });
const codeOf = ({ failure }: Extract<Fact, { kind: 'output-failed' | 'output-rolled-back' }>) => failure.code;

describe('a check of candidates', () => {
  it('keeps the published generation while it fails, and publishes what is good again', async () => {
    const { until, of, put, read, dir } = await running('good 1', withCheck);
    await until('output-published');
    put('bad');
    await until('output-failed');
    expect([of('output-failed').map(codeOf)[0], read(), of('output-published').length]).toEqual([
      'OUTPUT_CHECK_FAILED',
      'good 1',
      1,
    ]);
    const names = readdirSync(join(dir, 'o')).filter((name) => name !== '..statement'); // written when nothing else is due
    expect(names.sort()).toEqual(['..data', '..g1', '..owner', '..reloaded', 'f']);
    put('good 2');
    await until('output-published', ({ generation }) => generation > 1);
    expect(read()).toBe('good 2');
    expect(read('checked')).toMatch(/^good 1(bad)+good 2$/);
  });

  it('that hangs delays no newer values: it is ended when they come', async () => {
    const hangs = 'cat "$1/f" >> "$2/checked"; grep -q good "$1/f" || sleep 600';
    const check = (dir: string) => ({ check: { command: { argv: ['sh', '-c', hangs, 'check', '{dir}', dir] } } });
    const { until, of, put, read } = await running('good 1', check);
    await until('output-published');
    put('slow');
    await expect.poll(() => read('checked')).toBe('good 1slow');
    put('good 2');
    await until('output-published', ({ generation }) => generation > 1);
    expect([read(), of('output-failed')]).toEqual(['good 2', []]);
  });

  it('is not ended twice in a row, so that values which change faster than they are checked are published', async () => {
    const waits = 'cat "$1/f" >> "$2/checked"; until [ -e "$2/open" ]; do sleep 0.02; done';
    const check = (dir: string) => ({ check: { command: { argv: ['sh', '-c', waits, 'check', '{dir}', dir] } } });
    const { until, of, put, read, dir } = await running('1', check);
    await expect.poll(() => read('checked')).toBe('1');
    put('2');
    await expect.poll(() => read('checked')).toBe('12');
    put('3');
    await until('secret-changed', () => of('secret-changed').length === 3);
    writeFileSync(join(dir, 'open'), '');
    await until('output-published', () => read() === '3');
    expect([of('output-published').length, read('checked')]).toEqual([2, '123']);
  });

  it('is tried again by itself, since what it failed for may be outside', async () => {
    const gate = (dir: string) => ({ check: { command: { argv: ['test', '-e', join(dir, 'open')] } } });
    const { until, of, put, read, dir } = await running('good 1', gate);
    await until('output-failed');
    expect([of('output-failed').map(codeOf)[0], read()]).toEqual(['OUTPUT_CHECK_FAILED', undefined]);
    writeFileSync(join(dir, 'open'), '');
    await until('output-published');
    const failed = of('output-failed').length;
    rmSync(join(dir, 'open'));
    put('good 2');
    await until('output-failed', () => of('output-failed').length > failed);
    expect(read()).toBe('good 1');
    writeFileSync(join(dir, 'open'), '');
    await until('output-published', () => of('output-published').length === 2);
    expect(read()).toBe('good 2');
  });

  it.each([
    [{ argv: ['sleep', '60'], timeout: '50ms' }, 'sleep did not end within 50ms'],
    [{ argv: ['/no/such/program'] }, '/no/such/program cannot be started (ENOENT)'],
    [{ argv: ['sh', '-c', 'exit 3'] }, 'sh ended with status 3'],
  ])('says why it failed: %j', async (command, seen) => {
    const { plan, context } = await start('good', () => ({ check: { command } }));
    const failures = await init(plan, context, { timeoutMs: 5_000, signal: new AbortController().signal });
    expect(failures).toMatchObject([{ code: 'OUTPUT_CHECK_FAILED', place: 'outputs.o.check', seen }]);
  });

  it.each([
    ['removes it', 'rm -rf "$1"'],
    ['removes a file of it', 'rm "$1/f"'],
    ['changes a file of it', 'chmod u+w "$1/f"; echo x > "$1/f"; chmod 0400 "$1/f"'],
    ['adds a file to it', 'echo x > "$1/g"'],
    ['changes a mode of it', 'chmod 0444 "$1/f"'],
  ])('that passes and %s publishes nothing', async (_, script) => {
    const argv = ['sh', '-c', `test "$(cat "$1/f")" = 1 || { ${script}; }`, 'check', '{dir}'];
    const { until, of, put, read } = await running('1', () => ({ check: { command: { argv } } }));
    await until('output-published');
    put('2');
    await until('output-failed');
    expect(of('output-failed')[0]?.failure).toMatchObject({
      code: 'OUTPUT_CHECK_FAILED',
      place: 'outputs.o.check',
      seen: 'the check has changed or removed the candidate',
    });
    expect([read(), of('output-published').length]).toEqual(['1', 1]);
  });

  it('fails init when the newest values are not published, although older ones are', async () => {
    const { end, dir, until } = await running('good', withCheck);
    await until('output-published');
    await end();
    const next = await start('bad', withCheck, dir);
    const failures = await init(next.plan, next.context, { timeoutMs: 5_000, signal: new AbortController().signal });
    expect(failures.map(({ code }) => code)).toEqual(['OUTPUT_CHECK_FAILED']);
    expect(next.read()).toBe('good');
  });
});

describe('a verification', () => {
  it('that fails after a reload publishes the generation before again, and reloads it', async () => {
    const { until, of, put, read } = await running('good 1', withVerify);
    await until('output-published');
    put('bad');
    await until('output-rolled-back');
    await until('reload-done');
    expect(of('output-rolled-back').map(({ generation, held }) => [generation, held])).toEqual([[3, 2]]);
    expect([read(), read('taken')]).toEqual(['good 1', 'good 1']);
    put('good 2');
    await until('output-published', ({ generation }) => generation === 4);
    await until('reload-done', ({ generation }) => generation === 4);
    expect([read(), read('taken')]).toEqual(['good 2', 'good 2']);
  });

  it('holds the bad generation back until its values change, also in the next process', async () => {
    const { until, end, put, dir } = await running('good 1', withVerify);
    await until('output-published');
    put('bad');
    await until('reload-done', ({ generation }) => generation === 3);
    await end();
    const next = await running('bad', withVerify, dir);
    await next.until('output-rendered');
    await next.until('secret-changed');
    next.put('bad'); // the file is written again, with the same value
    expect([next.read(), next.of('output-published')]).toEqual(['good 1', []]);
    next.put('good 2');
    await next.until('reload-done');
    expect([next.read(), next.of('output-rolled-back')]).toEqual(['good 2', []]);
    expect(readFileSync(join(dir, 'o/..reloaded'), 'utf8').split('\n')[0]).toBe('4');
  });

  it('holds the bad generation back no longer when others are published, although a check refused some between', async () => {
    const noUgly = (dir: string) => ({
      ...withVerify(dir),
      check: { command: { argv: ['sh', '-c', '! grep -q ugly "$1/f"', 'check', '{dir}'] } },
    });
    const { until, put, read } = await running('good 1', noUgly);
    await until('output-published');
    put('bad');
    await until('reload-done', ({ generation }) => generation === 3);
    put('ugly');
    await until('output-failed');
    put('good 2');
    await until('reload-done', ({ generation }) => generation > 3);
    expect(read()).toBe('good 2');
    put('bad');
    await until('output-rolled-back', ({ held }) => held > 3);
  });

  it('holds the bad generation back when its values come back, until the published ones were the newest again', async () => {
    const noUgly = (dir: string) => ({
      ...withVerify(dir),
      check: { command: { argv: ['sh', '-c', '! grep -q ugly "$1/f"', 'check', '{dir}'] } },
    });
    const { until, of, put, read } = await running('good 1', noUgly);
    await until('output-published');
    put('bad');
    await until('reload-done', ({ generation }) => generation === 3);
    put('ugly');
    await until('output-failed');
    const [changes, renders] = [of('secret-changed').length, of('output-rendered').length];
    put('bad');
    await until('secret-changed', () => of('secret-changed').length > changes);
    await until('output-rendered', () => of('output-rendered').length > renders);
    put('good 1');
    await until('output-unchanged');
    expect([read(), of('output-published').length, of('output-rolled-back').length]).toEqual(['good 1', 2, 1]);
    put('bad');
    await until('output-rolled-back', ({ held }) => held > 3);
  });

  it('of the very first generation is not asked for: no application has read it', async () => {
    const { until, of, read } = await running('bad', withVerify);
    await until('reload-skipped');
    expect([read(), of('output-rolled-back')]).toEqual(['bad', []]);
  });

  it('is asked again and again until the application answers well', async () => {
    const counting = (dir: string) => ({
      verify: { command: { argv: ['sh', '-c', `echo >> ${dir}/asked; test "$(wc -l < ${dir}/asked)" -ge 3`] } },
    });
    const { until, of, put, read } = await running('good 1', counting);
    await until('output-published');
    put('good 2');
    await until('reload-done');
    expect([read('asked'), of('output-rolled-back'), of('reload-failed')]).toEqual(['\n\n\n', [], []]);
  });

  it('that fails where nothing was published before is a reload that failed', async () => {
    const never = () => ({ reloadOnFirst: true, verify: { command: { argv: ['false'] }, within: '1s' } });
    const { plan, context, read } = await start('good', never);
    const failures = await init(plan, context, { timeoutMs: 5_000, signal: new AbortController().signal });
    expect(failures).toMatchObject([
      {
        code: 'OUTPUT_VERIFY_FAILED',
        place: 'outputs.o.verify',
        seen: 'not verified within 1s: false ended with status 1',
      },
    ]);
    expect(read()).toBe('good');
  });

  it('that fails for the generation before too goes no further back', async () => {
    const { until, of, put, read } = await running('1', (dir) => ({
      reload: APPLICATION.reload(dir),
      verify: { command: { argv: ['false'] }, within: '50ms' },
    }));
    await until('output-published');
    put('2');
    await until('reload-failed', ({ generation }) => generation === 3);
    expect([of('output-rolled-back').length, read()]).toEqual([1, '1']);
  });
});
