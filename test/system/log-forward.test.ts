import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startReceiver } from '../otlp/receiver.helpers.ts';
import { sendAsDocker } from '../servers/docker-fluentd.ts';
import { compressedForward, forward, packedForward } from '../servers/forward-messages.ts';
import { hasGo } from '../servers/index.ts';
import { type CollectedLog, type LogCollector, startLogCollector } from '../servers/log-collector.ts';
import { eventually } from './agent.helpers.ts';
import { blockWith, logging } from './log-pipelines.helpers.ts';
import { useScene } from './openbao.helpers.ts';

const canBuild = await hasGo();
const scene = useScene();

/** What only the block for a schema has on the page, and where facts, names and the mark of the audit are. */
const SCHEMAS = {
  pannier: { word: 'SEVERITY_NUMBER_INFO) where log.cache["level"]', fact: 'fact', prefix: '', audit: { audit: true } },
  ecs: {
    ...{ word: 'log.cache["@timestamp"]', fact: 'event.action', prefix: 'pannier.' },
    audit: { 'event.dataset': 'pannier.audit', 'event.outcome': 'success' },
  },
  otel: { word: 'log.cache["Timestamp"]', fact: undefined, prefix: 'pannier.', audit: { 'pannier.audit': true } },
} as const;
type Schema = keyof typeof SCHEMAS;

/** What an agent wrote to its two streams: its log, and its audit. */
async function streamsOf(schema: Schema): Promise<{ readonly stderr: string; readonly stdout: string }> {
  await using receiver = await startReceiver();
  const traces = { endpoint: receiver.address };
  const { config, readOnce } = await logging(scene, { schema, auditTo: 'stdout' }, { traces });
  const agent = scene.run(config);
  for (const text of ['output-published', 'output-failed']) {
    await eventually(() => expect(agent.stderr()).toContain(text));
  }
  await eventually(async () => expect((await readOnce()).status).toBe(200));
  expect(await agent.stop()).toBe(0);
  return { stderr: agent.stderr(), stdout: agent.stdout() };
}

/** The collector as the page configures it for a schema, at a socket. */
async function startFor(schema: Schema): Promise<{ readonly collector: LogCollector; readonly socket: string }> {
  const socket = join((await scene.place()).dir, 'forward.sock');
  const collector = scene.keep(
    await startLogCollector(blockWith('fluent_forward', SCHEMAS[schema].word, 'processors:'), socket),
  );
  await eventually(async () => {
    const probe = connect(socket);
    await once(probe, 'connect').finally(() => probe.destroy());
  }, 30_000);
  return { collector, socket };
}

/** The records by their facts, when there are so many of them. */
async function byFact(
  collector: LogCollector,
  schema: Schema,
  count: number,
): Promise<ReadonlyMap<unknown, CollectedLog>> {
  const logs = await eventually(() => {
    expect(collector.logs().length).toBe(count);
    return collector.logs();
  });
  const { fact } = SCHEMAS[schema];
  const factOf = ({ event, attributes }: CollectedLog) =>
    fact === undefined ? event.replace(/^pannier\./, '') : attributes[fact];
  return new Map(logs.map((log) => [factOf(log), log]));
}

const linesIn = (text: string): readonly string[] => text.trimEnd().split('\n');

/** The time and the span of a line that the agent wrote. */
function writtenIn(text: string, schema: Schema): { readonly timeMs: number; readonly trace: unknown } {
  const line = JSON.parse(linesIn(text).find((one) => one.includes('output-published')) ?? '');
  if (schema === 'otel') return { timeMs: Number(line.Timestamp) / 1e6, trace: line.TraceId };
  if (schema === 'ecs') return { timeMs: Date.parse(line['@timestamp']), trace: line.trace.id };
  return { timeMs: Date.parse(line.time), trace: line.trace_id };
}

