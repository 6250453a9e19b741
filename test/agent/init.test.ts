import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { init } from '../../src/agent/init.ts';
import { exitStatus, type Failure, formatFailure } from '../../src/base/errors.ts';
import { createWorld, kv, planFrom, scratchFolder, startKv } from './agent.helpers.ts';

async function run(config: object, timeoutMs = 10_000) {
  const world = createWorld();
  const signal = new AbortController().signal;
  const failures = await init(await planFrom(config), world.context, { timeoutMs, signal });
  return { ...world, failures, codes: codesOf(failures) };
}

const codesOf = (failures: readonly Failure[]) => failures.map(({ code }) => code);

/** One output of one secret of the embedded backend. */
function embedded(dir: string, more: object = {}): object {
  writeFileSync(join(dir, 'secrets.json'), '{"app":{"password":"1"}}');
  return {
    backends: { demo: { kind: 'file', path: join(dir, 'secrets.json') } },
    secrets: { app: { key: 'app' } },
    outputs: { o: { dir: join(dir, 'o'), files: { f: { content: '{{app.password}}' } }, ...more } },
  };
}

describe('init', () => {
  it('asks for nothing again while it waits for another secret, however short refresh is', async () => {
    const world = await startKv({ app: '1' });
    world.trouble(503, 'late');
    const dir = scratchFolder();
    const config = {
      backends: { bao: world.backend },
      secrets: { app: { ...kv('app'), refresh: '50ms' }, late: kv('late') },
      outputs: { o: { dir: join(dir, 'o'), files: { f: { content: '{{app.password}}{{late.password}}' } } } },
    };
    const asked = (secret: string) => world.server.requests.filter(({ path }) => path.endsWith(`/${secret}`)).length;
    const ended = run(config, 25_000);
    await vi.waitUntil(() => asked('late') > 2, 20_000);
    world.put({ late: '2' });
    world.trouble(undefined, 'late');
    expect((await ended).codes).toEqual([]);
    expect([asked('app'), readFileSync(join(dir, 'o/f'), 'utf8')]).toEqual([1, '12']);
  });

  it('warns when a dir is not on tmpfs, and publishes', async () => {
    const dir = scratchFolder('disk');
    const { failures, of } = await run(embedded(dir));
    expect(failures).toEqual([]);
    expect(of('agent-warning').map(({ warning }) => warning.code)).toEqual(['OUTPUT_NOT_TMPFS']);
    expect(readFileSync(join(dir, 'o/f'), 'utf8')).toBe('1');
  });

  it('refuses a dir that is not on tmpfs when requireTmpfs is set', async () => {
    const dir = scratchFolder('disk');
    const { codes } = await run(embedded(dir, { requireTmpfs: true }));
    expect([codes, existsSync(join(dir, 'o/f'))]).toEqual([['OUTPUT_NOT_TMPFS'], false]);
  });

  it('tries an owed reload once; a failing one stays owed and ends with status 1', async () => {
    const dir = scratchFolder();
    const told = join(dir, 'told');
    const script = `echo "$PANNIER_GENERATION" >> ${told}; test -e ${join(dir, 'ready')}`;
    const config = embedded(dir, { reload: [{ command: { argv: ['/bin/sh', '-c', script] } }] });
    expect((await run(config)).failures).toEqual([]);
    expect(existsSync(told)).toBe(false);

    const changed = { ...config, secrets: { app: { key: 'new' } } };
    writeFileSync(join(dir, 'secrets.json'), '{"new":{"password":"2"}}');
    const first = await run(changed);
    expect([first.codes, exitStatus(first.failures)]).toEqual([['RELOAD_COMMAND_FAILED'], 1]);
    expect(readFileSync(told, 'utf8')).toBe('2\n');

    const second = await run(changed);
    expect([second.codes, second.of('output-unchanged').length]).toEqual([['RELOAD_COMMAND_FAILED'], 1]);
    writeFileSync(join(dir, 'ready'), '');
    expect((await run(changed)).failures).toEqual([]);
    expect((await run(changed)).failures).toEqual([]);
    expect(readFileSync(told, 'utf8')).toBe('2\n2\n2\n');
  });

  it('tells at the deadline which secret, which backend, its address and what it answered', async () => {
    const servers = await Promise.all([startKv({ app: '1' }), startKv()]);
    servers[1].trouble(503, 'db');
    const dir = scratchFolder();
    const { failures } = await run(
      {
        backends: { bao: servers[0].backend, other: servers[1].backend },
        secrets: { app: kv('app', { backend: 'bao' }), db: kv('db', { backend: 'other' }) },
        outputs: { o: { dir: join(dir, 'o'), files: { f: { content: '{{app.password}}{{db.password}}' } } } },
      },
      3_000,
    );
    const [only, ...more] = failures.map(formatFailure);
    expect(more).toEqual([]);
    expect(only).toMatch(/^secrets\.db\.kv: HTTP 503 from /);
    expect(only).toMatch(/^secrets\.db\.kv: HTTP 503 from \S+ for GET \S+, backend other \(BACKEND_UNAVAILABLE\)/);
  });

  it('tells at the deadline the backend and the address that never answered, also the only one', async () => {
    const server = await startKv({ app: '1' });
    const dir = scratchFolder();
    const config = (more: object = {}) => ({
      backends: { bao: server.backend, ...more },
      secrets: { app: kv('app', { backend: 'bao' }) },
      outputs: { o: { dir: join(dir, 'o'), files: { f: { content: '{{app.password}}' } } } },
    });
    const told = `no answer has come yet from ${server.server.address}, backend bao (SECRET_NEVER_FETCHED). Check the address,`;
    for (const silent of ['app', 'lookup-self']) {
      server.trouble('silent', silent);
      const { failures } = await run(config(), 500);
      expect(failures.map(formatFailure)).toEqual([expect.stringContaining(`secrets.app.kv: ${told}`)]);
    }
    const { failures } = await run(config({ other: { kind: 'file', path: join(dir, 'none') } }), 500);
    expect(failures.map(formatFailure)).toEqual([expect.stringContaining(told)]);
  });

  it('a deadline before anything has begun is a failure, not an empty success', async () => {
    const dir = scratchFolder();
    const { codes } = await run(embedded(dir), 0);
    expect([codes, existsSync(join(dir, 'o/f'))]).toEqual([['SECRET_NEVER_FETCHED'], false]);
  });

  it('tells which secrets wait for a login that is not granted', async () => {
    const server = await startKv();
    server.trouble(500, 'lookup-self');
    const dir = scratchFolder();
    const { failures } = await run(
      {
        backends: { bao: server.backend },
        secrets: { app: kv('app') },
        outputs: { o: { dir: join(dir, 'o'), files: { f: { content: '{{app.password}}' } } } },
      },
      3_000,
    );
    // The last try may have found the circuit open, and was then not sent.
    expect(failures.map(formatFailure)).toEqual([
      expect.stringMatching(
        /^backends\.bao\.auth: HTTP 500 from http:\S+ for (\w+ \S+|the requests before this one); secrets that wait for it: app \(BACKEND_/,
      ),
    ]);
  });
});
