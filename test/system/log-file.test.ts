import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually, type LogLine } from './agent.helpers.ts';
import { get } from './observe.helpers.ts';
import { useScene } from './openbao.helpers.ts';

const scene = useScene();

async function setUp(file: string | undefined, more: object = {}) {
  const place = await scene.place();
  writeFileSync(join(place.dir, 'secrets.json'), '{"app": {"x": "1"}}');
  const parts = {
    backends: { demo: { kind: 'file', path: './secrets.json' } },
    secrets: { app: { key: 'app' } },
    outputs: { o: { dir: join(place.dir, 'o'), files: { f: { content: '{{app.x}}' } } } },
  };
  const write = (log: object, sections = {}) => place.config({ ...parts, log, ...sections });
  const config = await write({ ...more, ...(file === undefined ? {} : { file }) });
  const facts = (name: string) => {
    const path = join(place.dir, name);
    const lines = existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
    return lines.filter((line) => line.startsWith('{')).map((line) => (JSON.parse(line) as LogLine).fact);
  };
  return { dir: place.dir, config, write, facts };
}

describe('a log file', () => {
  it('takes the lines instead of standard error, is private, and is opened again by SIGHUP', async () => {
    const { dir, config, facts } = await setUp('./agent.log');
    const agent = scene.run(config);
    await eventually(() => expect(facts('agent.log')).toContain('output-published'));
    expect([statSync(join(dir, 'agent.log')).mode & 0o777, agent.output()]).toEqual([0o600, '']);
    renameSync(join(dir, 'agent.log'), join(dir, 'agent.log.1'));
    agent.kill('SIGHUP');
    await eventually(() => expect(facts('agent.log')).toContain('config-applied'));
    expect(facts('agent.log.1')).not.toContain('config-applied');
    renameSync(join(dir, 'agent.log'), join(dir, 'agent.log.2'));
    writeFileSync(config, '{');
    agent.kill('SIGHUP');
    await eventually(() => expect(facts('agent.log')).toContain('config-rejected'));
    expect(await agent.stop()).toBe(0);
    expect([facts('agent.log').at(-1), agent.output()]).toEqual(['agent-stopping', '']);
  });

  it('of the audit has its lines and no others, at every level, and is opened again by SIGHUP', async () => {
    const { dir, facts, write } = await setUp(undefined);
    const api = join(dir, 'api.sock');
    const log = { level: 'error', auditFile: './audit.log' };
    const agent = scene.run(await write(log, { api: { socket: api } }));
    const read = () => get(api, '/v1/secrets/app', { 'X-Pannier-Request': 'true' });
    await eventually(async () => expect((await read()).status).toBe(200));
    await eventually(() => expect(facts('audit.log')).toContain('api-audit'));
    expect(new Set(facts('audit.log'))).toEqual(new Set(['api-audit']));
    expect([statSync(join(dir, 'audit.log')).mode & 0o777, agent.output()]).toEqual([0o600, '']);
    renameSync(join(dir, 'audit.log'), join(dir, 'audit.log.1'));
    agent.kill('SIGHUP');
    await eventually(() => expect(existsSync(join(dir, 'audit.log'))).toBe(true));
    writeFileSync(join(dir, 'secrets.json'), '{"app": {"x": "2"}}');
    await eventually(async () => {
      await read();
      expect(facts('audit.log')).toContain('api-audit');
    });
  });

  it('of the audit that cannot be written is a warning, and its lines are in the log', async () => {
    const { dir, write } = await setUp(undefined);
    const api = join(dir, 'api.sock');
    const agent = scene.run(await write({ auditFile: './none/audit.log' }, { api: { socket: api } }));
    await agent.waitFor('agent-warning', { fits: ({ place }) => place === 'log.auditFile' });
    await eventually(async () => expect((await get(api, '/v1/secrets/app', {})).status).toBe(200));
    await agent.waitFor('api-audit');
  });

  it('is opened, closed and appended to as the configuration says', async () => {
    const { config, facts, write } = await setUp(undefined);
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    await write({ file: './a.log' });
    await eventually(() => expect(facts('a.log')).toEqual(['config-applied']));
    await write({ level: 'info' });
    await agent.waitFor('config-applied');
    await write({ file: './a.log' });
    await eventually(() => expect(facts('a.log')).toEqual(['config-applied', 'config-applied']));
  });

  it('SIGUSR2 adds debug lines and takes them away, also of a file, and a new configuration does not end that', async () => {
    const { config, facts, write, dir } = await setUp('./a.log', { level: 'warn' });
    const agent = scene.run(config);
    await eventually(() => expect(existsSync(join(dir, 'o/f'))).toBe(true));
    agent.kill('SIGUSR2');
    await eventually(() => expect(facts('a.log')).toEqual(['log-level-changed']));
    await write({ level: 'error', file: './b.log' });
    await eventually(() => expect(facts('b.log')).toContain('config-applied'));
    agent.kill('SIGUSR2');
    await eventually(() => expect(facts('b.log').at(-1)).toBe('log-level-changed'));
    agent.kill('SIGHUP');
    expect(await agent.stop()).toBe(0);
    expect(facts('b.log').at(-1)).toBe('log-level-changed');
    expect(agent.output()).toBe('');
  });

  it.each([
    ['cannot be opened', './none/agent.log', 'ENOENT'],
    ['is on a full disk', '/dev/full', 'ENOSPC'],
  ])('that %s is a warning, and the lines go to standard error', async (_title, file, errno) => {
    const { config, facts, dir } = await setUp(file);
    const agent = scene.run(config);
    const warning = await agent.waitFor('agent-warning', { fits: ({ code }) => code === 'LOG_FILE' });
    expect(warning['seen']).toMatch(new RegExp(`cannot be written \\(${errno}\\)`));
    await agent.waitFor('output-published');
    if (file.startsWith('/')) return;
    mkdirSync(join(dir, 'none'));
    agent.kill('SIGHUP');
    await eventually(() => expect(facts('none/agent.log')).toContain('config-applied'));
    expect(agent.facts('agent-warning').filter(({ code }) => code === 'LOG_FILE')).toHaveLength(1);
  });

  it('may be pretty, without colours, and does not hide why init failed', async () => {
    const { dir, config, write } = await setUp('./agent.log', { format: 'pretty' });
    expect((await scene.init(config)).output()).toBe('');
    const text = readFileSync(join(dir, 'agent.log'), 'utf8');
    expect(text).toMatch(/^\d\d:\d\d:\d\d pannier \S+ init: 1 secret, 1 output$/m);
    expect(text).not.toContain('\u001b');
    writeFileSync(join(dir, 'secrets.json'), '{}');
    await write({ file: './agent.log' });
    const failed = await scene.init(config);
    expect([failed.status, failed.stderr().startsWith('init: secrets.app')]).toEqual([1, true]);
  });
});
