import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, createServer as createHttp2Server } from 'node:http2';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { AgentView } from '../../../src/agent/serve/agent-view.ts';
import { Listeners } from '../../../src/agent/serve/listeners.ts';
import type { ServicePlan } from '../../../src/agent/serve/service-plan.ts';
import type { Fact } from '../../../src/base/fact.ts';
import type { ListenConfig } from '../../../src/config/config.ts';
import { bind } from '../../../src/deliver/http/bind.ts';
import { overHttp } from '../../../src/deliver/http/over-http.ts';
import { createService } from '../../../src/deliver/http/routes.ts';
import type { Listener, ListenOptions } from '../../../src/deliver/service.ts';
import { ask } from '../../deliver/http/listener.helpers.ts';
import { findFreePort } from '../../servers/index.ts';

const createFolder = (): string => {
  const dir = mkdtempSync(join(tmpdir(), 'pannier-listeners-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return dir;
};

function setUp() {
  const facts: Fact[] = [];
  const view = { emit: (fact: Fact) => void facts.push(fact) } as unknown as AgentView;
  const listeners = new Listeners(view);
  onTestFinished(() => listeners[Symbol.asyncDispose]());
  const apply = async (...plans: ServicePlan[]) => await (await listeners.prepare(plans)).commit();
  return { listeners, apply, facts };
}

const unix = (path: string, mode = 0o600): ListenConfig => ({ kind: 'unix', path, mode });

/** A plan of a service that answers with `name`. */
const planOf = (where: ListenConfig, name = 'it'): ServicePlan => ({
  service: 'api',
  where,
  place: 'api',
  create: async () =>
    overHttp(
      createService([{ method: 'GET', path: '/', handle: () => ({ status: 200, type: 'text/plain', body: name }) }]),
    ),
});

/** A plan of a service that speaks HTTP/2, as a gRPC service does, on a listener of its own. */
const http2PlanOf = (where: Extract<ListenConfig, { kind: 'unix' }>, body: string): ServicePlan => ({
  service: 'api',
  where,
  place: 'api',
  create: async () => ({
    protocol: 'h2c',
    async listen({ replaces, ...options }: ListenOptions): Promise<Listener> {
      const server = createHttp2Server((_, response) => void response.end(body));
      const bound = await bind(server, { ...options, ...(replaces === undefined ? {} : { replaces }) });
      return {
        protocol: 'h2c',
        connections: 0,
        answered: new Map(),
        isInPlace: () => bound.isInPlace(),
        takePlace: () => bound.takePlace(),
        async [Symbol.asyncDispose]() {
          await bound.release();
          server.close();
        },
      };
    },
    takeListener() {
      throw new Error('this test hands on no listener of HTTP/2');
    },
    async [Symbol.asyncDispose]() {},
  }),
});

async function askHttp2(path: string): Promise<string> {
  const session = connect('http://localhost', { createConnection: () => createConnection(path) });
  onTestFinished(() => session.destroy());
  const stream = session.request({ ':path': '/' });
  const chunks = await stream.setEncoding('utf8').toArray();
  session.close();
  return chunks.join('');
}

const mode = (path: string): number => statSync(path).mode & 0o777;

describe('the listeners of a new configuration', () => {
  it('leave the open listeners alone when it is refused, also where they would have taken their place', async () => {
    const dir = createFolder();
    const path = join(dir, 'a.sock');
    const { listeners, apply, facts } = setUp();
    await apply(planOf(unix(path), 'first'));
    const refused = [planOf(unix(path, 0o660), 'second'), planOf(unix(join(dir, 'none/none/b.sock')))];
    await expect(listeners.prepare(refused)).rejects.toMatchObject({ failure: { code: 'LISTEN_FAILED' } });
    expect([mode(path), (await ask(path, '/')).body]).toEqual([0o600, 'first']);
    const given = await listeners.prepare(refused.slice(0, 1));
    await given.discard();
    expect([mode(path), (await ask(path, '/')).body]).toEqual([0o600, 'first']);
    await apply(...refused.slice(0, 1));
    expect([mode(path), (await ask(path, '/')).body]).toEqual([0o660, 'second']);
    expect(facts.filter(({ kind }) => kind === 'agent-warning')).toEqual([]);
  });

  it('bring back a socket file that was removed', async () => {
    const path = join(createFolder(), 'a.sock');
    const { apply } = setUp();
    await apply(planOf(unix(path), 'first'));
    rmSync(path);
    await apply(planOf(unix(path), 'again'));
    expect((await ask(path, '/')).body).toBe('again');
  });

  it('may speak another protocol at the same place, over a listener that their service opens itself', async () => {
    const path = join(createFolder(), 'a.sock');
    const { apply, listeners } = setUp();
    await apply(planOf(unix(path), 'first'));
    await apply(http2PlanOf({ kind: 'unix', path, mode: 0o600 }, 'second'));
    expect([await askHttp2(path), listeners.list().map(({ listener }) => listener.connections)]).toEqual([
      'second',
      [0],
    ]);
    await apply(planOf(unix(path), 'third'));
    expect((await ask(path, '/')).body).toBe('third');
  });

  it('cannot take a port that the agent has at another address, and say that it is the agent itself', async () => {
    const port = await findFreePort();
    const { listeners, apply } = setUp();
    await apply(planOf({ kind: 'tcp', host: '127.0.0.1', port }));
    const moved = listeners.prepare([planOf({ kind: 'tcp', host: '0.0.0.0', port })]);
    await expect(moved).rejects.toMatchObject({
      failure: { code: 'LISTEN_IN_USE', seen: expect.stringContaining('this agent') },
    });
  });
});
