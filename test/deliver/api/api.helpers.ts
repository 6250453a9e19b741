import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { AgentView } from '../../../src/agent/serve/agent-view.ts';
import { apiAgent } from '../../../src/agent/serve/api-agent.ts';
import { failure } from '../../../src/base/errors.ts';
import type { Fact } from '../../../src/base/fact.ts';
import type { LogLevel } from '../../../src/base/log-level.ts';
import { Secret } from '../../../src/base/secret.ts';
import type { Value } from '../../../src/base/value.ts';
import type { ApiConfig, ApiListenerConfig, SecretConfig } from '../../../src/config/config.ts';
import { createApi } from '../../../src/deliver/api/create-api.ts';
import type { HttpService } from '../../../src/deliver/http/http-service.ts';
import { HttpListener, LIMITS } from '../../../src/deliver/http/listener.ts';
import { LeaseManager } from '../../../src/lease/manager.ts';
import { FakeClock, settle } from '../../fake-clock.ts';
import { MemoryBackend, wantOf } from '../../memory-backend.ts';
import { ask, type Got } from '../http/listener.helpers.ts';
import { checkDescribed } from './openapi.helpers.ts';

export interface ListenerOptions extends Partial<Omit<ApiListenerConfig, 'where' | 'place'>> {
  readonly audit?: ApiConfig['audit'];
  /** A TCP port; absent: a new unix socket. */
  readonly port?: number;
}

/**
 * Opens the API on a real socket, with a lease manager, a backend in memory and a fake clock; it ends with the test.
 */
export async function apiWorld(names: readonly string[], options: ListenerOptions = {}) {
  const clock = new FakeClock();
  const backend = new MemoryBackend(clock);
  const facts: Fact[] = [];
  const emit = (fact: Fact) => void facts.push(fact);
  const manager = new LeaseManager({ clock, random: () => 0.5, emit });
  const done: string[] = [];
  const secrets = new Map(names.map((name) => [name, secretOf(name)]));
  let level: LogLevel | undefined;
  const view = {
    clock,
    emit,
    version: '1.2.3',
    bootId: 'boot',
    startedWallMs: clock.wallMs(),
    plan: () => ({ config: { secrets, backends: new Map(), files: [] }, outputs: [], readAtWallMs: 0 }),
    secrets: manager,
    outputs: { states: () => new Map(), computed: () => new Map(), due: () => new Map(), reload: () => false },
    backends: { byName: () => new Map([['memory', backend]]) },
    reasonMissing: (name: string) =>
      failure('SECRET_NEVER_FETCHED', `secrets.${name}.kv`, 'no answer has come yet from memory'),
    refusedConfig: () => [],
    sds: {},
    awsOnDemand: new Map(),
    async reloadConfig() {
      done.push('reload');
      return [];
    },
    stop: () => void done.push('stop'),
    logLevel: {
      configured: () => 'info',
      level: () => level ?? 'info',
      async set(next: LogLevel | undefined) {
        level = next;
      },
    },
  } as unknown as AgentView;
  const agent = apiAgent(view);

  const reconcile = (of: Iterable<string>) =>
    manager.reconcile(new Map([...of].map((name) => [name, want(name)])), new Map([['memory', backend]]));
  const want = (name: string) => wantOf(name, { optional: name.startsWith('optional') });
  const dir = mkdtempSync(join(tmpdir(), 'pannier-api-'));
  const path = join(dir, 's');
  const { audit = 'changes', port, ...more } = options;
  const where =
    port === undefined
      ? ({ kind: 'unix', path, mode: 0o600 } as const)
      : ({ kind: 'tcp', host: '127.0.0.1', port } as const);
  const listenerOf = (rules: object): ApiListenerConfig => ({
    where,
    place: 'api',
    control: false,
    maxConnections: 256,
    ...rules,
  });
  const serviceOf = (rules: object, of: ReadonlyMap<string, SecretConfig> = secrets): HttpService =>
    createApi({ listener: listenerOf(rules), audit, secrets: of }, agent);
  let current = serviceOf(more);
  const listener = await HttpListener.open({ where, place: 'api' }, current, LIMITS);
  onTestFinished(async () => {
    await listener[Symbol.asyncDispose]();
    await manager[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true });
  });
  return {
    clock,
    backend,
    manager,
    facts,
    /** What the agent was asked to do. */
    done,
    path,
    listener,
    secrets,
    audits: () => facts.filter((fact) => fact.kind === 'api-audit'),
    /** Fetches all secrets for the first time. */
    async start() {
      reconcile(names);
      await settle();
    },
    reconcile,
    /** Gives the listener a new configuration. */
    async use(rules: object) {
      const before = current;
      current = serviceOf(rules);
      listener.use(current);
      await before[Symbol.asyncDispose]();
    },
    /** Asks, and checks the answer against the OpenAPI document. */
    async get(url: string, headers: object = {}, method = 'GET'): Promise<Got> {
      const got = await ask(path, url, method, undefined, headers);
      checkDescribed(method, url, got);
      return got;
    },
  };
}

/** An answer of the backend with fields of any type. */
export function answerOf(fields: Readonly<Record<string, Value>>, version = '1') {
  return async () => ({ fields: new Map(Object.entries(fields)), version, life: { kind: 'none' } as const });
}

export const text = Secret.text;

function secretOf(name: string): SecretConfig {
  return {
    name,
    backend: 'memory',
    place: `secrets.${name}.key`,
    optional: name.startsWith('optional'),
    refreshMs: 300_000,
    request: { kind: 'file', key: name },
  };
}
