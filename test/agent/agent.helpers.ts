import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach } from 'vitest';
import type { AgentContext } from '../../src/agent/context.ts';
import { planOf } from '../../src/agent/create-plan.ts';
import type { Plan } from '../../src/agent/plan.ts';
import { BACKEND_KINDS } from '../../src/backend/registry.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { Fact } from '../../src/base/fact.ts';
import { Releases } from '../../src/base/releases.ts';
import { loadConfig } from '../../src/config/load.ts';
import { scratchRoot } from '../deliver/file/file-sink.helpers.ts';
import { type FaultRequest, type FaultServer, startFaultServer } from '../faults/fault-server.ts';

let releases = new Releases();
afterEach(async () => {
  await releases.releaseAll();
  releases = new Releases();
});

/** Disposes `thing` when the test ends. */
export function keep<T extends AsyncDisposable>(thing: T): T {
  releases.push(async () => thing[Symbol.asyncDispose]());
  return thing;
}

/** A directory that is removed when the test ends: on tmpfs where there is one, or on a disk. */
export function scratchFolder(on: 'tmpfs' | 'disk' = 'tmpfs'): string {
  const disk = resolve('.cache');
  if (on === 'disk') mkdirSync(disk, { recursive: true });
  const dir = mkdtempSync(join(on === 'disk' ? disk : scratchRoot(), 'pannier-test-'));
  releases.push(async () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

type Trouble = 'silent' | 'reset' | number;

/** A server of KV version 2 at `secret/`, whose token never ends; its bytes are written by the test. */
export interface Kv {
  readonly server: FaultServer;
  /** The backend `bao`, for a configuration. */
  readonly backend: object;
  /** Sets the `password` of each secret named, as its next version. */
  put(values: Readonly<Record<string, string>>): void;
  /** Sets what happens to requests for a secret, or for all of them, from now on; undefined: they are answered. */
  trouble(what: Trouble | undefined, name?: string): void;
}

export async function startKv(values: Readonly<Record<string, string>> = {}): Promise<Kv> {
  const secrets = new Map<string, { readonly password: string; readonly version: number }>();
  const troubles = new Map<string, Trouble>();
  const answerTo = ({ path }: FaultRequest): { status: number; body: object } => {
    if (path === '/v1/auth/token/lookup-self') return { status: 200, body: { data: { ttl: 0, renewable: false } } };
    const secret = secrets.get(path.split('/').at(-1) ?? '');
    if (secret === undefined) return { status: 404, body: { errors: [] } };
    const metadata = {
      version: secret.version,
      created_time: `t${secret.version}`,
      deletion_time: '',
      destroyed: false,
    };
    return { status: 200, body: { data: { data: { password: secret.password }, metadata } } };
  };
  const server = keep(
    await startFaultServer((request, socket) => {
      const what = troubles.get(request.path.split('/').at(-1) ?? '') ?? troubles.get('');
      if (what === 'silent') return;
      if (what === 'reset') return void socket.destroy();
      const { status, body } = what === undefined ? answerTo(request) : { status: what, body: { errors: [] } };
      const text = JSON.stringify(body);
      socket.write(`HTTP/1.1 ${status} X\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
    }),
  );
  const put: Kv['put'] = (changed) => {
    for (const [name, password] of Object.entries(changed)) {
      secrets.set(name, { password, version: (secrets.get(name)?.version ?? 0) + 1 });
    }
  };
  put(values);
  return {
    server,
    backend: { kind: 'vault', address: server.address, auth: { method: 'token', token: 't' } },
    put,
    trouble: (what, name = '') => void (what === undefined ? troubles.delete(name) : troubles.set(name, what)),
  };
}

/** A secret of `startKv` for a configuration: polled ten times a second. */
export const kv = (name: string, more: object = {}): object => ({
  kv: `secret/${name}`,
  mount: 'secret',
  kvVersion: 2,
  refresh: '100ms',
  ...more,
});

/** Writes a configuration to a file and loads it, as the commands do. */
export async function planFrom(config: object): Promise<Plan> {
  const dir = scratchFolder();
  writeFileSync(join(dir, 'pannier.json'), JSON.stringify({ version: 1, ...config }));
  return planOf(await loadConfig({ kinds: BACKEND_KINDS, paths: ['pannier.json'], env: {}, cwd: dir }), Date.now());
}

/** The outside of an agent, which collects its facts. */
export interface World {
  readonly context: AgentContext;
  readonly facts: readonly Fact[];
  of<K extends Fact['kind']>(kind: K): Extract<Fact, { kind: K }>[];
  /** Resolves when there is a fact of that kind that fits; rejects after ten seconds. */
  until<K extends Fact['kind']>(kind: K, fits?: (fact: Extract<Fact, { kind: K }>) => boolean): Promise<void>;
}

export function createWorld(): World {
  const facts: Fact[] = [];
  const context = {
    clock: systemClock,
    random: Math.random,
    emit: (fact: Fact) => void facts.push(fact),
    env: {},
    version: '0',
  };
  const of: World['of'] = (kind) => facts.filter((fact) => fact.kind === kind) as never;
  return {
    context,
    facts,
    of,
    async until(kind, fits = () => true) {
      const end = performance.now() + 10_000;
      while (!of(kind).some(fits)) {
        if (performance.now() > end) throw new Error(`no ${kind} among ${facts.map((fact) => fact.kind).join()}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
  };
}
