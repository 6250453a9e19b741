import { rename, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { findFreePort } from '../../servers/free-port.ts';
import { dial, type Got, place, rest } from '../http/listener.helpers.ts';
import { apiWorld, type ListenerOptions } from './api.helpers.ts';

const TOKEN = 'correct-horse-battery-staple';

async function tcpWorld(more: ListenerOptions = {}) {
  const port = await findFreePort();
  const tokenFile = join(place(), 'token');
  await writeFile(tokenFile, `${TOKEN}\n`);
  const world = await apiWorld(['app'], { port, tokenFile, ...more });
  world.backend.set('app', { password: 's3cr3t' });
  await world.start();
  const ask = (headers: Record<string, string> = {}, path = '/v1/secrets/app/password') =>
    new Promise<Got>((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, path, agent: false, headers }, async (answer) => {
        const body = Buffer.concat(await answer.toArray()).toString();
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body });
      });
      sent.on('error', reject).end();
    });
  return { ...world, port, tokenFile, ask };
}

const codeOf = ({ body }: Got) => (JSON.parse(body) as { code: string }).code;

describe('over TCP', () => {
  it('a token is required, in any of three headers, and health needs none', async () => {
    const { ask, facts } = await tcpWorld();
    for (const name of ['X-Pannier-Token', 'X-Aws-Parameters-Secrets-Token', 'X-Vault-Token']) {
      const { status, body } = await ask({ [name]: TOKEN });
      expect([name, status, body]).toEqual([name, 200, 's3cr3t']);
    }
    const wrong = [
      {},
      { 'X-Pannier-Token': '' },
      { 'X-Pannier-Token': `${TOKEN}x` },
      { 'X-Pannier-Token': TOKEN.slice(1) },
      { Authorization: `Bearer ${TOKEN}` },
      { Cookie: `X-Pannier-Token=${TOKEN}` },
    ];
    for (const headers of wrong) {
      const got = await ask(headers);
      expect([got.status, codeOf(got)]).toEqual([403, 'API_TOKEN']);
      expect(got.body).not.toMatch(/s3cr3t|horse/);
    }
    expect((await ask({ 'X-Pannier-Token': TOKEN }, '/v1/nothing')).status).toBe(400);
    expect((await ask({}, '/v1/nothing')).status).toBe(403);
    expect(await ask({}, '/ping')).toMatchObject({ status: 200, body: 'healthy' });
    expect(JSON.stringify(facts)).not.toContain('horse');
  });

  it('a changed token file counts at once, and without the file every request is refused', async () => {
    const { ask, tokenFile, clock } = await tcpWorld();
    const status = async (token: string) => (await ask({ 'X-Pannier-Token': token })).status;
    expect(await status(TOKEN)).toBe(200);
    await writeFile(`${tokenFile}.new`, 'another');
    await rename(`${tokenFile}.new`, tokenFile);
    expect(await status('another')).toBe(200);
    expect(await status(TOKEN)).toBe(403);
    await rm(tokenFile);
    await clock.advance(1_000);
    const gone = await ask({ 'X-Pannier-Token': 'another' });
    expect([gone.status, codeOf(gone)]).toEqual([503, 'API_TOKEN_FILE']);
    for (const bad of ['', '\n', 'two\nlines', 'ümlaut', '\0']) {
      await writeFile(tokenFile, bad);
      await clock.advance(1_000);
      expect([bad, (await ask({ 'X-Pannier-Token': bad.trim() === 'two\nlines' ? 'two' : 'x' })).status]).toEqual([
        bad,
        503,
      ]);
    }
    await writeFile(tokenFile, TOKEN);
    expect(await status(TOKEN)).toBe(200);
  });

  it('a token file that cannot be used is a warning at the start', async () => {
    const { facts } = await tcpWorld({ tokenFile: '/nonexistent/token' });
    await vi.waitFor(() =>
      expect(facts).toContainEqual(
        expect.objectContaining({
          kind: 'agent-warning',
          warning: expect.objectContaining({ code: 'API_TOKEN_FILE', place: 'api.tokenFile' }),
        }),
      ),
    );
  });

  it.each([
    ['localhost', 200],
    ['LOCALHOST:9', 200],
    ['127.0.0.1', 200],
    ['127.9.9.9:80', 200],
    ['[::1]:8270', 200],
    ['[0:0:0:0:0:0:0:1]', 200],
    ['evil.example', 421],
    ['evil.example:8270', 421],
    ['localhost.evil.example', 421],
    ['127.0.0.1.evil.example', 421],
    ['169.254.169.254', 421],
    ['[::2]', 421],
    ['user@127.0.0.1', 421],
  ])('Host: %s gives %s', async (host, status) => {
    const { ask } = await tcpWorld();
    const got = await ask({ Host: host, 'X-Pannier-Token': TOKEN });
    expect(got.status).toBe(status);
    if (status !== 200) expect(codeOf(got)).toBe('API_HOST');
  });

  it('a request without Host is refused', async () => {
    const { port } = await tcpWorld();
    const { connect } = await import('node:net');
    const socket = connect({ port, host: '127.0.0.1' });
    const answer = rest(socket);
    socket.write(`GET /v1/secrets HTTP/1.0\r\nX-Pannier-Token: ${TOKEN}\r\n\r\n`);
    expect(await answer).toMatch(/^HTTP\/1.1 421 /);
  });
});

describe('on every listener', () => {
  it.each(['Forwarded', 'Via', 'X-Forwarded-For', 'x-forwarded-HOST', 'X-Forwarded-Proto', 'X-Real-IP'])(
    'a request with %s is refused',
    async (name) => {
      const { get, start } = await apiWorld(['app']);
      await start();
      const got = await get('/v1/secrets', { [name]: 'x' });
      expect([got.status, codeOf(got)]).toEqual([400, 'API_FORWARDED']);
    },
  );

  it.each([
    'Host: y',
    'X-Pannier-Token: a\r\nX-Pannier-Token: b',
    'x-vault-token: a\r\nX-VAULT-TOKEN: a',
    'Last-Event-ID: boot-1\r\nLast-Event-ID: boot-2',
    'Content-Type: a\r\nContent-Type: b',
  ])('a header that may come once is refused twice: %j', async (lines) => {
    const { path, start } = await apiWorld(['app']);
    await start();
    const socket = await dial(path);
    const answer = rest(socket);
    socket.write(`GET /v1/secrets HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${lines}\r\n\r\n`);
    expect(await answer).toMatch(/^HTTP\/1.1 400 [\s\S]*API_HEADER_TWICE/);
  });
});
