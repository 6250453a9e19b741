import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findFreePort } from '../servers/index.ts';
import { eventually } from './agent.helpers.ts';
import { baoOf, useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld();

/** Memory in MiB as the kernel counts it: `VmRSS` is resident now, `VmHWM` the most so far. */
function resident(pid: number, what: 'VmRSS' | 'VmHWM'): number {
  const [, kib] = new RegExp(`${what}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1024;
}

function get(options: object, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ ...options, path, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('end', () => (response.statusCode === 200 ? resolve(text) : reject(new Error(text))));
    })
      .once('error', reject)
      .end();
  });
}

describe.runIf(existsSync('/proc/self/status'))('memory', () => {
  it.each(['/v1/watch', '/v1/secrets/app', '/v1/secrets/app/password'])(
    'readers of %s that take nothing share the bytes of one value',
    async (path) => {
      const place = await scene.place();
      const value = ''.padEnd(1_000_000, 'ä');
      await writeFile(join(place.dir, 'secrets.json'), JSON.stringify({ app: { password: value } }));
      const socketPath = join(place.dir, 'api.sock');
      const agent = scene.run(
        await place.config({
          backends: { demo: { kind: 'file', path: join(place.dir, 'secrets.json') } },
          secrets: { app: { key: 'app' } },
          api: { socket: socketPath },
        }),
      );
      await eventually(async () => expect(await get({ socketPath }, '/v1/secrets/app/password')).toBe(value));
      const before = resident(agent.pid, 'VmRSS');
      const readers: Socket[] = [];
      try {
        for (let i = 0; i < 250; i++) {
          const reader = connect(socketPath);
          readers.push(reader.pause());
          await new Promise((resolve) => reader.once('connect', resolve));
          reader.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
        }
        // When the last request is answered, all are.
        expect(await get({ socketPath }, '/ping')).toBe('healthy');
        expect(resident(agent.pid, 'VmHWM') - before).toBeLessThan(60);
      } finally {
        for (const reader of readers) reader.destroy();
      }
    },
    60_000,
  );

  it('run with 100 secrets, the API and the admin listener fits into 64 MiB, and comes up within 76', async () => {
    const place = await scene.place();
    const names = Array.from({ length: 100 }, (_, i) => `s${i}`);
    for (const name of names) await world().putSecret(name, { username: 'shop', password: `of-${name}` });
    const port = await findFreePort();
    const socketPath = join(place.dir, 'api.sock');
    const agent = scene.run(
      await place.config({
        backends: { bao: baoOf(world()) },
        secrets: Object.fromEntries(names.map((name) => [name, { kv: `secret/shop/${name}` }])),
        outputs: {
          shop: {
            dir: join(place.dir, 'out'),
            files: Object.fromEntries(names.map((name) => [name, { content: `{{${name}.password}}` }])),
          },
        },
        api: { socket: socketPath },
        admin: { listen: `127.0.0.1:${port}` },
      }),
    );
    await agent.waitFor('output-published');
    const admin = { host: '127.0.0.1', port };
    for (const name of names) expect(await get({ socketPath }, `/v1/secrets/${name}/password`)).toBe(`of-${name}`);
    expect(await get(admin, '/metrics')).toContain('pannier_outputs');
    await get(admin, '/readyz');
    await eventually(() => expect(resident(agent.pid, 'VmRSS')).toBeLessThan(64), 30_000);
    expect(resident(agent.pid, 'VmHWM')).toBeLessThan(76);
  }, 60_000);
});
