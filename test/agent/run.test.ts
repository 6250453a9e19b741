import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../../src/agent/run.ts';
import { createWorld, planFrom, scratchFolder } from './agent.helpers.ts';

async function start(dir: string, more: object = {}) {
  writeFileSync(join(dir, 'secrets.json'), '{"app":{"password":"1"}}');
  const plan = await planFrom({
    backends: { demo: { kind: 'file', path: join(dir, 'secrets.json') } },
    secrets: { app: { key: 'app' } },
    outputs: { o: { dir: join(dir, 'o'), files: { f: { content: '{{app.password}}' } }, ...more } },
  });
  const world = createWorld();
  const stop = new AbortController();
  return { ...world, stop, ended: run(plan, world.context, { signal: stop.signal, stop: () => stop.abort() }) };
}

describe('run', () => {
  it('warns when a dir is not on tmpfs, and stays', async () => {
    const { until, of, stop, ended } = await start(scratchFolder('disk'));
    await until('output-published');
    expect(of('agent-warning').map(({ warning }) => warning.code)).toEqual(['OUTPUT_NOT_TMPFS']);
    stop.abort();
    expect(await ended).toEqual([]);
  });

  it('ends when a dir is not on tmpfs and requireTmpfs is set', async () => {
    const dir = scratchFolder('disk');
    const { ended } = await start(dir, { requireTmpfs: true });
    expect((await ended).map(({ code }) => code)).toEqual(['OUTPUT_NOT_TMPFS']);
    expect(existsSync(join(dir, 'o/f'))).toBe(false);
  });
});
