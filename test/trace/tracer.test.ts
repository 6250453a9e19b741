import { describe, expect, it } from 'vitest';
import { failure } from '../../src/base/errors.ts';
import type { Fact } from '../../src/base/fact.ts';
import type { Work } from '../../src/base/tracing.ts';
import type { Sampler } from '../../src/trace/sampler.ts';
import type { Span } from '../../src/trace/span.ts';
import { Tracer } from '../../src/trace/tracer.ts';
import { FakeClock } from '../fake-clock.ts';
import { reply } from '../faults/fault-server.ts';
import { connect, serve } from '../http/client.helpers.ts';

const REMOTE = '0af7651916cd43dd8448eb211c80319c';

function setUp(sampler: Sampler = (_, parent) => parent?.sampled ?? true) {
  const clock = new FakeClock();
  let number = 0;
  const random = () => ++number / 2 ** 32;
  const spans: Span[] = [];
  const sender = { add: (more: readonly Span[]) => void spans.push(...more), close: async () => {} };
  const tracer = new Tracer({ clock, random, sampler, sender });
  const named = (name: string) => spans.filter((span) => span.name === name);
  /** An attempt for a secret that brought another value. */
  const fetched = (...secrets: string[]) =>
    tracer.within(attempt(...secrets), async () => {
      await clock.advance(10);
      tracer.hear({ kind: 'secret-changed', secrets, life: 'poll', first: false });
    });
  const published = (output: string, generation: number, secrets: readonly string[]) =>
    tracer.within({ kind: 'publish', output, secrets }, async () => {
      tracer.hear({ kind: 'output-published', output, generation, files: 1, durationMs: 1 });
    });
  return { clock, tracer, spans, named, fetched, published };
}

const attempt = (...secrets: string[]): Work => ({ kind: 'attempt', secrets, doing: 'fetch' });
const unchanged = (...secrets: string[]): Fact => ({ kind: 'secret-unchanged', secrets });

