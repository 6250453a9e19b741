import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failure } from '../../src/base/errors.ts';
import type { Fact } from '../../src/base/fact.ts';
import type { TraceIds } from '../../src/base/tracing.ts';
import { CLOSE_MS } from '../../src/otlp/exporter.ts';
import { openLogs } from '../../src/otlp/open-logs.ts';
import { FakeClock } from '../fake-clock.ts';
import { createAuthority } from '../servers/certificates.ts';
import { eventually } from '../system/agent.helpers.ts';
import { type Receiver, startReceiver } from './receiver.helpers.ts';

const IDS = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', sampled: true };

let receiver: Receiver;
let reports: Fact[];
let ids: TraceIds | undefined;
let clock: FakeClock;
let folder: string;
beforeEach(async () => {
  receiver = await startReceiver();
  [reports, ids, clock] = [[], IDS, new FakeClock()];
  folder = mkdtempSync(join(tmpdir(), 'pannier-logs-'));
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  await receiver[Symbol.asyncDispose]();
});

/** The path of a file with a text. */
function put(name: string, text = ''): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function open(
  env: Readonly<Record<string, string>> = {},
  config: object = { endpoint: receiver.address },
  traces = {},
) {
  const opened = openLogs(
    { place: 'log.otlp', ...config },
    { place: 'traces', ...traces },
    { clock, random: () => 0.5, env, version: '1.2.3', traced: () => ids },
  );
  opened.logs?.emitTo((fact) => void reports.push(fact));
  return opened;
}

const WARNING: Fact = { kind: 'agent-warning', warning: failure('LOG_FILE', 'log.file', 'seen') };

