import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Pipeline } from '../../src/agent/pipeline.ts';
import { systemClock } from '../../src/base/clock.ts';
import { Secret } from '../../src/base/secret.ts';
import type { BackendConfig } from '../../src/config/config.ts';
import { createWorld, keep, place, planFrom } from '../agent/agent.helpers.ts';
import { wantOf } from '../memory-backend.ts';
import { published } from '../system/openbao.helpers.ts';
import { describeContract } from './contract.ts';
import { createShelfBackend } from './shelf/shelf.ts';
import type { ShelfConfig } from './shelf/shelf-client.ts';

/** A shelf that a test fills: what `shelf/` speaks to. */
async function startShelf(port = 0) {
  const held = new Map<string, { readonly value: string | Uint8Array; readonly etag: string }>();
  const removed = new Set<string>();
  let trouble: ((response: ServerResponse) => void) | undefined;
  const open = async (at: number) => {
    const server = createServer(({ url = '', method, headers }, response) => {
      const name = decodeURIComponent(url.slice(1));
      const found = held.get(name);
      if (trouble !== undefined) return trouble(response);
      if (headers.authorization !== 'Bearer made-up') return void response.writeHead(401).end();
      if (found === undefined) return void response.writeHead(removed.has(name) ? 410 : 404).end();
      const isText = typeof found.value === 'string';
      const body = isText ? JSON.stringify({ password: found.value }) : found.value;
      const type = isText ? 'application/json' : 'application/octet-stream';
      response.writeHead(200, { etag: found.etag, 'content-type': type, 'content-length': Buffer.byteLength(body) });
      response.end(method === 'HEAD' ? undefined : body);
    });
    server.listen(at, '127.0.0.1');
    await once(server, 'listening');
    return server;
  };
  let server = await open(port);
  const { port: bound } = server.address() as AddressInfo;
  let count = 0;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  };
  return {
    address: `http://127.0.0.1:${bound}`,
    put(name: string, value: string | Uint8Array) {
      held.set(name, { value, etag: `"${++count}"` });
      removed.delete(name);
    },
    remove(name: string) {
      held.delete(name);
      removed.add(name);
    },
    trouble(next: typeof trouble) {
      trouble = next;
    },
    close,
    async start() {
      server = await open(bound);
    },
    [Symbol.asyncDispose]: close,
  };
}

const configOf = (address: string): ShelfConfig => ({
  kind: 'shelf',
  name: 'shelf',
  address,
  token: Secret.text('made-up'),
  timeoutMs: 500,
});

describeContract({
  name: 'the backend of docs/backends.md',
  cannot: {},
  async open() {
    const shelf = await startShelf();
    const backend = createShelfBackend(configOf(shelf.address), { clock: systemClock, emit: () => {}, env: {} });
    return {
      backend,
      want: wantOf,
      put: async (name, value) => shelf.put(name, value),
      valueOf: (fields) => fields.get('password') ?? fields.get('value'),
      remove: async (name) => shelf.remove(name),
      refuse: async () => shelf.trouble((response) => response.writeHead(403).end()),
      throttle: async () => shelf.trouble((response) => response.writeHead(429, { 'retry-after': '1' }).end()),
      stall: async () => shelf.trouble(() => {}),
      heal: async () => shelf.trouble(undefined),
      kill: () => shelf.close(),
      start: () => shelf.start(),
      async [Symbol.asyncDispose]() {
        await backend[Symbol.asyncDispose]();
        await shelf.close();
      },
    };
  },
});

describe('a backend that is no part of Pannier', () => {
  it('is used by the whole pipeline, with nothing of it changed', async () => {
    const shelf = keep(await startShelf());
    shelf.put('app', 'one');
    const dir = place();
    const plan = await planFrom({
      backends: { shelf: { kind: 'file', path: dir } },
      secrets: { app: { key: 'app', refresh: '200ms' } },
      outputs: { o: { dir: `${dir}/o`, files: { f: { content: '{{app.password}}' } } } },
    });
    // The schema knows no shelf; its place in the configuration is taken by hand.
    const backends = new Map([['shelf', configOf(shelf.address) as unknown as BackendConfig]]);
    const { around, until } = createWorld();
    const kinds = {
      shelf: async (config: unknown, tools: typeof around) => createShelfBackend(config as ShelfConfig, tools),
    };
    const pipeline = keep(new Pipeline({ ...around, kinds }));
    await pipeline.apply({ ...plan, config: { ...plan.config, backends } });
    await until('output-published');
    shelf.put('app', 'two');
    await until('output-published', ({ generation }) => generation === 2);
    expect(published(`${dir}/o`)).toEqual({ f: 'two' });
  });
});
