import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { useScene } from './openbao.helpers.ts';

const scene = useScene();

async function startRun(env: Readonly<Record<string, string>> = {}) {
  const { dir, config } = await scene.place();
  writeFileSync(join(dir, 'secrets.json'), '{"app":{"password":"1"}}');
  const file = await config({
    backends: { demo: { kind: 'file', path: join(dir, 'secrets.json') } },
    secrets: { app: { key: 'app' } },
    outputs: { o: { dir: join(dir, 'o'), files: { f: { content: '{{app.password}}' } } } },
  });
  const agent = scene.run(file, { env });
  await agent.waitFor('output-published');
  return agent;
}

const commandLine = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');

describe('the inspector', () => {
  it('is not opened by SIGUSR1', async () => {
    const agent = await startRun();
    agent.kill('SIGUSR1');
    await pause(300);
    expect(agent.stderr()).not.toMatch(/debugger/i);
    expect(commandLine(agent.pid)).not.toContain('--disable-sigusr1');
    expect(await agent.stop()).toBe(0);
  });

  it('is turned off by a flag where Pannier starts itself again', async () => {
    const agent = await startRun({ NODE_DEBUG: 'http' });
    expect(commandLine(agent.pid)).toContain('--disable-sigusr1');
    agent.kill('SIGUSR1');
    await pause(300);
    expect(agent.stderr()).not.toMatch(/debugger/i);
    expect(await agent.stop()).toBe(0);
  });
});
