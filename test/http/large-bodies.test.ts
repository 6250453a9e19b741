import { describe, expect, it } from 'vitest';
import { plainText } from '../../src/base/value.ts';
import { FREE_BODY_BYTES, LargeBodies } from '../../src/http/large-bodies.ts';
import { flood, reply } from '../faults/fault-server.ts';
import { connect, serve } from './client.helpers.ts';

const MIB = 1024 * 1024;

describe('the turns of long bodies', () => {
  it('come one at a time, in order, and an ended wait has none', () => {
    const turns = new LargeBodies();
    const began: number[] = [];
    const [first, second, third] = [1, 2, 3].map((n) => turns.enter(() => began.push(n))) as [
      () => void,
      () => void,
      () => void,
    ];
    expect(began).toEqual([1]);
    second();
    expect(began).toEqual([1]);
    first();
    expect(began).toEqual([1, 3]);
    first();
    third();
    turns.enter(() => began.push(4));
    expect(began).toEqual([1, 3, 4]);
  });
});

describe('long bodies over all connections', () => {
  it('all come, one after the other', async () => {
    const long = 'x'.repeat(3 * MIB);
    const { ask } = connect((await serve(reply(200, JSON.stringify({ long })))).address, { timeoutMs: 60_000 });
    const answers = await Promise.all(Array.from({ length: 16 }, (_, i) => ask(`secret/${i}`)));
    for (const { body } of answers) expect(plainText(body.get('long')) === long).toBe(true);
  });

  it('that have no end are each too large, and leave the turn to the next', async () => {
    const server = await serve(flood(Number.POSITIVE_INFINITY));
    const { failing } = connect(server.address, { timeoutMs: 60_000 });
    const failed = await Promise.all(Array.from({ length: 16 }, (_, i) => failing(`secret/${i}`)));
    expect(new Set(failed.map(({ code }) => code))).toEqual(new Set(['BACKEND_TOO_LARGE']));
  });

  it('wait within the time of their request, and delay no body of usual size', async () => {
    const stuck = Buffer.alloc(2 * FREE_BODY_BYTES, ' ');
    const server = await serve((request, socket) => {
      if (request.path.includes('small')) return reply(200, '{"data":{"a":"b"}}')(request, socket);
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${4 * MIB}\r\n\r\n`);
      socket.write(stuck);
    });
    const { ask, failing } = connect(server.address, { timeoutMs: 500 });
    const failed = Promise.all([failing('long/1'), failing('long/2')]);
    expect((await ask('small')).status).toBe(200);
    for (const { code } of await failed) expect(code).toBe('BACKEND_TIMEOUT');
  });
});
