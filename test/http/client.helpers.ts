import { afterEach } from 'vitest';
import type { VaultAnswer, VaultCall, VaultClient } from '../../src/backend/vault/client/client.ts';
import { createVaultClient, type VaultClientOptions } from '../../src/backend/vault/client/create-client.ts';
import type { VaultBackendConfig } from '../../src/backend/vault/config/config.ts';
import { systemClock } from '../../src/base/clock.ts';
import { type Failure, PannierError } from '../../src/base/errors.ts';
import type { Fact } from '../../src/base/fact.ts';
import { Releases } from '../../src/base/releases.ts';
import { Secret } from '../../src/base/secret.ts';
import { type Answerer, type FaultServer, type FaultServerOptions, startFaultServer } from '../faults/fault-server.ts';
import { expectNoLeaks } from '../faults/leaks.ts';

export const never = new AbortController().signal;

const releases = new Releases();
// This hook is registered first, so it runs last: hooks after a test run in reverse order.
expectNoLeaks();
afterEach(() => releases.releaseAll());

/** A fault server that ends with the test. */
export async function serve(answerer: Answerer, options?: FaultServerOptions): Promise<FaultServer> {
  const server = await startFaultServer(answerer, options);
  releases.push(async () => server[Symbol.asyncDispose]());
  return server;
}

export interface TestClient {
  readonly client: VaultClient;
  readonly facts: readonly Fact[];
  /** A GET of `path` with the token `hvs.canary`; `more` replaces parts of the call. */
  ask(path: string, more?: Partial<VaultCall>, signal?: AbortSignal): Promise<VaultAnswer>;
  /** The failure of the same call. */
  failing(path: string, more?: Partial<VaultCall>, signal?: AbortSignal): Promise<Failure>;
}

/** A client that ends with the test. */
export function connect(
  address: string,
  config: Partial<VaultBackendConfig> = {},
  options: Partial<VaultClientOptions> = {},
): TestClient {
  const facts: Fact[] = [];
  const client = createVaultClient({
    config: {
      kind: 'vault',
      name: 'bao',
      address,
      tls: { skipVerify: false },
      timeoutMs: 5000,
      auth: { method: 'token', mount: 'token', revokeOnExit: false },
      ...config,
    },
    clock: systemClock,
    emit: (fact) => facts.push(fact),
    env: {},
    ...options,
  });
  releases.push(async () => client[Symbol.asyncDispose]());
  const ask: TestClient['ask'] = (path, more = {}, signal = never) =>
    client.call(
      { method: 'GET', path, place: 'secrets.x', idempotent: true, token: Secret.text('hvs.canary'), ...more },
      signal,
    );
  const failing: TestClient['failing'] = async (path, more, signal) => {
    try {
      await ask(path, more, signal);
    } catch (error) {
      if (error instanceof PannierError) return error.failure;
      throw error;
    }
    throw new Error('the call should have failed');
  };
  return { client, facts, ask, failing };
}

/** Adds a release that runs after the test. */
export function afterwards(release: () => void | Promise<void>): void {
  releases.push(release);
}
