import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { protectionOf } from '../../src/backend/protection.ts';
import type { BackendConfig } from '../../src/config/config.ts';
import { FakeClock } from '../fake-clock.ts';
import { connect, serve } from './client.helpers.ts';

function answerJson(socket: Socket, status: number, body: string): void {
  socket.write(
    `HTTP/1.1 ${status} x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
}

describe('a client with a circuit breaker', () => {
  it('sends nothing while the server fails, tells why with the reason of the server, and goes on when it answers', async () => {
    let status = 503;
    const server = await serve((_request, socket) => {
      answerJson(socket, status, status === 200 ? '{"data":{}}' : '{"errors":["Vault is sealed"]}');
    });
    const clock = new FakeClock();
    const states: string[] = [];
    const protection = { random: () => 0.5, changed: ({ state }: { state: string }) => states.push(state) };
    const { failing, ask } = connect(server.address, {}, { clock, protection });
    for (const path of ['secret/data/a', 'database/creds/b', 'secret/data/a']) await failing(path);
    const before = server.requests.length;
    const failed = await failing('secret/data/c', { place: 'secrets.c' });
    expect(failed).toMatchObject({ code: 'BACKEND_UNAVAILABLE', place: 'secrets.c' });
    expect(failed.seen).toMatch(/^HTTP 503 from http:\S+ for the requests before this one$/);
    expect(server.requests.length).toBe(before);
    status = 200;
    await clock.advance(2_000);
    expect((await ask('secret/data/a')).status).toBe(200);
    expect(states).toEqual(['open', 'half-open', 'closed']);
  });

  it('goes on with other secrets while the role of one database fails', async () => {
    const server = await serve(({ path }, socket) => {
      const fails = path.includes('database');
      answerJson(socket, fails ? 500 : 200, fails ? '{"errors":[]}' : '{"data":{}}');
    });
    const { failing, ask } = connect(server.address, {}, { clock: new FakeClock(), protection: { random: () => 0.5 } });
    await ask('secret/data/a');
    for (let times = 0; times < 10; times++) await failing('database/creds/b');
    expect((await ask('secret/data/a')).status).toBe(200);
    expect(server.requests.length).toBe(12);
  });

  it('counts an answer of any status below 500 but 429 as one', async () => {
    const server = await serve((_request, socket) => answerJson(socket, 403, '{"errors":["permission denied"]}'));
    const { failing } = connect(server.address, {}, { clock: new FakeClock(), protection: { random: () => 0.5 } });
    for (const path of ['a/1', 'b/2', 'c/3', 'd/4', 'e/5', 'f/6']) await failing(path);
    expect(server.requests.length).toBe(6);
  });
});

describe('a backend that answers again', () => {
  it('is told of to all that listen, with the length of the outage, until they no longer listen', async () => {
    let status = 503;
    const server = await serve((_request, socket) => answerJson(socket, status, '{"data":{}}'));
    const clock = new FakeClock();
    const context = { clock, random: () => 0.5, emit: () => {}, env: {}, version: '0', kept: new Map() };
    const protection = protectionOf({ kind: 'vault', name: 'bao' }, context);
    const told: number[] = [];
    const listening = protection.onRecovered((outageMs) => told.push(outageMs));
    const { failing, ask } = connect(server.address, {}, { clock, protection });
    for (let outage = 0; outage < 2; outage++) {
      status = 503;
      for (const path of ['secret/data/a', 'database/creds/b', 'secret/data/a']) await failing(path);
      await clock.advance(60_000);
      status = 200;
      await ask('secret/data/a');
      listening[Symbol.dispose]();
    }
    expect(told).toEqual([60_000]);
  });
});

describe('the start of an agent', () => {
  const config = { kind: 'vault', name: 'bao', requests: { startSpreadMs: 30_000 } } satisfies BackendConfig;
  const context = {
    ...{ clock: new FakeClock(), random: () => 0.25, emit: () => {}, env: {}, version: '0', kept: new Map() },
  };

  it('is at a random moment within startSpread where the process stays', () => {
    expect(protectionOf(config, { ...context, spreadsStart: true }).notBeforeMonoMs).toBe(7_500);
  });

  it('is at once for init, and without startSpread', () => {
    expect(protectionOf(config, context).notBeforeMonoMs).toBeUndefined();
    const plain = { kind: 'vault', name: 'bao' };
    expect(protectionOf(plain, { ...context, spreadsStart: true }).notBeforeMonoMs).toBeUndefined();
  });
});
