import { describe, expect, it } from 'vitest';
import { createEnvSink } from '../../../src/deliver/env/env-sink.ts';
import { bytesOf, failureOf, publish } from '../file/file-sink.helpers.ts';

const valuesOf = (sink: ReturnType<typeof createEnvSink>) =>
  [...(sink.current()?.byName ?? [])].map(([name, value]) => `${name}=${value.exposeText('env')}`);

describe('an environment', () => {
  it('is published in generations, and the first one is marked', async () => {
    const sink = createEnvSink('exec.env');
    expect([sink.current(), await sink.recover()]).toEqual([
      undefined,
      { generation: undefined, removed: 0, tmpfs: undefined },
    ]);
    expect(await publish(sink, { A: '1', B: '' })).toEqual({ generation: 1, first: true });
    expect(valuesOf(sink)).toEqual(['A=1', 'B=']);
    expect(await publish(sink, { A: '2', B: '' })).toEqual({ generation: 2, first: false });
    expect([valuesOf(sink), await sink.recover()]).toMatchObject([['A=2', 'B='], { generation: 2 }]);
  });

  it.each<[string, Record<string, string>, boolean]>([
    ['the same', { B: 'b', A: '1' }, true],
    ['another value', { A: '2', B: 'b' }, false],
    ['one more', { A: '1', B: 'b', C: '' }, false],
    ['one less', { A: '1' }, false],
    ['another name', { A: '1', C: 'b' }, false],
  ])('is equal when it is %s', async (_title, next, equal) => {
    const sink = createEnvSink('exec.env');
    await publish(sink, { A: '1', B: 'b' });
    expect((await sink.stage(bytesOf(next))) === 'equal').toBe(equal);
  });

  it('that was staged and discarded changes nothing', async () => {
    const sink = createEnvSink('exec.env');
    await publish(sink, { A: '1' });
    const staged = await sink.stage(bytesOf({ A: '2' }));
    if (typeof staged !== 'string') await staged.discard();
    expect(valuesOf(sink)).toEqual(['A=1']);
  });

  it('the steps that are done are those of the published variables', async () => {
    const sink = createEnvSink('exec.env');
    await publish(sink, { a: '1' });
    await sink.mark.advance(1, ['first']);
    expect(await sink.mark.owed()).toEqual({ generation: 1, done: ['first'] });
    await publish(sink, { a: '2' });
    expect(await sink.mark.owed()).toEqual({ generation: 2, done: [] });
  });

  it('is owed to the child until it is settled', async () => {
    const sink = createEnvSink('exec.env');
    expect(await sink.mark.owed()).toBeUndefined();
    await publish(sink, { A: '1' });
    expect(await sink.mark.owed()).toEqual({ generation: 1, done: [] });
    await sink.mark.settle(1);
    expect(await sink.mark.owed()).toBeUndefined();
    await publish(sink, { A: '2' });
    expect([await sink.mark.owed(), await sink.sweep()]).toEqual([{ generation: 2, done: [] }, undefined]);
  });

  it.each<[string, Uint8Array, string]>([
    ['a NUL', Buffer.from('hunter2\0x'), 'the value holds a NUL character, which no variable can hold'],
    ['bytes that are not UTF-8', Buffer.from([0x68, 0xff, 0xfe]), 'the value holds bytes that are not UTF-8'],
    ['more than the system takes', Buffer.alloc(131_069, 'h'), 'name and value have 131073 bytes; the limit is 131072'],
  ])('refuses %s, names the variable but not the value, and keeps the published ones', async (_title, value, seen) => {
    const sink = createEnvSink('exec.env');
    await publish(sink, { PW: 'old' });
    const { code, text } = await failureOf(sink.stage(new Map([['PW', value]])));
    expect([code, text.startsWith(`exec.env.PW: ${seen} `), text.includes('hunter2')]).toEqual([
      'EXEC_VARIABLE',
      true,
      false,
    ]);
    expect(valuesOf(sink)).toEqual(['PW=old']);
  });

  it('names every variable that it refuses in one error', async () => {
    const sink = createEnvSink('exec.env');
    const values = { A: Buffer.from('hunter2\0'), B: Buffer.from('good'), C: Buffer.from([0xff]) };
    const { text } = await failureOf(sink.stage(new Map(Object.entries(values))));
    expect(text).toContain(
      'exec.env.A: the value holds a NUL character, which no variable can hold; also exec.env.C: ',
    );
    expect(text).not.toContain('hunter2');
  });

  it('takes a variable as long as the system allows', async () => {
    const sink = createEnvSink('exec.env');
    await sink.stage(new Map([['PW', Buffer.alloc(131_068, 'x')]]));
  });
});
