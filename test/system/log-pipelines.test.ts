import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { startReceiver } from '../otlp/receiver.helpers.ts';
import { hasGo } from '../servers/index.ts';
import { startLogCollector } from '../servers/log-collector.ts';
import { startOtlpReceiver } from '../servers/otlp-receiver.ts';
import { eventually, type LogLine } from './agent.helpers.ts';
import { blockWith, logging } from './log-pipelines.helpers.ts';
import { get } from './observe.helpers.ts';
import { useScene } from './openbao.helpers.ts';

const canBuild = await hasGo();
const scene = useScene();
const setUp = (log: object, more?: object) => logging(scene, log, more);

/** The lines of a log file with an error, an audit and spans, as text. */
async function linesOf(schema: string): Promise<{ readonly path: string; readonly lines: readonly string[] }> {
  await using receiver = await startReceiver();
  const { dir, config, readOnce } = await setUp(
    { file: './agent.log', schema },
    { traces: { endpoint: receiver.address } },
  );
  const path = join(dir, 'agent.log');
  const agent = scene.run(config);
  const text = () => readFileSync(path, 'utf8');
  await eventually(() => expect(text()).toContain('output-published'));
  await eventually(() => expect(text()).toContain('output-failed'));
  await eventually(async () => expect((await readOnce()).status).toBe(200));
  expect([await agent.stop(), agent.output()]).toEqual([0, '']);
  return { path, lines: text().trim().split('\n') };
}

describe('log lines by OTLP', () => {
  it('are the lines of the log, with the spans of the traces, and go where traces go', async () => {
    await using receiver = await startReceiver();
    const { config, readOnce } = await setUp({ otlp: true }, { traces: { endpoint: receiver.address } });
    const agent = scene.run(config);
    const published = await agent.waitFor('output-published');
    await eventually(async () => expect((await readOnce()).status).toBe(200));
    expect(await agent.stop()).toBe(0);
    const told = agent.lines().map(({ fact }) => `pannier.${fact}`);
    expect(receiver.logs().map(({ event }) => event)).toEqual(told);
    expect(told).toContain('pannier.api-audit');
    const record = receiver.logs().find(({ event }) => event === 'pannier.output-published');
    expect([record?.traceId, record?.spanId]).toEqual([published['trace_id'], published['span_id']]);
    expect(receiver.spans().some(({ spanId }) => spanId === record?.spanId)).toBe(true);
    const failed = receiver.logs().find(({ event }) => event === 'pannier.output-failed');
    expect(failed).toMatchObject({ severity: 17, attributes: { 'error.type': 'RENDER_MISSING_FIELD' } });
  });

  it('are sent to the last one that init has', async () => {
    await using receiver = await startReceiver();
    const { config } = await setUp({ otlp: { endpoint: receiver.address } }, { outputs: {} });
    const { status } = await scene.init(config);
    expect(status).toBe(0);
    expect(receiver.logs().at(-1)?.event).toBe('pannier.init-done');
  });

  it('that a receiver does not take are counted, and the agent goes on', async () => {
    await using receiver = await startReceiver();
    receiver.answerNext(...Array.from({ length: 9 }, () => ({ status: 403 })));
    const admin = join((await scene.place()).dir, 'admin.sock');
    const { config } = await setUp({ otlp: { endpoint: receiver.address } }, { admin: { socket: admin } });
    const agent = scene.run(config);
    const dropped = await agent.waitFor('logs-dropped');
    expect(dropped).toMatchObject({ level: 'warn', code: 'LOGS_NOT_SENT', place: 'log.otlp' });
    const { body } = await get(admin, '/metrics');
    expect(body).toMatch(/^pannier_log_lines_total\{result="dropped"\} [1-9]/m);
    expect(await agent.stop()).toBe(0);
  });

  it.skipIf(!canBuild)(
    'are read by the decoder of the collector, which needs go on the PATH',
    async () => {
      await using receiver = await startOtlpReceiver();
      const { config } = await setUp({ otlp: { endpoint: receiver.address } });
      const agent = scene.run(config, { env: { OTEL_SERVICE_NAME: 'shop-secrets' } });
      await agent.waitFor('output-failed');
      expect(await agent.stop()).toBe(0);
      const failed = await eventually(() => {
        const found = receiver.logs().find(({ event }) => event === 'pannier.output-failed');
        expect(found).toBeDefined();
        return found;
      });
      expect(failed).toMatchObject({
        ...{ service: 'shop-secrets', severity: 'Error', body: 'output failed', year: new Date().getUTCFullYear() },
        attributes: { 'pannier.output': 'bad', 'error.type': 'RENDER_MISSING_FIELD' },
      });
    },
    300_000,
  );
});

