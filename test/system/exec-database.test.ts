import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from './agent.helpers.ts';
import { baoOf, useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld({ database: true, databaseTtl: '4s', databaseMaxTtl: '8s' });
const PROGRAM = resolve('test/fixtures/programs/query-app.ts');

describe('a PostgreSQL application as the child of exec', () => {
  it('gets a new user before the old one ends, and no query of any of its runs fails', async () => {
    const place = await scene.place();
    const { postgres } = world();
    const log = join(place.dir, 'log');
    const config = await place.config({
      log: { level: 'debug' },
      backends: { bao: baoOf(world()) },
      secrets: { db: { read: 'database/creds/shop' } },
      exec: {
        command: [process.execPath, '--no-warnings', PROGRAM, log],
        env: {
          PGHOST: postgres.host,
          PGPORT: String(postgres.port),
          PGDATABASE: 'postgres',
          PGUSER: '{{db.username}}',
          PGPASSWORD: '{{db.password}}',
        },
        quiet: '50ms',
      },
    });
    const agent = scene.exec(config, [], { args: [] });
    const lines = () =>
      readFileSync(log, 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.split(' ') as [user: string, what: string, detail: string]);
    const lives = (what: string) => lines().filter((line) => line[1] === what);

    await eventually(() => expect(lives('began').length).toBeGreaterThanOrEqual(4), 60_000);
    expect(await agent.stop()).toBe(0);
    expect(lives('failed')).toEqual([]);
    const done = lives('ok');
    expect(new Set(done.map(([user]) => user)).size).toBe(done.length);
    for (const [, , count] of done.slice(0, -1)) expect(Number(count)).toBeGreaterThan(50);
    expect(agent.facts('child-killed')).toEqual([]);
    expect(agent.facts('secret-failed')).toEqual([]);
    for (const { durationMs } of agent.facts('reload-done')) expect(durationMs).toBeLessThan(5_000);
  }, 90_000);
});