describe('log lines by OTLP', () => {
  it('have time, severity, event, attributes and span as the data model has them', async () => {
    const { logs } = open({ OTEL_SERVICE_NAME: 'shop-secrets' });
    logs?.take(WARNING, 'info');
    ids = undefined;
    const outputs = [{ output: 'o', dir: '/run/o', files: 2 }];
    logs?.take({ kind: 'init-done', published: 1, unchanged: 0, durationMs: 1.6, outputs }, 'info');
    await logs?.close();
    expect(receiver.requests.map(({ path }) => path)).toEqual(['/v1/logs']);
    const [first, second] = receiver.logs();
    expect(first).toMatchObject({
      ...{ severity: 13, severityText: 'WARN', body: 'warning', event: 'pannier.agent-warning' },
      ...{ traceId: IDS.traceId, spanId: IDS.spanId, timeNano: BigInt(Date.UTC(2026, 0, 1)) * 1_000_000n },
      resource: { 'service.name': 'shop-secrets', 'service.version': '1.2.3' },
    });
    expect(first?.attributes).toEqual({
      ...{ 'error.type': 'LOG_FILE', 'error.message': 'seen', 'pannier.place': 'log.file' },
      'pannier.hint': expect.stringContaining('SIGHUP'),
    });
    expect(second).toMatchObject({ severity: 9, traceId: undefined });
    expect(second?.attributes).toEqual({
      ...{ 'pannier.published': 1, 'pannier.unchanged': 0, 'pannier.durationMs': 2, 'pannier.outputs': outputs },
    });
    expect(reports).toEqual([{ kind: 'logs-sent', lines: 2 }]);
  });

  it('are those of the level of the log, without lines about their own sending', async () => {
    const { logs } = open();
    logs?.take({ kind: 'agent-stopping', reason: 'r' }, 'warn');
    logs?.take({ kind: 'logs-sent', lines: 1 }, 'trace');
    logs?.take(
      { kind: 'logs-dropped', lines: 1, failure: failure('LOGS_NOT_SENT', 'log.otlp', 'x'), again: false },
      'trace',
    );
    logs?.take({ kind: 'traces-sent', spans: 1 }, 'trace');
    logs?.take(WARNING, 'silent');
    await logs?.close();
    expect(receiver.logs().map(({ event }) => event)).toEqual(['pannier.traces-sent']);
  });

  it('that are refused are told once with their code, and show no credential', async () => {
    receiver.answerNext({ status: 401, body: 'hunter2' });
    const { logs } = open({ OTEL_EXPORTER_OTLP_LOGS_HEADERS: 'authorization=Bearer%20hunter2' });
    logs?.take(WARNING, 'info');
    await logs?.close();
    expect(reports).toMatchObject([
      { kind: 'logs-dropped', lines: 1, again: false, failure: { code: 'LOGS_NOT_SENT', place: 'log.otlp' } },
    ]);
    expect(receiver.requests[0]?.headers.authorization).toBe('Bearer hunter2');
    expect(JSON.stringify(reports)).not.toContain('hunter2');
  });

  it('go to their own receiver, to that of traces, or to that of the variables', async () => {
    const env = { OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: `${receiver.address}/logs/v1/logs` };
    for (const [config, traces] of [
      [{ endpoint: `${receiver.address}/own` }, {}],
      [{}, { endpoint: `${receiver.address}/t` }],
      [{}, {}],
    ]) {
      const { logs } = open(env, config, traces);
      logs?.take(WARNING, 'info');
      await logs?.close();
    }
    expect(receiver.requests.map(({ path }) => path)).toEqual(['/own/v1/logs', '/t/v1/logs', '/logs/v1/logs']);
  });

  it.each([
    [{ OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'nonsense c4n4ry' }, 'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT'],
    [{ OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: 'grpc' }, 'OTEL_EXPORTER_OTLP_LOGS_PROTOCOL'],
  ])('with a setting that cannot be used are a warning: %s', (env, place) => {
    const { logs, warnings } = open(env, {});
    expect(logs).toBe(undefined);
    expect(warnings).toMatchObject([{ code: 'LOGS_UNUSABLE', place }]);
    expect(JSON.stringify(warnings)).not.toContain('c4n4ry');
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_CERTIFICATE', '/no/c4n4ry.pem', 'cannot be read (ENOENT)'],
    ['OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY', '-----BEGIN PRIVATE KEY-----\nc4n4ry: 1): 2', 'cannot be read (ENOENT)'],
    ['OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE', import.meta.filename, 'the certificate files are not usable PEM'],
  ])('have a warning at the start when %s names no file of certificates', async (place, text, seen) => {
    const endpoint = receiver.address.replace('http:', 'https:');
    const { logs } = open({ [place]: text }, { endpoint });
    await eventually(() => expect(reports).toHaveLength(1));
    expect(reports).toMatchObject([{ kind: 'agent-warning', warning: { code: 'LOGS_UNUSABLE', place, seen } }]);
    logs?.take(WARNING, 'info');
    const closed = logs?.close();
    await eventually(() => expect(clock.waiting).toBe(2)); // for the next try, and for the end of all
    await clock.advance(CLOSE_MS);
    await closed;
    expect(reports).toMatchObject([{}, { kind: 'logs-dropped', lines: 1, failure: { seen } }]);
    expect(JSON.stringify(reports)).not.toContain('c4n4ry');
    expect(open({ [place]: text }).warnings).toEqual([]);
  });

  it.each(['', '{"a":"c4n4ry"}'])('have a warning when the file of the CA holds no certificate: %j', async (text) => {
    const endpoint = receiver.address.replace('http:', 'https:');
    const [file, place] = [put('ca.pem', text), 'OTEL_EXPORTER_OTLP_CERTIFICATE'];
    const { logs } = open({ [place]: file }, { endpoint });
    await eventually(() => expect(reports).toHaveLength(1));
    const seen = 'holds no certificate in PEM';
    const hint = expect.stringContaining('certificate of an authority');
    expect(reports).toMatchObject([{ warning: { code: 'LOGS_UNUSABLE', place, seen, hint } }]);
    logs?.take(WARNING, 'info');
    const closed = logs?.close();
    await eventually(() => expect(clock.waiting).toBe(2));
    await clock.advance(CLOSE_MS);
    await closed;
    expect(reports).toMatchObject([{}, { kind: 'logs-dropped', failure: { seen } }]);
    expect(JSON.stringify(reports)).not.toContain('c4n4ry');
  });

  it('have a warning with the names of both variables when the key is not the one of the certificate', async () => {
    const [one, other] = [createAuthority('one'), createAuthority('other')].map((by) => by.issue({ commonName: 'a' }));
    const env = {
      OTEL_EXPORTER_OTLP_LOGS_CLIENT_CERTIFICATE: put('one.pem', one?.certificatePem),
      OTEL_EXPORTER_OTLP_CLIENT_KEY: put('other.key', other?.keyPem),
    };
    const { logs, warnings } = open(env, { endpoint: receiver.address.replace('http:', 'https:') });
    await eventually(() => expect(reports).toHaveLength(1));
    const [certificate, key] = Object.keys(env);
    expect([warnings, reports]).toMatchObject([
      [],
      [
        {
          warning: {
            place: `${certificate}, ${key}`,
            seen: `${key} is not the key of ${certificate}`,
            hint: expect.stringContaining('a certificate and its own key'),
          },
        },
      ],
    ]);
    await logs?.close();
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_LOGS_CLIENT_CERTIFICATE', 'OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY'],
    ['OTEL_EXPORTER_OTLP_CLIENT_KEY', 'OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE'],
  ])('with %s alone are a warning that names the other variable', async (given, place) => {
    const { logs, warnings } = open({ [given]: '/no/c4n4ry.pem' }, { endpoint: 'https://127.0.0.1:1' });
    expect(warnings).toMatchObject([{ code: 'LOGS_UNUSABLE', place, seen: expect.stringContaining(given) }]);
    expect(JSON.stringify(warnings)).not.toContain('c4n4ry');
    await logs?.close();
    expect(open({ [given]: '/no/c4n4ry.pem' }).warnings).toEqual([]);
  });

  it('are switched off by OTEL_LOGS_EXPORTER=none', () => {
    expect(open({ OTEL_LOGS_EXPORTER: 'none' })).toEqual({ warnings: [] });
  });
});
