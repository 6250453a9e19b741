import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Http01 } from '../../../src/backend/acme/challenge/http01.ts';
import { findFreePort } from '../../servers/free-port.ts';

const proof = (token: string) => ({
  name: 'shop.test',
  token,
  keyAuthorization: `${token}.thumb`,
  place: 'secrets.tls',
});

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** Opens connections one after the other, and sends `text` over each. */
async function openMany(count: number, port: number, text: string): Promise<readonly Socket[]> {
  const opened: Socket[] = [];
  for (let i = 0; i < count; i++) {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    opened.push(socket);
    socket.on('error', () => {}); // the server may close it at any moment
    await once(socket, 'connect');
    if (text !== '') socket.write(text);
  }
  return opened;
}

describe('the port of http-01', () => {
  it('is open while a proof is shown, gives out that proof, and nothing else', async () => {
    const port = await findFreePort();
    const prover = new Http01({ host: '127.0.0.1', port });
    const get = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${port}${path}`, { method });
    const at = '/.well-known/acme-challenge/';
    await expect(get('/')).rejects.toThrow();
    const [hideOne, hideTwo] = [await prover.show(proof('one')), await prover.show(proof('two'))];
    expect(await (await get(`${at}one`)).text()).toBe('one.thumb');
    expect(await (await get(`${at}two`)).text()).toBe('two.thumb');
    for (const path of ['/', `${at}three`, `${at}`, `${at}../one`, '/one']) expect((await get(path)).status).toBe(404);
    expect((await get(`${at}one`, 'POST')).status).toBe(404);
    await hideOne();
    expect((await get(`${at}one`)).status).toBe(404);
    await hideTwo();
    await expect(get(`${at}two`)).rejects.toThrow();
  });

  it.each([
    ['send nothing', ''],
    ['never end their request', 'GET /.well-known/acme-challenge/one HTTP/1.1\r\nHost: shop.test\r\n'],
  ])('answers the issuer beside 300 clients that %s', async (_, text) => {
    const port = await findFreePort();
    const prover = new Http01({ host: '127.0.0.1', port });
    const hide = await prover.show(proof('one'));
    const opened = await openMany(300, port, text);
    const answer = await fetch(`http://127.0.0.1:${port}/.well-known/acme-challenge/one`);
    expect(await answer.text()).toBe('one.thumb');
    await expect.poll(() => opened.filter(({ closed }) => !closed).length).toBeLessThanOrEqual(64);
    await hide();
    await expect.poll(() => opened.every(({ closed }) => closed)).toBe(true);
  });

  it('that another program has is told, and tried again for the next proof', async () => {
    const port = await findFreePort();
    const [first, second] = [1, 2].map(() => new Http01({ host: '127.0.0.1', port }));
    const hide = await first?.show(proof('one'));
    await expect(second?.show(proof('two'))).rejects.toMatchObject({
      failure: { code: 'ACME_CHALLENGE_FAILED', seen: `cannot listen on 127.0.0.1:${port} for http-01 (EADDRINUSE)` },
    });
    await hide?.();
    await (await second?.show(proof('three')))?.();
  });
});
