import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { listenAt, portOf } from '../../../src/http/serving/listen.ts';

const opened: ReturnType<typeof createServer>[] = [];
afterEach(() => {
  for (const server of opened.splice(0)) server.close();
});

async function listen(host: string, port = 0) {
  const server = createServer();
  opened.push(server);
  await listenAt(server, { host, port }, '--listen', `${host}:${port}`);
  return server;
}

describe('listenAt', () => {
  it('names the place and the port that another process has, or that this machine does not have', async () => {
    const port = portOf(await listen('127.0.0.1'));
    await expect(listen('127.0.0.1', port)).rejects.toMatchObject({
      failure: { code: 'LISTEN_IN_USE', place: '--listen', seen: `another process listens on 127.0.0.1:${port}` },
    });
    await expect(listen('192.0.2.1', 1)).rejects.toMatchObject({
      failure: { code: 'LISTEN_FAILED', seen: '192.0.2.1:1 cannot be listened on (EADDRNOTAVAIL)' },
    });
  });

  it('leaves a server alone when it could not accept one connection', async () => {
    const server = await listen('127.0.0.1');
    server.emit('error', Object.assign(new Error('accept'), { code: 'EMFILE' }));
    server.emit('error', Object.assign(new Error('accept'), { code: 'EMFILE' }));
    expect(portOf(server)).toBeGreaterThan(0);
  });
});
