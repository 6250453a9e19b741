import { describe, expect, it } from 'vitest';
import { formatTraceparent, parseTraceparent, randomId } from '../../src/trace/context.ts';
import { samplerOf } from '../../src/trace/sampler.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

describe('the header traceparent', () => {
  it('is read as it is written', () => {
    for (const sampled of [true, false]) {
      const context = { traceId: TRACE, spanId: SPAN, sampled };
      expect(parseTraceparent(formatTraceparent(context))).toEqual(context);
    }
  });

  it('of a later version may have more, and unknown flags do not count', () => {
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-the-future-holds`)?.traceId).toBe(TRACE);
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-ff`)?.sampled).toBe(true);
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-fe`)?.sampled).toBe(false);
  });

  it.each([
    '',
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
  ])('counts as absent when it is not valid: %s', (text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });
});

describe('an id', () => {
  it('is never all zero', () => {
    expect(randomId(16, () => 0)).toBe(`${'0'.repeat(31)}1`);
    expect(randomId(8, () => 1 - 2 ** -33)).toBe('f'.repeat(16));
  });
});

describe('a sampler', () => {
  const half = `${'f'.repeat(18)}8${'0'.repeat(13)}`;

  it('by ratio takes that part of all trace ids', () => {
    expect(samplerOf('traceidratio', '0.5')?.(half, undefined)).toBe(true);
    expect(samplerOf('traceidratio', '0.4999')?.(half, undefined)).toBe(false);
    expect(samplerOf('traceidratio', '0')?.('f'.repeat(32), undefined)).toBe(false);
    expect(samplerOf('traceidratio', undefined)?.(`${'0'.repeat(31)}1`, undefined)).toBe(true);
  });

  it('that is based on the parent follows the client, and decides where there is none', () => {
    const sampler = samplerOf('parentbased_always_off', undefined);
    expect(sampler?.(TRACE, undefined)).toBe(false);
    expect(sampler?.(TRACE, { traceId: TRACE, spanId: SPAN, sampled: true })).toBe(true);
  });

  it.each([
    ['xray', undefined],
    ['traceidratio', '2'],
    ['traceidratio', 'x'],
    ['parentbased_jaeger_remote', undefined],
  ])('that is not known is none: %s %s', (name, argument) => {
    expect(samplerOf(name, argument)).toBeUndefined();
  });
});