describe('a tracer', () => {
  it('passes results and errors on, and runs at once', async () => {
    const { tracer } = setUp();
    let hasRun = false;
    const result = tracer.within(attempt('a'), async () => {
      hasRun = true;
      return 7;
    });
    expect(hasRun).toBe(true);
    expect(await result).toBe(7);
    const thrown = new Error('x');
    await expect(tracer.within(attempt('a'), () => Promise.reject(thrown))).rejects.toBe(thrown);
  });

  it('makes no trace of an attempt that found nothing new, however many requests it made', async () => {
    const { tracer, spans } = setUp();
    await tracer.within(attempt('a'), async () => {
      await tracer.within({ kind: 'call', backend: 'bao', call: 'GET secret/data/a' }, async () => {
        tracer.hear({
          kind: 'backend-answered',
          backend: 'bao',
          call: 'GET secret/data/a',
          status: 404,
          durationMs: 1,
        });
      });
      tracer.hear(unchanged('a'));
    });
    expect(spans).toEqual([]);
  });

  it('gives work in the course of other work the same trace, and sends it in one piece', async () => {
    const { tracer, spans, clock } = setUp();
    await tracer.within({ kind: 'start' }, async () => {
      await tracer.within(attempt('a'), async () => {
        await clock.advance(5);
        tracer.hear({ kind: 'secret-changed', secrets: ['a'], life: 'poll', first: true });
      });
      expect(spans).toEqual([]);
    });
    const [fetch, start] = spans;
    expect([fetch?.traceId, fetch?.parentId]).toEqual([start?.traceId, start?.spanId]);
    expect((fetch?.endWallMs ?? 0) - (fetch?.startWallMs ?? 0)).toBe(5);
  });

  it('gives what a timer of ended work begins a trace of its own', async () => {
    const { tracer, spans, clock, fetched } = setUp();
    await tracer.within(attempt('a'), async () => {
      clock.after(1_000, () => void fetched('b'));
      tracer.hear({ kind: 'secret-changed', secrets: ['a'], life: 'poll', first: true });
    });
    await clock.advance(2_000);
    expect(spans.length).toBe(2);
    expect(spans[1]?.traceId).not.toBe(spans[0]?.traceId);
    expect(spans[1]?.parentId).toBeUndefined();
    expect(tracer.current()).toBeUndefined();
  });

  it('has a publish follow the first change that it publishes, with links to the others', async () => {
    const { named, fetched, published } = setUp();
    await fetched('a');
    await fetched('b');
    await fetched('unrelated');
    await published('shop', 1, ['b', 'a']);
    const [a, b] = named('fetch secret');
    const [publish] = named('publish output');
    expect([publish?.traceId, publish?.parentId]).toEqual([a?.traceId, a?.spanId]);
    expect(publish?.links).toMatchObject([{ traceId: b?.traceId, spanId: b?.spanId }]);
    await fetched('b');
    await published('shop', 2, ['b', 'a']);
    expect(named('publish output')[1]?.parentId).toBe(named('fetch secret')[3]?.spanId);
    expect(named('publish output')[1]?.links).toEqual([]);
  });

  it('has a reload follow the publish of its generation, and a failure is its status', async () => {
    const { tracer, named, fetched, published } = setUp();
    await fetched('a');
    await published('shop', 2, ['a']);
    const why = failure('RELOAD_COMMAND_FAILED', 'outputs.shop.reload[0]', 'exit status 1');
    const reload = (generation: number) =>
      tracer.within({ kind: 'reload', output: 'shop', generation }, async () => {
        tracer.hear({ kind: 'reload-failed', output: 'shop', generation, step: 'command', failure: why });
      });
    await reload(2);
    await reload(1);
    const [ours, earlier] = named('reload application');
    expect(ours?.parentId).toBe(named('publish output')[0]?.spanId);
    expect(ours?.error).toEqual({ code: why.code, place: why.place });
    expect(earlier?.parentId).toBeUndefined();
  });

  it('goes on with the trace of a client, and follows its decision', async () => {
    const { tracer, spans, named, fetched, published } = setUp();
    const route = 'POST /v1/secrets/:name/refresh';
    const request = (flags: string) =>
      tracer.within({ kind: 'request', route, traceparent: `00-${REMOTE}-b7ad6b7169203331-${flags}` }, async () => {
        await fetched('a');
        return tracer.headers()['traceparent'];
      });
    expect(await request('01')).toMatch(new RegExp(`^00-${REMOTE}-[0-9a-f]{16}-01$`));
    await published('shop', 1, ['a']);
    expect(spans.map(({ traceId }) => traceId)).toEqual(spans.map(() => REMOTE));
    expect(named(route)).toMatchObject([{ kind: 2, parentId: 'b7ad6b7169203331', isParentRemote: true }]);
    const before = spans.length;
    expect(await request('00')).toMatch(new RegExp(`^00-${REMOTE}-[0-9a-f]{16}-00$`));
    await published('shop', 2, ['a']);
    expect(spans.length).toBe(before);
  });

  it('has each request to a Vault carry its own span on', async () => {
    const { tracer, spans } = setUp();
    const server = await serve(reply(200, '{"data":{}}'));
    const { ask } = connect(server.address, {}, { tracing: tracer });
    await tracer.within({ kind: 'start' }, () => ask('secret/data/shop'));
    const [call, start] = spans;
    expect(server.requests[0]?.headers['traceparent']).toBe(`00-${start?.traceId}-${call?.spanId}-01`);
    expect([call?.kind, call?.parentId]).toEqual([3, start?.spanId]);
  });

  it('shows neither the path of a computed secret nor that of a request', async () => {
    const { tracer, spans } = setUp();
    await tracer.within(attempt('bao secret/c4n4ry', 'app'), async () => {
      const call = 'GET secret/data/c4n4ry';
      await tracer.within({ kind: 'call', backend: 'bao', call }, async () => {
        tracer.hear({ kind: 'backend-answered', backend: 'bao', call, status: 200, durationMs: 1 });
      });
      tracer.hear({ kind: 'backend-answered', backend: 'bao', call, status: 403, durationMs: 1 });
      tracer.hear({ kind: 'secret-changed', secrets: ['app'], life: 'poll', first: true });
    });
    expect(spans.length).toBe(3);
    expect(JSON.stringify(spans)).not.toContain('c4n4ry');
    expect(spans[2]?.attributes['pannier.secrets']).toEqual(['(computed)', 'app']);
  });
});
