import { once } from 'node:events';
import { cpSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { Secret } from '../../src/base/secret.ts';
import { keep } from '../agent/agent.helpers.ts';
import { wantOf } from '../memory-backend.ts';
import { describeContract } from './contract.ts';
import { createShelfBackend } from './shelf/backend.ts';
import type { ShelfConfig } from './shelf/config.ts';
import { copySource, rewrite } from './source-copy.helpers.ts';

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
      want: (book) => wantOf(book, { request: { kind: 'shelf-book', book } }),
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

describe('a new kind of backend', () => {
  it('is one folder and its line in the registry: nothing else of Pannier changes', async () => {
    const server = keep(await startShelf());
    server.put('app', 'one');
    const copy = keep(await copySource());
    cpSync('test/contract/shelf', join(copy.src, 'backend/shelf'), { recursive: true });
    rewrite(join(copy.src, 'backend/shelf'), (text) =>
      text.replaceAll('../../../src/backend/', '../').replaceAll('../../../src/', '../../'),
    );
    rewrite(join(copy.src, 'backend/registry.ts'), (text) =>
      text.replace(/^import .*$/m, "import { shelf } from './shelf/kind.ts';\n$&").replace('[vault,', '[shelf, vault,'),
    );

    const { files, fields, environment, problems } = await copy.run(server.address);
    expect(files).toEqual({ f: 'one' });
    expect(fields).toContain('book');
    expect(environment).toEqual({ SHELF_ADDRESS: 'kept' });
    expect(problems).toEqual(['CONFIG_MISSING backends.s.token']);
    await copy.typecheck();
  }, 120_000);
});
