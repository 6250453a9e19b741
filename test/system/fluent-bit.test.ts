import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FluentRecord, startFluentBit } from '../servers/fluent-bit.ts';
import { hasGo } from '../servers/index.ts';
import { startLogCollector } from '../servers/log-collector.ts';
import { isHere } from '../templates/programs.helpers.ts';
import { eventually } from './agent.helpers.ts';
import { blockWith, logging } from './log-pipelines.helpers.ts';
import { useScene } from './openbao.helpers.ts';

const [isInstalled, canBuild] = await Promise.all([isHere('fluent-bit', '--version'), hasGo()]);
const scene = useScene();
const PARSER = blockWith('[PARSER]');

/** The lines of a log, with an error and the audit. */
async function linesOf(schema: string): Promise<readonly string[]> {
  const { config, readOnce } = await logging(scene, { schema });
  const agent = scene.run(config);
  for (const text of ['output-published', 'output-failed']) {
    await eventually(() => expect(agent.stderr()).toContain(text));
  }
  await eventually(async () => expect((await readOnce()).status).toBe(200));
  expect(await agent.stop()).toBe(0);
  return agent.stderr().trimEnd().split('\n');
}

/** Sections of the page that read this path. */
const reading = (path: string, ...words: readonly string[]): string =>
  blockWith('[INPUT]', ...words).replace(/^( +Path +).*$/m, `$1${path}`);

async function written(name: string, lines: readonly string[]): Promise<string> {
  const path = join((await scene.place()).dir, name);
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  return path;
}

/** What Fluent Bit puts out, when it is as many records as there are lines. */
async function recordsOf(parsers: string, pipeline: string, count: number): Promise<readonly FluentRecord[]> {
  await using server = await startFluentBit(parsers, pipeline);
  return await eventually(() => {
    expect(server.records().length).toBe(count);
    return server.records();
  });
}

describe.skipIf(!isInstalled)('Fluent Bit, which is not a package, reads as the page configures it', () => {
  it.each([
    ['pannier', 'time'],
    ['ecs', '@timestamp'],
  ])('a log of the schema %s, with its times', async (schema, key) => {
    const lines = await linesOf(schema);
    const path = await written('agent.log', lines);
    const parsers = PARSER.replace(/^( +Time_Key +).*$/m, `$1${key}`);
    const records = await recordsOf(parsers, reading(path, '/var/log/pannier.log'), lines.length);
    for (const [at, { date, ...record }] of records.entries()) {
      const line = JSON.parse(lines[at] ?? '');
      expect(record).toEqual(line);
      expect(Math.round(date * 1000)).toBe(Date.parse(line[key]));
    }
  });

  it('the audit over a socket', async () => {
    const socket = join((await scene.place()).dir, 'audit.sock');
    await using server = await startFluentBit(PARSER, reading(socket, 'unix_tcp'));
    await eventually(() => expect(existsSync(socket)).toBe(true));
    const { config, readOnce } = await logging(scene, { auditTo: `unix://${socket}` });
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    await eventually(async () => expect((await readOnce()).status).toBe(200));
    await eventually(() => expect(server.records().length).toBe(1));
    expect(server.records()[0]).toMatchObject({ fact: 'api-audit', audit: true, action: 'read', secret: 'app' });
    expect(await agent.stop()).toBe(0);
  });

  it.each([
    ['docker', (line: string) => [{ log: line.slice(0, 40) }, { log: `${line.slice(40)}\n` }].map(byDocker)],
    ['cri', (line: string) => [byCri('P', line.slice(0, 40)), byCri('F', line.slice(40))]],
  ])('the files of containers of %s, whose parts of lines it joins', async (name, split) => {
    const lines = await linesOf('pannier');
    const path = await written(`${name}.log`, lines.flatMap(split));
    const records = await recordsOf(PARSER, reading(path, 'multiline.parser'), lines.length);
    for (const [at, { date, fact, msg, stream }] of records.entries()) {
      const line = JSON.parse(lines[at] ?? '');
      expect([Math.round(date * 1000), fact, msg, stream]).toEqual([
        ...[Date.parse(line.time), line.fact, line.msg, 'stderr'],
      ]);
    }
  });

  it.skipIf(!canBuild)(
    'a log, and forwards it to the collector, which needs go on the PATH',
    async () => {
      const lines = await linesOf('otel');
      const socket = join((await scene.place()).dir, 'forward.sock');
      await using collector = await startLogCollector(blockWith('fluent_forward', 'log.cache["Timestamp"]'), socket);
      await eventually(() => expect(existsSync(socket)).toBe(true), 30_000);
      const input = reading(await written('agent.log', lines), '/var/log/pannier.log').replace(/^ +Parser .*\n/gm, '');
      const output = blockWith('[OUTPUT]').replace(/^( +)Host .*\n +Port .*$/m, `$1Unix_Path ${socket}`);
      await using _server = await startFluentBit(PARSER, input + output);
      const logs = await eventually(() => {
        expect(collector.logs().length).toBe(lines.length);
        return collector.logs();
      });
      const failed = logs.find(({ event }) => event === 'pannier.output-failed');
      expect(failed).toMatchObject({ severity: 'Error', body: 'output failed' });
      expect(failed?.attributes).toMatchObject({ 'error.type': 'RENDER_MISSING_FIELD', 'pannier.output': 'bad' });
    },
    300_000,
  );
});

const byDocker = (entry: { readonly log: string }): string =>
  JSON.stringify({ ...entry, stream: 'stderr', time: '2026-01-02T03:04:05.678901234Z' });
const byCri = (tag: 'F' | 'P', text: string): string => `2026-01-02T03:04:05.678901234Z stderr ${tag} ${text}`;
