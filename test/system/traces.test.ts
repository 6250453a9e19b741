import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sampleOf } from '../observe/exposition.helpers.ts';
import type { ReceivedSpan } from '../otlp/decode.helpers.ts';
import { startReceiver } from '../otlp/receiver.helpers.ts';
import { hasGo, startOtlpReceiver } from '../servers/index.ts';
import { treeOf } from '../trace/tree.helpers.ts';
import { eventually } from './agent.helpers.ts';
import { get, scrape } from './observe.helpers.ts';
import { baoOf, useScene, useWorld } from './openbao.helpers.ts';

const canBuild = await hasGo();
const scene = useScene();
const world = useWorld();

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

/** A configuration with one secret, an output that is checked, and a reload that is verified. */
async function setUp(endpoint: string, more: object = {}) {
  const place = await scene.place();
  const parts = {
    backends: { bao: baoOf(world()) },
    secrets: { app: { kv: 'secret/shop/app', refresh: '200ms' } },
    outputs: {
      shop: {
        dir: join(place.dir, 'out'),
        quiet: '50ms',
        files: { password: { content: '{{app.password}}' } },
        check: { command: { argv: ['test', '-s', '{dir}/password'] } },
        reload: [{ command: { argv: ['true'] } }],
        verify: { command: { argv: ['true'] } },
      },
    },
    traces: { endpoint },
    ...more,
  };
  const config = await place.config(parts);
  const rewrite = (traces: object) => place.config({ ...parts, traces });
  return { config, rewrite };
}

/** The spans of the trace that `span` is of. */
const traceOf = (spans: readonly ReceivedSpan[], span: ReceivedSpan | undefined) =>
  spans.filter(({ traceId }) => traceId === span?.traceId);

const ofChange = (change: string) => (span: ReceivedSpan) => span.attributes['pannier.change'] === change;

describe('traces', () => {
  it('show one rotation as one trace, from the change to the reload', async () => {
    await using receiver = await startReceiver();
    await world().putSecret('app', { password: 'one' });
    const { config } = await setUp(receiver.address);
    const agent = scene.run(config, { env: { OTEL_SERVICE_NAME: 'shop-secrets' } });
    await agent.waitFor('output-published');
    await world().putSecret('app', { password: 'two' });
    const published = await agent.waitFor('output-published', { count: 2 });
    await agent.waitFor('reload-done');
    expect(await agent.stop()).toBe(0);

    const spans = receiver.spans();
    const rotation = traceOf(spans, spans.find(ofChange('changed')));
    const start = traceOf(spans, spans.find(ofChange('first')));
    const page = readFileSync('docs/traces.md', 'utf8');
    expect(page).toContain(`\`\`\`text\n${treeOf(rotation)}\n\`\`\``);
    expect(page).toContain(`\`\`\`text\n${treeOf(start)}\n\`\`\``);
    // A poll that finds nothing new is no trace, and a log line names its span.
    expect(spans.length).toBe(rotation.length + start.length);
    const publish = rotation.find(({ name }) => name === 'publish output');
    expect([published['trace_id'], published['span_id']]).toEqual([publish?.traceId, publish?.spanId]);
    expect(spans[0]?.resource['service.name']).toBe('shop-secrets');
    expect(rotation.every(({ error }) => error === undefined)).toBe(true);
  });

  it('go on with the trace of a client of the API, to the server and to the files', async () => {
    await using receiver = await startReceiver();
    await world().putSecret('app', { password: 'one' });
    const { config } = await setUp(receiver.address, {
      secrets: { app: { kv: 'secret/shop/app', refresh: '1h' } },
      api: { socket: join((await scene.place()).dir, 'api.sock'), control: true },
    });
    const { api } = JSON.parse(readFileSync(config, 'utf8')) as { api: { socket: string } };
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    await world().putSecret('app', { password: 'two' });
    const traceparent = `00-${TRACE}-${SPAN}-01`;
    const answer = await get(
      api.socket,
      '/v1/secrets/app/refresh',
      { traceparent, 'X-Pannier-Request': 'true' },
      'POST',
    );
    expect(answer).toMatchObject({ status: 200 });
    await agent.waitFor('reload-done');
    await get(api.socket, '/v1/secrets/app', { traceparent: 'nonsense', 'X-Pannier-Request': 'true' });
    await agent.stop();
    const trace = receiver.spans().filter(({ traceId }) => traceId === TRACE);
    expect(trace.map(({ name }) => name).sort()).toEqual([
      'POST /v1/secrets/:name/refresh',
      'backend read',
      'check',
      'fetch secret',
      'publish output',
      'reload application',
      'reload by command',
      'render',
      'verify',
    ]);
    const [request] = trace.filter(({ kind }) => kind === 'server');
    expect(request).toMatchObject({ parentSpanId: SPAN, flags: 0x301 });
    // One that is not valid begins another trace.
    expect(receiver.spans().filter(({ kind }) => kind === 'server').length).toBe(2);
  });

  it('are refused, dropped and counted without harm to the agent', async () => {
    await using receiver = await startReceiver();
    receiver.answerNext(...Array.from({ length: 9 }, () => ({ status: 401 })));
    await world().putSecret('app', { password: 'one' });
    const admin = join((await scene.place()).dir, 'admin.sock');
    const { config, rewrite } = await setUp(receiver.address, { admin: { socket: admin } });
    const env = { OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20c4n4ry' };
    const agent = scene.run(config, { env });
    const dropped = await agent.waitFor('traces-dropped');
    expect(dropped).toMatchObject({ level: 'warn', code: 'TRACES_NOT_SENT', place: 'traces' });
    const count = sampleOf(await scrape(admin), 'pannier_trace_spans_total', { result: 'dropped' });
    expect(count).toBeGreaterThan(5);
    expect(receiver.requests[0]?.headers.authorization).toBe('Bearer c4n4ry');
    // Another section needs a start, and is a warning.
    await rewrite({ endpoint: 'http://127.0.0.1:9' });
    await agent.waitFor('agent-warning', {
      fits: ({ code, place }) => code === 'TRACES_UNUSABLE' && place === 'traces',
    });
    expect(await agent.stop()).toBe(0);
    expect(agent.output()).not.toContain('c4n4ry');
  });

  it.skipIf(!canBuild)(
    'are read by the decoder of the collector, which needs go on the PATH',
    async () => {
      await using receiver = await startOtlpReceiver();
      await world().putSecret('app', { password: 'one' });
      const { config } = await setUp(receiver.address);
      expect((await scene.init(config)).status).toBe(0);
      const spans = await eventually(() => {
        expect(receiver.spans().length).toBeGreaterThan(5);
        return receiver.spans();
      });
      const byName = new Map(spans.map((span) => [span.name, span]));
      expect(new Set(spans.map(({ trace }) => trace)).size).toBe(1);
      expect(byName.get('backend read')).toMatchObject({
        ...{ service: 'pannier', kind: 'Client', status: 'Unset', links: 0 },
        year: new Date().getUTCFullYear(),
        parent: byName.get('fetch secret')?.span,
        attributes: { 'pannier.backend': 'bao', 'pannier.operation': 'read', 'http.response.status_code': 200 },
      });
      expect(byName.get('fetch secret')?.attributes['pannier.secrets']).toEqual(['app']);
    },
    120_000,
  );
});