describe.skipIf(!canBuild)('the filelog receiver of the collector, which needs go on the PATH', () => {
  it.each([
    ['otel', 'attributes.SeverityText'],
    ['pannier', 'parse_from: attributes.level'],
  ])(
    'reads a log of the schema %s as the page configures it',
    async (schema, text) => {
      const { path, lines } = await linesOf(schema);
      await using collector = await startLogCollector(blockWith(text), path);
      const logs = await eventually(() => {
        expect(collector.logs().length).toBe(lines.length);
        return collector.logs();
      }, 30_000);
      const plain = schema === 'pannier';
      const factOf = (attributes: Readonly<Record<string, unknown>>) =>
        plain ? attributes['fact'] : String(attributes['event.name']).replace('pannier.', '');
      const byFact = new Map(logs.map((log) => [factOf(log.attributes), log]));
      const published = byFact.get('output-published');
      expect(published).toMatchObject({ severity: 'Info', body: 'output published' });
      expect(published?.resource).toMatchObject({ 'service.name': 'pannier' });
      expect(published?.trace).toMatch(/^[0-9a-f]{32}$/);
      expect(published?.span).toMatch(/^[0-9a-f]{16}$/);
      expect(published?.attributes[plain ? 'output' : 'pannier.output']).toBe('o');
      expect(Math.abs((published?.timeMs ?? 0) - Date.now())).toBeLessThan(600_000);
      expect(byFact.get('output-failed')?.severity).toBe('Error');
      expect(byFact.get('agent-started')).toMatchObject({ trace: '', span: '' });
      expect(byFact.get('api-audit')?.attributes[plain ? 'audit' : 'pannier.audit']).toBe(true);
    },
    300_000,
  );
});

/** A time as the parser of Fluent Bit reads it by its format: strptime, with %L for fractions of a second. */
function timeBy(format: string, text: string): number | undefined {
  const parts: string[] = [];
  const pattern = format.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/%([YmdHMSLz])/g, (_, one: string) => {
    parts.push(one);
    return { Y: '(\\d{4})', L: '(\\d+)', z: '(Z|[+-]\\d\\d:?\\d\\d)' }[one] ?? '(\\d{2})';
  });
  const found = new RegExp(`^${pattern}$`).exec(text);
  if (found === null || pattern.includes('%')) return undefined;
  const of = (one: string) => found[parts.indexOf(one) + 1] ?? '';
  return Date.parse(`${of('Y')}-${of('m')}-${of('d')}T${of('H')}:${of('M')}:${of('S')}.${of('L')}${of('z')}`);
}

describe('parsers of other programs find in each line what the page says', () => {
  let lines: readonly LogLine[];
  beforeAll(async () => {
    lines = (await linesOf('pannier')).lines.map((line) => JSON.parse(line) as LogLine);
  }, 60_000);

  it('Fluent Bit: a time at the first level, as text in the format', async () => {
    const settings = new Map(
      [...blockWith('[PARSER]').matchAll(/^ +(\w+) +(.*)$/gm)].map(([, key = '', value = '']) => [key, value]),
    );
    expect(settings.get('Format')).toBe('json');
    const [key, format] = [settings.get('Time_Key') ?? '', settings.get('Time_Format') ?? ''];
    for (const line of lines) expect(timeBy(format, String(line[key]))).toBe(Date.parse(line.time));
    const { lines: ecs } = await linesOf('ecs');
    for (const line of ecs) expect(timeBy(format, JSON.parse(line)['@timestamp'])).toBeGreaterThan(0);
    expect(timeBy(format, '17')).toBe(undefined);
  });

  it('Vector: a time of three digits after the second, and one object a line', () => {
    const { transforms } = parse(blockWith('transforms:')) as { transforms: { pannier: { source: string } } };
    const [, name = '', format = ''] = /parse_timestamp!\(\.(\w+), "([^"]+)"\)/.exec(transforms.pannier.source) ?? [];
    for (const line of lines) {
      expect(timeBy(format.replace('%.3f', '.%L').replace('Z', '%z'), String(line[name]))).toBe(Date.parse(line.time));
      expect(line.time).toMatch(/\.\d{3}Z$/);
    }
  });

  it('Promtail: the fields of its labels as text, and a time of RFC 3339', () => {
    interface Stage {
      readonly json?: { readonly expressions: Readonly<Record<string, string>> };
      readonly labels?: Readonly<Record<string, unknown>>;
    }
    const { scrape_configs: all } = parse(blockWith('pipeline_stages')) as {
      scrape_configs: readonly { readonly pipeline_stages: readonly Stage[] }[];
    };
    const stages = all[0]?.pipeline_stages ?? [];
    const expressions = stages.flatMap(({ json }) => Object.entries(json?.expressions ?? {}));
    const labels = stages.flatMap((stage) => Object.keys(stage.labels ?? {}));
    expect(expressions.map(([name]) => name)).toEqual(expect.arrayContaining([...labels, 'time']));
    for (const line of lines) for (const [, field] of expressions) expect(typeof line[field]).toBe('string');
  });
});
