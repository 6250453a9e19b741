import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Pipeline } from '../../src/agent/pipeline.ts';
import { createWatches } from '../../src/lease/watches.ts';
import { createWorld, keep, kv, planFrom, scratchFolder, startKv } from './agent.helpers.ts';

async function start(config: object) {
  const world = createWorld();
  const pipeline = keep(new Pipeline(world.context));
  await pipeline.apply(await planFrom(config));
  pipeline.secrets.startWatching(createWatches);
  return { ...world, pipeline };
}

const text = (dir: string, file: string) => readFileSync(join(dir, file), 'utf8');

/** An output `name` in a directory of its own that writes the password of one secret. */
function outputOf(dir: string, name: string, secret: string, more: object = {}): object {
  return { [name]: { dir: join(dir, name), files: { f: { content: `{{${secret}.password}}` } }, ...more } };
}

/** Expects that the output `good` of `config` takes a change up while something else in `config` is in trouble. */
async function expectGoodGoesOn(kvServer: Awaited<ReturnType<typeof startKv>>, dir: string, config: object) {
  const { until, of } = await start(config);
  await until('output-published', ({ output }) => output === 'good');
  kvServer.put({ good: '2' });
  await until('reload-done', ({ output }) => output === 'good');
  expect(text(dir, 'good/f')).toBe('2');
  return of;
}

describe('the pipeline', () => {
  it('ten secrets changed together are one generation and one reload, although one alone was due', async () => {
    const names = Array.from({ length: 10 }, (_, i) => `s${i}`);
    const all = (value: string) => Object.fromEntries(names.map((name) => [name, value]));
    const server = await startKv(all('1'));
    const dir = scratchFolder();
    const { until, of } = await start({
      backends: { bao: server.backend },
      secrets: Object.fromEntries(names.map((name, i) => [name, kv(name, i === 0 ? {} : { refresh: '24h' })])),
      outputs: {
        o: {
          dir: join(dir, 'o'),
          files: Object.fromEntries(names.map((name) => [name, { content: `{{${name}.password}}` }])),
          reload: [{ command: { argv: ['/bin/sh', '-c', `echo told >> ${join(dir, 'told')}`] } }],
        },
      },
    });
    await until('output-published');
    server.put(all('2'));
    await until('reload-done');
    await pause(500);
    expect(names.map((name) => text(dir, `o/${name}`))).toEqual(names.map(() => '2'));
    expect(of('output-published').map(({ generation }) => generation)).toEqual([1, 2]);
    expect(text(dir, 'told')).toBe('told\n');
  });

  it('while the backend is down the last good files stay', async () => {
    const server = await startKv({ app: '1' });
    const dir = scratchFolder();
    const { until, pipeline, of } = await start({
      backends: { bao: server.backend },
      secrets: { app: kv('app', { maxStale: '300ms' }) },
      outputs: outputOf(dir, 'o', 'app'),
    });
    await until('output-published');
    server.trouble('reset');
    await until('secret-state', ({ state }) => state === 'expired');
    expect([text(dir, 'o/f'), pipeline.secrets.entryOf('app')?.state]).toEqual(['1', 'expired']);
    expect(of('output-published').length).toBe(1);
  });

  it('a secret without an answer holds up no output but its own', async () => {
    const server = await startKv({ good: '1', bad: '1' });
    server.trouble('silent', 'bad');
    const dir = scratchFolder();
    const of = await expectGoodGoesOn(server, dir, {
      backends: { bao: server.backend },
      secrets: { good: kv('good'), bad: kv('bad') },
      outputs: {
        ...outputOf(dir, 'bad', 'bad'),
        ...outputOf(dir, 'good', 'good', { reload: [{ command: { argv: ['/bin/true'] } }] }),
      },
    });
    expect(of('output-published').map(({ output }) => output)).toEqual(['good', 'good']);
  });

  it('an output that cannot be written holds up no other', async () => {
    const server = await startKv({ good: '1' });
    const dir = scratchFolder();
    writeFileSync(join(dir, 'bad'), 'no directory');
    const of = await expectGoodGoesOn(server, dir, {
      backends: { bao: server.backend },
      secrets: { good: kv('good') },
      outputs: {
        ...outputOf(dir, 'bad', 'good'),
        ...outputOf(dir, 'good', 'good', { reload: [{ command: { argv: ['/bin/true'] } }] }),
      },
    });
    expect(of('output-failed').map(({ output, failure }) => `${output} ${failure.code}`)).toContain(
      'bad OUTPUT_OCCUPIED',
    );
  });

  it('a reload that hangs holds up no other output', async () => {
    const server = await startKv({ good: '1' });
    const dir = scratchFolder();
    const hang = { reloadOnFirst: true, reload: [{ command: { argv: ['/bin/sleep', '60'], timeout: '1m' } }] };
    const of = await expectGoodGoesOn(server, dir, {
      backends: { bao: server.backend },
      secrets: { good: kv('good') },
      outputs: {
        ...outputOf(dir, 'bad', 'good', hang),
        ...outputOf(dir, 'good', 'good', { reload: [{ command: { argv: ['/bin/true'] } }] }),
      },
    });
    expect(of('reload-done').map(({ output }) => output)).toEqual(['good']);
  });

  it('an optional secret whose first fetch fails is absent and holds nothing up', async () => {
    const server = await startKv({ app: '1' });
    server.trouble(403, 'extra');
    const dir = scratchFolder();
    const { until, pipeline } = await start({
      backends: { bao: server.backend },
      secrets: { app: kv('app'), extra: kv('extra', { optional: true }) },
      outputs: {
        o: {
          dir: join(dir, 'o'),
          files: { f: { content: '{{app.password}}{{#if extra}}{{extra.password}}{{else}} alone{{/if}}' } },
        },
      },
    });
    await until('output-published');
    expect([text(dir, 'o/f'), pipeline.secrets.entryOf('extra')?.state]).toEqual(['1 alone', 'absent']);
  });
});