function expectRead(records: ReadonlyMap<unknown, CollectedLog>, stderr: string, schema: Schema): void {
  const { prefix } = SCHEMAS[schema];
  const published = records.get('output-published');
  expect(published).toMatchObject({ severity: 'Info', body: 'output published', ...writtenIn(stderr, schema) });
  expect(published?.trace).toMatch(/^[0-9a-f]{32}$/);
  expect(published?.span).toMatch(/^[0-9a-f]{16}$/);
  expect(published?.attributes).toMatchObject({
    ...{ [`${prefix}output`]: 'o', [`${prefix}generation`]: 1, 'service.name': 'pannier' },
  });
  expect(records.get('output-failed')).toMatchObject({ severity: 'Error', body: 'output failed' });
  expect(JSON.stringify(records.get('output-failed')?.attributes)).toContain('"RENDER_MISSING_FIELD"');
  expect(records.get('agent-started')).toMatchObject({ trace: '', span: '' });
}

describe.skipIf(!canBuild)('the fluentforward receiver of the collector, which needs go on the PATH', () => {
  it.each(['pannier', 'ecs', 'otel'] as const)(
    'reads what the logging driver of Docker sends of log and audit in the schema %s, as the page configures it',
    async (schema) => {
      const { stderr, stdout } = await streamsOf(schema);
      const { collector, socket } = await startFor(schema);
      await sendAsDocker(stderr, 'stderr', socket);
      await sendAsDocker(stdout, 'stdout', socket);
      const count = linesIn(stderr).length + linesIn(stdout).length;
      const records = await byFact(collector, schema, count);
      expectRead(records, stderr, schema);
      const { prefix, audit } = SCHEMAS[schema];
      expect(records.get('output-published')?.attributes).toMatchObject({
        ...{ source: 'stderr', container_name: '/shop-secrets' },
      });
      expect(records.get('api-audit')).toMatchObject({
        ...{ severity: 'Info', body: 'API' },
        attributes: { ...audit, source: 'stdout', [`${prefix}secret`]: 'app', [`${prefix}action`]: 'read' },
      });
    },
    300_000,
  );

  it.each([
    ['Forward', forward],
    ['PackedForward', packedForward],
    ['CompressedPackedForward', compressedForward],
  ])(
    'reads lines in messages of mode %s, with the time of the line and not that of its sender',
    async (_, pack) => {
      const { stderr } = await streamsOf('pannier');
      const { collector, socket } = await startFor('pannier');
      const lines = linesIn(stderr).map((log) => ({ log, wallMs: Date.parse('2001-02-03T04:05:06Z') }));
      const client = connect(socket);
      client.end(pack('containers.shop', lines));
      const records = await byFact(collector, 'pannier', lines.length);
      expectRead(records, stderr, 'pannier');
      expect(records.get('output-published')?.attributes['fluent.tag']).toBe('containers.shop');
    },
    300_000,
  );

  it('leaves the lines of other programs, and what Docker has cut at 16 KiB, as they are', async () => {
    const { collector, socket } = await startFor('pannier');
    const cut = `{"level":"info","time":"2026-01-02T03:04:05.678Z","fact":"x","hint":"${'x'.repeat(17_000)}","msg":"m"}`;
    await sendAsDocker(`ready\n{"level":30,"time":1}\n${cut}\n`, 'stdout', socket);
    const logs = await eventually(() => {
      expect(collector.logs().length).toBe(4);
      return collector.logs();
    });
    expect(logs.slice(0, 2).map(({ body }) => body)).toEqual(['ready', '{"level":30,"time":1}']);
    const parts = logs.slice(2);
    expect(parts.map(({ body }) => body).join('')).toBe(cut);
    expect(parts.map(({ body }) => String(body).length)).toEqual([16_384, cut.length - 16_384]);
    const told = parts.map(({ attributes: { partial_message, partial_ordinal, partial_last } }) => [
      ...[partial_message, partial_ordinal, partial_last],
    ]);
    expect(told).toEqual([
      ['true', '1', 'false'],
      ['true', '2', 'true'],
    ]);
  }, 300_000);
});
