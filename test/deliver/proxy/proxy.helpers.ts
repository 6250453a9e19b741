import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { AuthConfig, VaultBackendConfig } from '../../../src/backend/vault/config/config.ts';
import { openVaultBackend } from '../../../src/backend/vault/open.ts';
import { type Clock, systemClock } from '../../../src/base/clock.ts';
import type { Fact } from '../../../src/base/fact.ts';
import type { ProxyConfig } from '../../../src/config/config.ts';
import { HttpListener } from '../../../src/deliver/http/listener.ts';
import { createProxyService } from '../../../src/deliver/proxy/proxy-service.ts';
import { findFreePort } from '../../servers/index.ts';

export interface ProxyingOptions {
  readonly address: string;
  readonly auth: Partial<AuthConfig>;
  readonly proxy?: Partial<
    Pick<ProxyConfig, 'useAutoAuthToken' | 'useClientCertificate' | 'cache' | 'rootNamespace' | 'quit'>
  >;
  readonly backend?: Partial<VaultBackendConfig>;
  readonly requireRequestHeader?: boolean;
  readonly tcp?: boolean;
  readonly clock?: Clock;
  readonly random?: () => number;
}

export type ProxyFact = Fact & { kind: 'proxy-answered' };

/** Opens the proxy in front of a server, without the rest of the agent; it ends with the test. */
export async function startProxy(options: ProxyingOptions) {
  const { auth, address, clock = systemClock, random = Math.random, tcp = false } = options;
  const facts: Fact[] = [];
  const stops: number[] = [];
  const emit = (fact: Fact) => void facts.push(fact);
  const config: VaultBackendConfig = {
    kind: 'vault',
    name: 'bao',
    address,
    tls: { skipVerify: false },
    timeoutMs: 5_000,
    auth: { mount: auth.method ?? '', revokeOnExit: false, ...auth } as AuthConfig,
    ...options.backend,
  };
  const backend = openVaultBackend(config, { clock, random, emit, env: {}, version: '0.0.0', kept: new Map() });
  const dir = mkdtempSync(join(tmpdir(), 'pannier-proxy-'));
  const socket = join(dir, 's');
  const port = tcp ? await findFreePort() : 0;
  const where = tcp
    ? ({ kind: 'tcp', host: '127.0.0.1', port } as const)
    : ({ kind: 'unix', path: socket, mode: 0o600 } as const);
  const listen = { where, place: 'proxy', requireRequestHeader: options.requireRequestHeader ?? false };
  const proxy: ProxyConfig = {
    listeners: [listen],
    backend: 'bao',
    useAutoAuthToken: true,
    useClientCertificate: false,
    quit: false,
    ...options.proxy,
  };
  const service = createProxyService({
    proxy,
    listen,
    backend: () => backend,
    clock,
    random,
    emit,
    stop: () => void stops.push(1),
  });
  await service.start?.();
  const listener = await HttpListener.open(listen, service, { extraMethods: ['LIST', 'SCAN'] });
  onTestFinished(async () => {
    await listener[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true });
  });
  return {
    socket,
    port,
    backend,
    service,
    facts,
    /** An entry for each time that a client has ended the agent. */
    stops,
    /** The facts in the order in which the requests ended. */
    answered: (): ProxyFact[] => facts.filter((fact): fact is ProxyFact => fact.kind === 'proxy-answered'),
    ask: (method: string, path: string, more: Asking = {}) =>
      askAt(tcp ? { host: '127.0.0.1', port } : { socketPath: socket }, method, path, more),
  };
}

export interface Asking {
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: object | string;
}

export interface Got {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
  /** The body as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: answers of the API are of many shapes
  readonly json: any;
}

/** Sends one request over a new connection. */
export function askAt(where: object, method: string, path: string, { headers = {}, body }: Asking = {}): Promise<Got> {
  const bytes = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const length = bytes === undefined ? {} : { 'Content-Length': `${Buffer.byteLength(bytes)}` };
    const options = { agent: false as const, ...where, method, path, headers: { ...length, ...headers } };
    const sent = request(options, (received) => {
      const chunks: Buffer[] = [];
      received.on('error', reject);
      received.on('data', (chunk: Buffer) => chunks.push(chunk));
      received.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const json = text.startsWith('{') ? JSON.parse(text) : undefined;
        resolve({ status: received.statusCode ?? 0, headers: received.headers, text, json });
      });
    });
    sent.on('error', reject);
    sent.end(bytes);
  });
}
