import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { namesTogether } from '../../src/agent/output/wants.ts';
import { Pipeline } from '../../src/agent/pipeline.ts';
import { createRenderer } from '../../src/render/renderer.ts';
import { createWorld, keep, kv, planFrom, scratchFolder, startKv } from './agent.helpers.ts';

const OUTPUTS = 50;
const SECRETS = 4;

/** Secrets that are fetched all the time; the others only when a secret of the same output has changed. */
const POLLED = ['common', 's7x0'];

/** Outputs `o0`, `o1` and so on, each with secrets of its own and with `common`, which all of them need. */
async function start() {
  const numbers = [...Array(OUTPUTS).keys()];
  const own = (i: number) => Array.from({ length: SECRETS }, (_, j) => `s${i}x${j}`);
  const names = ['common', ...numbers.flatMap(own)];
  const server = await startKv(Object.fromEntries(names.map((name) => [name, '1'])));
  const dir = scratchFolder();
  const plan = await planFrom({
    backends: { bao: server.backend },
    secrets: Object.fromEntries(
      names.map((name) => [name, kv(name, { refresh: POLLED.includes(name) ? '100ms' : '24h' })]),
    ),
    outputs: Object.fromEntries(
      numbers.map((i) => [
        `o${i}`,
        { dir: join(dir, `o${i}`), files: { f: { format: 'json', from: ['common', ...own(i)] } } },
      ]),
    ),
  });
  const world = createWorld();
  const rendered = new Map<string, number>();
  const counted = plan.outputs.map(({ renderer, output, ...rest }) => ({
    ...rest,
    output,
    renderer: {
      ...renderer,
      render: (...args: Parameters<typeof renderer.render>) => {
        rendered.set(output.name, (rendered.get(output.name) ?? 0) + 1);
        return renderer.render(...args);
      },
    },
  }));
  const serve = { stop: () => {}, reloadConfig: undefined };
  const pipeline = keep(new Pipeline(world.context, { serve }));
  const told: string[] = [];
  pipeline.onProgress((output = '') => told.push(output));
  await pipeline.apply({ ...plan, outputs: counted });
  await world.until('output-published', () => world.of('output-published').length === OUTPUTS);
  return { ...world, pipeline, plan, server, rendered, told, names };
}

describe('many outputs', () => {
  it('are each rendered once at a start', async () => {
    const { rendered, told } = await start();
    expect([...rendered.values()]).toEqual(Array(OUTPUTS).fill(1));
    expect(told.filter((output) => output === 'o0').length).toBeLessThanOrEqual(3);
  });

  it('are left alone by a change of a secret that they do not need', async () => {
    const { rendered, server, until, told } = await start();
    rendered.clear();
    told.length = 0;
    server.put({ s7x0: '2', s7x1: '2' });
    await until('output-published', ({ output, generation }) => output === 'o7' && generation === 2);
    expect([...rendered]).toEqual([['o7', 1]]);
    expect(new Set(told)).toEqual(new Set(['o7']));
  });

  it('are each rendered once when a secret changes that all of them need', async () => {
    const { rendered, server, of, until } = await start();
    rendered.clear();
    server.put({ common: '2' });
    await until('output-published', () => of('output-published').length === 2 * OUTPUTS);
    expect([...rendered.values()]).toEqual(Array(OUTPUTS).fill(1));
  });

  it('share one set of names for all secrets of an output', async () => {
    const { plan } = await start();
    const groups = namesTogether(plan.outputs.map(({ renderer }) => ({ names: renderer.wants, computed: new Map() })));
    expect(groups.get('common')).toEqual(plan.outputs.map(({ renderer }) => renderer.wants));
    expect(groups.get('s0x0')?.[0]).toBe(groups.get('common')?.[0]);
  });
});

describe('many files', () => {
  it('are parsed without a copy of all secret names for each', async () => {
    let copies = 0;
    class Names extends Set<string> {
      override union<T>(other: ReadonlySetLike<T>): Set<string | T> {
        copies++;
        return super.union(other);
      }
    }
    const file = { place: 'outputs.o.files.f', content: { kind: 'content', text: '{{app.password}}' } } as const;
    const files = new Map(Array.from({ length: 10 }, (_, i) => [`f${i}`, file]));
    const { wants } = await createRenderer({ files }, { secrets: new Names(['app']), backends: new Map() });
    expect([[...wants], copies]).toEqual([['app'], 0]);
  });
});
