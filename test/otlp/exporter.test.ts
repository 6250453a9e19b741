import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Fact } from '../../src/base/fact.ts';
import { CLOSE_MS, Exporter, MAX_WAITING } from '../../src/otlp/exporter.ts';
import { type OtlpSettings, readSettings } from '../../src/otlp/settings.ts';
import { encodeSpans } from '../../src/trace/otlp.ts';
import type { Span } from '../../src/trace/span.ts';
import { FakeClock } from '../fake-clock.ts';
import { eventually } from '../system/agent.helpers.ts';
import { type Receiver, startReceiver } from './receiver.helpers.ts';

let receiver: Receiver;
let clock: FakeClock;
let facts: Fact[];
beforeEach(async () => {
  receiver = await startReceiver();
  clock = new FakeClock();
  facts = [];
});
afterEach(() => receiver[Symbol.asyncDispose]());

function sender(env: Readonly<Record<string, string>> = {}, endpoint = receiver.address): Exporter<Span> {
  const settings = readSettings('traces', { endpoint, place: 'traces' }, env, '0').settings as OtlpSettings;
  return new Exporter<Span>({
    ...{ settings, clock, random: () => 0.5, env: {}, version: '0' },
    export: {
      ...{ place: 'traces', code: 'TRACES_NOT_SENT', noun: 'spans', rejected: 'rejectedSpans' },
      encode: (spans) => encodeSpans(spans, settings.resource, '0'),
      onSent: (spans) => facts.push({ kind: 'traces-sent', spans }),
      onDropped: (spans, failure, again) => facts.push({ kind: 'traces-dropped', spans, failure, again }),
    },
  });
}

let number = 0;
function span(name = 'work'): Span {
  const id = (++number).toString(16);
  const ids = { traceId: id.padStart(32, '0'), spanId: id.padStart(16, '0') };
  return {
    ...ids,
    name,
    kind: 1,
    startWallMs: clock.wallMs(),
    endWallMs: clock.wallMs() + 1.5,
    attributes: {},
    links: [],
  };
}
const spans = (count: number) => Array.from({ length: count }, () => span());
const told = (kind: Fact['kind']) => facts.filter((fact) => fact.kind === kind);

