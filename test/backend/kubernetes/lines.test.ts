import { describe, expect, it } from 'vitest';
import { readEvent } from '../../../src/backend/kubernetes/watch/event.ts';
import { Lines, LineTooLong, MAX_LINE_BYTES } from '../../../src/backend/kubernetes/watch/lines.ts';

const TEXT = '{"a":"grüße 🔑"}\n\n  {"b":2}\r\n{"c":"';

describe('the lines of a stream', () => {
  it('are the same wherever its chunks are cut, also within a character', () => {
    const bytes = Buffer.from(TEXT);
    for (let size = 1; size <= bytes.length; size++) {
      const lines = new Lines();
      const found: string[] = [];
      for (let at = 0; at < bytes.length; at += size) found.push(...lines.add(bytes.subarray(at, at + size)));
      expect(found).toEqual(['{"a":"grüße 🔑"}', '{"b":2}']);
      expect(lines.add(Buffer.from('3"}\n'))).toEqual(['{"c":"3"}']);
    }
  });

  it('that never end are given up', () => {
    const lines = new Lines();
    const chunk = Buffer.alloc(MAX_LINE_BYTES / 4, 'x');
    for (let i = 0; i < 4; i++) lines.add(chunk);
    expect(() => lines.add(Buffer.from('x'))).toThrow(LineTooLong);
  });
});

describe('an event of a watch', () => {
  it.each([
    ['{"type":"ADDED","object":{"metadata":{"resourceVersion":"7"}}}', { kind: 'object', version: '7' }],
    ['{"type":"MODIFIED","object":{"metadata":{"resourceVersion":"7"}}}', { kind: 'object', version: '7' }],
    ['{"type":"DELETED","object":{"metadata":{"resourceVersion":"7"}}}', { kind: 'deleted', version: '7' }],
    ['{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"7"}}}', { kind: 'bookmark', version: '7' }],
    ['{"type":"ERROR","object":{"code":410}}', { kind: 'gone' }],
    ['{"type":"ERROR","object":{"reason":"Expired"}}', { kind: 'gone' }],
    ['{"type":"ERROR","object":{"code":500}}', { kind: 'error', code: 500 }],
    ['{"type":"ERROR"}', { kind: 'error', code: 0 }],
    ['{"type":"ADDED","object":{"metadata":{"resourceVersion":7}}}', undefined],
    ['{"type":"ADDED","object":null}', undefined],
    ['{"type":"constructor","object":{"metadata":{"resourceVersion":"7"}}}', undefined],
    ['[]', undefined],
    ['null', undefined],
    ['{', undefined],
  ])('%s', (line, event) => {
    expect(readEvent(line)).toEqual(event);
  });
});
