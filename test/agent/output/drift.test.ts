import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { run } from '../../../src/agent/run.ts';
import { program, startProgram } from '../../deliver/file/file-sink.helpers.ts';
import { numbers } from '../../lease/lease.helpers.ts';
import { createWorld, keep, planFrom, scratchFolder } from '../agent.helpers.ts';

/** A running agent with an output `o` of one file `f`, which is the secret. */
async function running(value: string, output: (dir: string) => object = () => ({})) {
  const dir = scratchFolder();
  const put = (value: string) => {
    writeFileSync(join(dir, 'new'), JSON.stringify({ app: { text: value } }));
    renameSync(join(dir, 'new'), join(dir, 'secrets.json'));
  };
  put(value);
  const plan = await planFrom({
    backends: { demo: { kind: 'file', path: join(dir, 'secrets.json') } },
    secrets: { app: { key: 'app', refresh: '1h' } },
    outputs: { o: { dir: join(dir, 'o'), files: { f: { content: '{{app.text}}' } }, ...output(dir) } },
  });
  const world = createWorld();
  const stop = new AbortController();
  const ended = run(plan, world.context, { signal: stop.signal, stop: () => stop.abort() });
  keep({
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await ended;
    },
  });
  await world.until('output-published');
  const read = (name = 'o/f') => (existsSync(join(dir, name)) ? readFileSync(join(dir, name), 'utf8') : undefined);
  /** Resolves when a generation above this one is published. */
  const untilAbove = (generation: number) => world.until('output-published', (one) => one.generation > generation);
  return { ...world, dir, put, read, untilAbove };
}

const withReload = (dir: string) => ({
  reload: [{ command: { argv: ['sh', '-c', 'cat "$1/o/f" >> "$1/taken"', 'reload', dir] } }],
});

describe('an output that another process has changed', () => {
  it('is published anew, and the application is reloaded', async () => {
    const { dir, of, until, read, untilAbove } = await running('one', withReload);
    appendFileSync(join(dir, 'o/f'), 'more');
    await untilAbove(1);
    await until('reload-done');
    expect([read(), read('taken')]).toEqual(['one', 'one']);
    expect(of('output-drifted')).toMatchObject([
      { output: 'o', failure: { code: 'OUTPUT_DRIFTED', seen: 'f has other bytes' }, restoreInMs: 0 },
    ]);
  });

  it('is not reloaded for a mode or an owner: no reader has met other bytes', async () => {
    const { dir, until, of, put, read, untilAbove } = await running('one', withReload);
    chmodSync(join(dir, 'o/f'), 0o444);
    await untilAbove(1);
    put('two');
    await untilAbove(2);
    await until('reload-done');
    expect([of('reload-done').map(({ generation }) => generation), read('taken')]).toEqual([[3], 'two']);
  });

  it('is left as it is with drift: report, until a value changes', async () => {
    const { dir, until, of, put, read, untilAbove } = await running('one', () => ({ drift: 'report' }));
    const before = of('output-published').length;
    appendFileSync(join(dir, 'o/f'), 'more');
    await until('output-drifted');
    expect([read(), of('output-published').length]).toEqual(['onemore', before]);
    put('two');
    await untilAbove(1);
    expect(read()).toBe('two');
  });

  it('is put right from the generation before while newer values are held back, as after a rollback', async () => {
    const { dir, until, put, read, untilAbove, of } = await running('good', (dir) => ({
      reload: [{ command: { argv: ['true'] } }],
      verify: { command: { argv: ['grep', '-q', 'good', join(dir, 'o/f')] }, within: '300ms' },
    }));
    put('bad');
    await until('output-rolled-back');
    await until('reload-done', ({ generation }) => generation === 3);
    appendFileSync(join(dir, 'o/f'), 'more');
    await untilAbove(3);
    expect([read(), of('output-published').at(-1)?.generation]).toEqual(['good', 4]);
    put('good again');
    await untilAbove(4);
    expect(read()).toBe('good again');
  });

  it('is told of while newer values fail their check and the published bytes are nowhere else, and heals with them', async () => {
    const { dir, until, put, read, untilAbove, of } = await running('good', () => ({
      check: { command: { argv: ['grep', '-q', 'good', '{dir}/f'] } },
    }));
    put('bad');
    await until('output-failed');
    appendFileSync(join(dir, 'o/f'), 'more');
    await until('output-drifted');
    expect([read(), of('output-published').length]).toEqual(['goodmore', 1]);
    put('good again');
    await untilAbove(1);
    expect(read()).toBe('good again');
  });

  it('by 200 edits at random: no reader sees a mix of generations, and the last one is put right', async () => {
    const names = ['a', 'b', 'sub/c'];
    const files = Object.fromEntries(names.map((name) => [name, { content: '{{app.text}}' }]));
    const body = (number: number) => `${number} ${'x'.repeat((number * 37) % 300)}.`;
    const { dir, put, read, until } = await running(body(1), () => ({ files }));
    const o = join(dir, 'o');
    const reader = startProgram(program('read-edited.ts'), { dir: o, names });
    const printed = text(reader.stdout);
    const random = numbers(7);
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
    const edits: readonly ((name: string) => void)[] = [
      (name) => appendFileSync(join(o, name), 'EDIT'),
      (name) => writeFileSync(join(o, name), 'EDIT'),
      (name) => chmodSync(join(o, name), 0o666),
      (name) => unlinkSync(join(o, '..data', name)),
      (name) => {
        unlinkSync(join(o, name.slice(0, 1)));
        writeFileSync(join(o, name.slice(0, 1)), 'EDIT');
      },
      () => unlinkSync(join(o, '..data')),
      () => {
        unlinkSync(join(o, '..data'));
        symlinkSync('elsewhere', join(o, '..data'));
      },
      () => rmSync(join(o, '..data/sub'), { recursive: true }),
      () => writeFileSync(join(o, '..data/more'), 'EDIT'),
      () => rmSync(o, { recursive: true, force: true }),
      () => {
        rmSync(o, { recursive: true, force: true });
        mkdirSync(o);
      },
    ];
    let newest = 1;
    for (let edit = 0; edit < 200; edit++) {
      try {
        pick(edits)(pick(names));
      } catch {
        // What it would have changed is gone, or changes right now.
      }
      if (edit % 25 === 0) put(body(++newest));
      await pause(10);
    }
    const heals = async () => {
      const end = performance.now() + 30_000;
      while (!names.every((name) => read(`o/${name}`) === body(newest))) {
        if (performance.now() > end) throw new Error(`not healed: ${names.map((name) => read(`o/${name}`)).join()}`);
        await pause(50);
      }
    };
    await heals();
    // The newest value may have come after the last of the edits. After this one none comes.
    unlinkSync(join(o, '..data'));
    await heals();
    await until('output-drifted');
    reader.stdin.end();
    await once(reader, 'exit');
    const seen = JSON.parse(await printed);
    expect(seen.mixed).toEqual([]);
    expect(Math.min(seen.whole, seen.edited, seen.missing, seen.generations - 1)).toBeGreaterThan(0);
  }, 90_000);
});
