import { describe, expect, it } from 'vitest';
import { createStderrWriter } from '../../src/log/standard-error.ts';

/** A descriptor that answers each write as it is told: so many bytes taken, or an error code. */
function fakeDescriptor(...answers: (number | string)[]) {
  const written: string[] = [];
  return {
    written,
    left: () => answers.length,
    write(_fd: number, bytes: Buffer): number {
      const answer = answers.shift() ?? bytes.length;
      if (typeof answer === 'string') throw Object.assign(new Error(answer), { code: answer });
      written.push(bytes.subarray(0, answer).toString());
      return answer;
    },
  };
}

describe('log lines on standard error', () => {
  it('are whole when a write takes only a part, or nothing for a moment', () => {
    const { written, write } = fakeDescriptor(3, 'EAGAIN', 'EBUSY', 2);
    createStderrWriter(write)('{"a":1}\n');
    expect(written).toEqual(['{"a', '":', '1}\n']);
  });

  it('are dropped once nobody reads them', () => {
    const { written, write, left } = fakeDescriptor('EPIPE', 1);
    const print = createStderrWriter(write);
    print('one\n');
    print('two\n');
    expect([written, left()]).toEqual([[], 1]);
  });

  it('that failed come before the next one', () => {
    const { written, write } = fakeDescriptor(2, 'ENOSPC');
    const print = createStderrWriter(write);
    expect(() => print('one\n')).toThrow('ENOSPC');
    print('two\n');
    expect(written.join('')).toBe('one\ntwo\n');
  });
});