describe('an exporter', () => {
  it('gathers spans for a moment, and sends them in one request', async () => {
    const sent = sender({ OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20t' });
    sent.add(spans(2));
    sent.add(spans(1));
    expect(receiver.requests).toEqual([]);
    await clock.advance(5_000);
    await eventually(() => expect(told('traces-sent')).toEqual([{ kind: 'traces-sent', spans: 3 }]));
    expect(receiver.requests).toMatchObject([
      { path: '/v1/traces', headers: { 'content-type': 'application/json', authorization: 'Bearer t' } },
    ]);
    expect(receiver.spans().map(({ endNano, startNano }) => endNano - startNano)).toEqual(
      [1, 1, 1].map(() => 1_500_000n),
    );
    await sent.close();
    expect(clock.waiting).toBe(0);
  });

  it.each([429, 502, 503, 504])('sends again what the receiver refuses for now with %d', async (status) => {
    receiver.answerNext({ status, headers: { 'Retry-After': '7' } });
    const sent = sender();
    sent.add(spans(512));
    await eventually(() => expect(receiver.requests.length).toBe(1));
    await eventually(() => expect(clock.waiting).toBe(1));
    await clock.advance(6_900);
    expect(receiver.requests.length).toBe(1);
    await clock.advance(1_000);
    await eventually(() => expect(told('traces-sent')).toEqual([{ kind: 'traces-sent', spans: 512 }]));
    await sent.close();
  });

  it.each([400, 401, 404, 500])('drops what the receiver refuses with %d, and says so once', async (status) => {
    receiver.answerNext({ status }, { status });
    const sent = sender();
    sent.add(spans(1_024));
    await eventually(() => expect(told('traces-dropped').length).toBe(2));
    expect(told('traces-dropped')).toMatchObject([
      {
        spans: 512,
        again: false,
        failure: {
          code: 'TRACES_NOT_SENT',
          seen: `${receiver.address} answered with HTTP ${status}`,
          hint: expect.stringContaining(status === 401 ? '_HEADERS' : status === 404 ? 'path' : 'address'),
        },
      },
      { spans: 512, again: true },
    ]);
    expect(receiver.requests.length).toBe(2);
    await sent.close();
  });

  it('counts what a receiver took only in part', async () => {
    receiver.answerNext({ status: 200, body: '{"partialSuccess":{"rejectedSpans":"2","errorMessage":"no"}}' });
    const sent = sender();
    sent.add(spans(3));
    await sent.close();
    expect(facts).toMatchObject([
      { kind: 'traces-dropped', spans: 2 },
      { kind: 'traces-sent', spans: 1 },
    ]);
  });

  it('keeps a bounded number while the receiver is down, and tells how many it dropped', async () => {
    receiver.answerNext({ status: 503 }, { status: 503 });
    const sent = sender();
    sent.add(spans(512));
    await eventually(() => expect(clock.waiting).toBe(1));
    sent.add(spans(MAX_WAITING + 10));
    await clock.advance(1_000);
    await eventually(() => expect(clock.waiting).toBe(1));
    await clock.advance(30_000);
    await eventually(() => expect(receiver.spans().length).toBe(512 + MAX_WAITING));
    expect(told('traces-dropped')).toMatchObject([
      { spans: 10, failure: { seen: `more than ${MAX_WAITING} spans wait` } },
    ]);
    await sent.close();
  });

  it('halves a request that is too large for the receiver, and drops what still is', async () => {
    receiver.answerNext({ status: 413 }, { status: 200 }, { status: 413 }, { status: 413 }, { status: 200 });
    const sent = sender();
    sent.add(spans(4));
    await sent.close();
    expect(receiver.spans().length).toBe(3);
    expect(facts).toMatchObject([
      { kind: 'traces-sent', spans: 2 },
      { kind: 'traces-dropped', spans: 1, failure: { seen: `${receiver.address} answered with HTTP 413` } },
      { kind: 'traces-sent', spans: 1 },
    ]);
  });

  it('ends within a bound when the receiver is away', async () => {
    receiver.answerNext({ status: 503 });
    const sent = sender();
    sent.add(spans(4));
    const closed = sent.close();
    await eventually(() => expect(receiver.requests.length).toBe(1));
    await eventually(() => expect(clock.waiting).toBe(2));
    receiver.answerNext(...Array.from({ length: 50 }, () => ({ status: 503 })));
    for (let i = 0; i < 20; i++) await clock.advance(CLOSE_MS / 10);
    await closed;
    const seen = `${receiver.address} answered with HTTP 503`;
    expect(told('traces-dropped')).toMatchObject([{ spans: 4, failure: { seen } }]);
    expect(clock.waiting).toBe(0);
  });

  it('shows no credential when it fails', async () => {
    receiver.answerNext({ status: 401, body: 'hunter2 is wrong' });
    const sent = sender({ OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20hunter2' });
    sent.add(spans(1));
    await sent.close();
    expect(told('traces-dropped').length).toBe(1);
    expect(JSON.stringify(facts)).not.toContain('hunter2');
  });

  it.each([
    [401, /OTEL_EXPORTER_OTLP_HEADERS/],
    [403, /OTEL_EXPORTER_OTLP_HEADERS/],
    [404, /the path/],
  ])('says what to look at when the receiver answers %d', async (status, hint) => {
    receiver.answerNext({ status });
    const sent = sender();
    sent.add(spans(1));
    await sent.close();
    expect(told('traces-dropped')).toMatchObject([{ failure: { hint: expect.stringMatching(hint) } }]);
  });

  it('names the variables of certificates when one of their files is missing', async () => {
    const sent = sender({ OTEL_EXPORTER_OTLP_CERTIFICATE: '/nonexistent.pem' }, 'https://127.0.0.1:1');
    sent.add(spans(512));
    await eventually(async () => {
      await clock.advance(10_000);
      expect(told('traces-dropped').length).toBe(1);
    });
    await sent.close();
    const hint = expect.stringContaining('OTEL_EXPORTER_OTLP_CERTIFICATE');
    expect(told('traces-dropped')).toMatchObject([{ failure: { hint } }]);
  });
});
