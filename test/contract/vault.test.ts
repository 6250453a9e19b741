import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { openVaultBackend } from '../../src/backend/vault/open.ts';
import { systemClock } from '../../src/base/clock.ts';
import { Secret } from '../../src/base/secret.ts';
import { enableKv, type OpenBao, startOpenBao, writePolicy } from '../servers/index.ts';
import { untilStopped } from '../servers/server-process.ts';
import { describeContract } from './contract.ts';

let bao: OpenBao;
beforeAll(async () => {
  bao = await startOpenBao({ persist: true });
  await enableKv(bao, 'secret', 2);
});
afterAll(() => bao.stop());

const READS = 'path "secret/data/contract/*" { capabilities = ["read"] }\n';
const QUOTA = 'sys/quotas/rate-limit/contract';

describeContract({
  name: 'vault, on OpenBao',
  cannot: { binary: 'KV holds JSON, which has no bytes; base64decode in a template makes them' },
  async open() {
    const folder = `contract/${randomUUID()}`;
    await writePolicy(bao, 'contract', READS);
    const { auth } = await bao.api('POST', 'auth/token/create', { policies: ['contract'], ttl: '1h' });
    const context = { clock: systemClock, random: Math.random, emit: () => {}, env: {}, version: '0', kept: new Map() };
    const backend = openVaultBackend(
      {
        kind: 'vault',
        name: 'bao',
        address: bao.address,
        tls: { skipVerify: false },
        timeoutMs: 1_000,
        auth: { method: 'token', mount: 'token', revokeOnExit: false, token: Secret.text(auth.client_token) },
      },
      context,
    );
    return {
      backend,
      want: (name) => ({
        id: name,
        backend: 'bao',
        request: { kind: 'vault-kv', path: `secret/${folder}/${name}`, mount: 'secret', kvVersion: 2 },
        place: `secrets.${name}.kv`,
        refreshMs: 300_000,
        optional: false,
      }),
      put: async (name, value) =>
        void (await bao.api('POST', `secret/data/${folder}/${name}`, { data: { password: value } })),
      valueOf: (fields) => fields.get('password'),
      remove: async (name) => void (await bao.api('DELETE', `secret/data/${folder}/${name}`)),
      refuse: (name) =>
        writePolicy(bao, 'contract', `${READS}path "secret/data/${folder}/${name}" { capabilities = ["deny"] }\n`),
      async throttle(name) {
        await bao.api('POST', QUOTA, { rate: 1, interval: '60s', path: 'secret/' });
        await bao.api('GET', `secret/data/${folder}/${name}`).catch(() => undefined);
      },
      async stall() {
        bao.suspend();
        await untilStopped(bao.pid);
      },
      kill: () => bao.kill(),
      start: () => bao.start(),
      async heal() {
        bao.resume();
        await bao.api('DELETE', QUOTA).catch(() => undefined);
        await writePolicy(bao, 'contract', READS);
      },
      [Symbol.asyncDispose]() {
        bao.resume();
        return backend[Symbol.asyncDispose]();
      },
    };
  },
});
