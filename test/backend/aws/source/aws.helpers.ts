import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { AwsBackendConfig } from '../../../../src/backend/aws/config/config.ts';
import { openAwsBackend } from '../../../../src/backend/aws/open.ts';
import type { Backend, Fetch, Fetched, Want } from '../../../../src/backend/backend.ts';
import { systemClock } from '../../../../src/base/clock.ts';
import { PannierError } from '../../../../src/base/errors.ts';
import type { Fact } from '../../../../src/base/fact.ts';
import { Secret } from '../../../../src/base/secret.ts';
import type { SecretRequest } from '../../../../src/config/config.ts';
import { type AwsProxy, startAwsProxy } from '../../../faults/aws-proxy.ts';
import { type Moto, startMoto } from '../../../servers/index.ts';
import { plain } from '../../vault/source/vault.helpers.ts';

export interface AwsOpen {
  readonly backend: Backend;
  readonly facts: readonly Fact[];
  /** Fetches as the lease manager does; fetches at the same time share their calls. */
  fetch(request: SecretRequest, last?: Fetched, signal?: AbortSignal): Promise<Fetch>;
  value(request: SecretRequest, last?: Fetched): Promise<Fetched>;
  shown(request: SecretRequest): Promise<unknown>;
  failure(request: SecretRequest, last?: Fetched): Promise<PannierError['failure']>;
}

export interface AwsWorld {
  readonly moto: Moto;
  /** A proxy in front of moto, which all backends use. */
  readonly proxy: AwsProxy;
  /** An empty directory for the shared files. */
  readonly dir: string;
  open(config?: Partial<AwsBackendConfig>): AwsOpen;
}

/** Keys that moto accepts before `checkPolicies` is called. */
export const KEYS = { accessKeyId: 'AKIATEST', secretAccessKey: Secret.text('made-up') };

/** One moto for all tests of a file, with a backend and a proxy for each. To be called outside of tests. */
export function useAws(): () => AwsWorld {
  let world: AwsWorld | undefined;
  const opened: Backend[] = [];
  const close = async () => {
    for (const backend of opened.splice(0)) await backend[Symbol.asyncDispose]();
  };
  beforeAll(async () => {
    const moto = await startMoto();
    const proxy = await startAwsProxy(moto.address);
    const dir = await mkdtemp(join(tmpdir(), 'pannier-aws-'));
    const open = (config: Partial<AwsBackendConfig> = {}) => {
      const one = openAt(proxy.address, dir, config);
      opened.push(one.backend);
      return one;
    };
    world = { moto, proxy, dir, open };
  }, 300_000);
  afterEach(async () => {
    await close();
    world?.proxy.fault(undefined);
    world?.proxy.clear();
  });
  afterAll(async () => {
    await world?.proxy[Symbol.asyncDispose]();
    await world?.moto.stop();
    if (world !== undefined) await rm(world.dir, { recursive: true, force: true });
  });
  return () => {
    if (world === undefined) throw new Error('the world starts with the first test');
    return world;
  };
}

/** A configuration of a backend whose chain finds nothing but `KEYS`. */
export function awsConfig(endpoint: string, dir: string, config: Partial<AwsBackendConfig> = {}): AwsBackendConfig {
  const sources = {
    keys: KEYS,
    profile: 'default',
    isProfileNamed: false,
    credentialsFile: join(dir, 'credentials'),
    configFile: join(dir, 'config'),
  };
  return {
    kind: 'aws-secrets-manager',
    name: 'aws',
    region: 'eu-west-1',
    failoverRegions: [],
    endpoints: { secretsManager: endpoint, ssm: endpoint, sts: endpoint },
    roleSessionName: 'pannier',
    timeoutMs: 10_000,
    sources,
    ...config,
  };
}

function openAt(endpoint: string, dir: string, config: Partial<AwsBackendConfig>): AwsOpen {
  const facts: Fact[] = [];
  const context = {
    clock: systemClock,
    random: Math.random,
    emit: (fact: Fact) => void facts.push(fact),
    env: {},
    version: '0',
  };
  const backend = openAwsBackend(awsConfig(endpoint, dir, config), { ...context, kept: new Map() });
  const never = new AbortController().signal;
  const fetch: AwsOpen['fetch'] = (request, last, signal = never) =>
    backend.source.fetch(wantOf(request), last, signal);
  const value: AwsOpen['value'] = async (request, last) => {
    const fetched = await fetch(request, last);
    if (fetched.state === 'unchanged') throw new Error('unchanged');
    return fetched.value;
  };
  return {
    backend,
    facts,
    fetch,
    value,
    shown: async (request) => plain((await value(request)).fields),
    async failure(request, last) {
      const error = await fetch(request, last).catch((caught: unknown) => caught);
      if (error instanceof PannierError) return error.failure;
      throw new Error('the fetch should have failed', { cause: error });
    },
  };
}

export function wantOf(request: SecretRequest): Want {
  const id = JSON.stringify(request);
  return { id, backend: 'aws', request, place: `secrets.${request.kind}`, refreshMs: 300_000, optional: false };
}

/** A request for a secret by its id. */
export function secret(secretId: string, more: object = {}): SecretRequest {
  return { kind: 'aws-secret', secretId, ...more };
}
