import { once } from 'node:events';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { failure } from '../../src/base/errors.ts';
import { Progress } from '../../src/cli/terminal/progress.ts';
import { Waits } from '../../src/cli/terminal/waits.ts';
import { StatusLine } from '../../src/log/terminal/status-line.ts';
import { loadWith } from '../config/config.helpers.ts';
import { FakeClock } from '../fake-clock.ts';

const secrets = {
  app: { kv: 'secret/shop/app' },
  old: { kv: 'legacy/x', mount: 'legacy', kvVersion: 1 },
  db: { read: 'database/creds/shop' },
  tls: { certificate: { issuer: 'pki', role: 'shop', commonName: 'shop.svc' } },
};

async function waits(): Promise<Waits> {
  const known = new Waits();
  known.know(await loadWith({ secrets }));
  return known;
}

const where = '127.0.0.1:8200';

describe('what a command waits for', () => {
  it.each([
    ['/v1/auth/kubernetes/login', 'login'],
    ['/v1/auth/userpass/login/joe', 'login'],
    ['/v1/sys/internal/ui/mounts/secret/shop/app', 'the kind of a mount'],
    ['/v1/secret/data/shop/app?version=3', 'read of app'],
    ['/v1/legacy/x', 'read of old'],
    ['/v1/database/creds/shop', 'read of db'],
    ['/v1/pki/issue/shop', 'read of tls'],
    ['/v1/outputs/shop/rollback?to=5', 'rollback'],
    ['/v1/outputs/shop/resume', 'resume'],
    ['/v1/secret/data/hunter2', 'a request'],
  ])('for %s is %s', async (path, what) => {
    const known = await waits();
    known.ask({}, { where, path }, 0);
    expect(known.text(1_000)).toBe(`1s: waiting for bao (${where}): ${what}, a connection`);
    expect(known.text(1_000)).not.toContain('hunter2');
  });

  it('is told after a second, for the request that has taken longest, with the number of others', async () => {
    const known = await waits();
    const [first, second] = [{}, {}];
    known.ask(first, { where: 'vault.test:443', path: '/v1/auth/x/login' }, 0);
    known.ask(second, { where, path: '/v1/database/creds/shop' }, 500);
    expect(known.text(999)).toBe('');
    known.reach(first, 'the TLS handshake');
    expect(known.text(2_700)).toBe('2s: waiting for vault.test:443: login, the TLS handshake (and for 1 more)');
    known.end(first);
    known.reach(second, 'the answer');
    expect(known.text(62_700)).toBe(`1m2s: waiting for bao (${where}): read of db, the answer`);
    known.end(second);
    expect(known.text(63_000)).toBe('');
  });

  it('is the next try when nothing is asked, and nothing once there was an answer', async () => {
    const known = await waits();
    const failed = failure('BACKEND_UNREACHABLE', 'backends.bao', 'nothing listens there');
    known.hear({ kind: 'login-failed', backend: 'bao', method: 'x', failure: failed, retryInMs: 500 }, 0);
    known.hear({ kind: 'login-failed', backend: 'bao', method: 'x', failure: failed, retryInMs: 4_000 }, 2_000);
    expect(known.text(3_500)).toBe('3s: bao (http://127.0.0.1:8200): nothing listens there; next try in 2s');
    known.hear({ kind: 'login-made', backend: 'bao', method: 'x', ttlMs: 1, renewable: true, login: 1 }, 4_000);
    expect(known.text(9_000)).toBe('');
  });

  it('is the reload of an output, and else what the command does', async () => {
    const known = await waits();
    known.begin('reading the configuration', 0);
    expect(known.text(5_000)).toBe('5s: reading the configuration');
    known.begin('at work', 5_000);
    known.hear({ kind: 'output-published', output: 'shop', generation: 1, files: 1, durationMs: 1 }, 5_100);
    expect(known.text(7_200)).toBe('2s: waiting for the reload of shop');
    known.hear({ kind: 'reload-done', output: 'shop', generation: 1, steps: 1, durationMs: 1 }, 7_300);
    expect(known.text(8_000)).toBe('3s: at work');
  });
});

describe('the progress of a process', () => {
  it('is that of its real requests, counts seconds in place, and is gone at the end', async () => {
    const server = await silentServer();
    const { port } = server.address() as AddressInfo;
    const clock = new FakeClock();
    const parts: string[] = [];
    const progress = new Progress(
      clock,
      new StatusLine(
        (text) => void parts.push(text),
        () => 120,
      ),
    );
    const connected = once(server, 'connection');
    const sent = request({ host: '127.0.0.1', port, path: '/v1/auth/kubernetes/login' });
    const closed = new Promise((done) => sent.on('error', () => {}).once('close', done));
    sent.end();
    await connected;
    await once(sent, 'finish');
    await clock.advance(999);
    expect(parts).toEqual([]);
    await clock.advance(1_001);
    const text = (seconds: number) => `\r\x1b[2K${seconds}s: waiting for 127.0.0.1:${port}: login, the answer`;
    expect(parts).toEqual([text(1), text(2)]);
    sent.destroy();
    await closed;
    progress.end();
    expect(parts.at(-1)).toBe('\r\x1b[2K');
    expect(clock.waiting).toBe(0);
  });
});

/** A server that takes connections and never answers. */
async function silentServer(): Promise<Server> {
  const open = new Set<{ destroy(): void }>();
  const server = createServer((socket) => void open.add(socket.on('error', () => {}))).listen(0, '127.0.0.1');
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  await once(server, 'listening');
  return server;
}
