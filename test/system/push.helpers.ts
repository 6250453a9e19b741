import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findFreePort } from '../servers/free-port.ts';
import { type OpenBao, startOpenBao } from '../servers/index.ts';
import { type Agent, startAgent } from './agent.helpers.ts';

export const RELAY_TOKEN = 'relay-token-canary-0123456789';

/** A real OpenBao with KV version 2 and so many secrets, and what it needs beside it. */
export interface PushScene extends AsyncDisposable {
  readonly bao: OpenBao;
  readonly dir: string;
  readonly auditFile: string;
  readonly relayPort: number;
  /** Writes `value` to `secret/shop/KEY`. */
  write(key: string, value: string): Promise<void>;
  /** Starts `pannier notify`, and resolves when it reads the log. */
  startRelay(env?: Readonly<Record<string, string>>): Promise<Agent>;
  /** Starts `pannier run` with all secrets, and `events`. */
  startAgent(events: object | undefined, more?: object, env?: Readonly<Record<string, string>>): Promise<Agent>;
  /** What `pannier doctor --json` says about such an agent. */
  doctor(events: object): Promise<string>;
  /** What is published of a key now. */
  published(key: string): Promise<string | undefined>;
  /** Resolves when that is `value`, to how long it took; rejects after `withinMs`. */
  sees(key: string, value: string, withinMs?: number): Promise<number>;
}

export async function startPushScene(count = 1, openBao: Parameters<typeof startOpenBao>[0] = {}): Promise<PushScene> {
  const bao = await startOpenBao(openBao);
  // Files are published to memory where there is some, as an agent's should be.
  const dir = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'pannier-push-'));
  const keys = Array.from({ length: count }, (_, i) => `k${i}`);
  const agents: Agent[] = [];
  const relayPort = await findFreePort();
  const auditFile = join(bao.dir, 'audit.log');
  await bao.api('POST', 'sys/mounts/secret', { type: 'kv', options: { version: '2' } });
  const write = async (key: string, value: string) => {
    for (let tries = 0; ; tries++) {
      try {
        await bao.api('POST', `secret/data/shop/${key}`, { data: { value } });
        return;
      } catch (error) {
        if (tries === 100) throw error; // a new mount is not ready at once
        await pause(50);
      }
    }
  };
  for (const key of keys) await write(key, 'first');
  await mkdir(join(dir, 'out'), { mode: 0o700 });
  await writeFile(join(dir, 'token'), bao.rootToken, { mode: 0o600 });
  await writeFile(join(dir, 'relay-token'), RELAY_TOKEN, { mode: 0o600 });
  const published = async (key: string) => {
    const text = await readFile(join(dir, 'out', key, 'value.json'), 'utf8').catch(() => undefined);
    return text === undefined ? undefined : (JSON.parse(text) as { value?: string }).value;
  };
  const writeConfig = async (events: object | undefined, more: object): Promise<string> => {
    const auth = { method: 'token', tokenFile: './token' };
    const outputs = keys.map((key) => {
      return [key, { dir: `./out/${key}`, files: { 'value.json': { format: 'json', from: key } } }];
    });
    const config = {
      version: 1,
      backends: { bao: { kind: 'vault', address: bao.address, auth, ...(events === undefined ? {} : { events }) } },
      secrets: Object.fromEntries(keys.map((key) => [key, { kv: `secret/shop/${key}` }])),
      outputs: Object.fromEntries(outputs),
      api: { socket: './api.sock' },
      admin: { socket: './admin.sock' },
      log: { level: 'debug' },
      ...more,
    };
    const path = join(dir, 'pannier.json');
    await writeFile(path, JSON.stringify(config));
    return path;
  };
  return {
    bao,
    dir,
    auditFile,
    relayPort,
    write,
    published,
    async startRelay(env = {}) {
      const server = ['--audit-file', auditFile, '--address', bao.address];
      const agentsOf = ['--listen', `127.0.0.1:${relayPort}`, '--token-file', join(dir, 'relay-token')];
      const relay = startAgent(['notify', ...server, ...agentsOf], { env });
      agents.push(relay);
      await relay.waitFor('relay-live');
      return relay;
    },
    async doctor(events) {
      const doctor = startAgent(['doctor', '-c', await writeConfig(events, {}), '--json']);
      await doctor.ended;
      return doctor.stdout();
    },
    async startAgent(events, more = {}, env = {}) {
      const agent = startAgent(['run', '-c', await writeConfig(events, more)], { env });
      agents.push(agent);
      await agent.waitFor('output-published', { count });
      return agent;
    },
    async sees(key, value, withinMs = 20_000) {
      const began = performance.now();
      while ((await published(key)) !== value) {
        if (performance.now() - began > withinMs) {
          throw new Error(`${key} is not ${value} within ${withinMs} ms, but ${await published(key)}`);
        }
        await pause(2);
      }
      return performance.now() - began;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(agents.map((agent) => agent.stop()));
      await bao.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
