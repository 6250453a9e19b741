import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { createVaultMethod } from '../../../src/backend/vault/auth/create-method.ts';
import { createVaultBackend } from '../../../src/backend/vault/backend.ts';
import { createVaultClient } from '../../../src/backend/vault/client/create-client.ts';
import type { LoginConfig } from '../../../src/backend/vault/config/config.ts';
import type { VaultRequest } from '../../../src/backend/vault/config/request.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { PannierError } from '../../../src/base/errors.ts';
import type { Fact } from '../../../src/base/fact.ts';
import { config, constantSession, wantOf } from '../../backend/vault/source/vault.helpers.ts';
import { createPlace } from '../../system/agent.helpers.ts';
import { type Border, failuresIn } from '../border.ts';
import { json } from '../inputs.ts';
import { httpAnswer, startRawServer } from '../raw-server.ts';

const NAMES = [
  'data',
  'metadata',
  'auth',
  'errors',
  'warnings',
  'wrap_info',
  'lease_id',
  'lease_duration',
  'renewable',
  'ttl',
  'rotation_period',
  'last_vault_rotation',
  'expiration',
  'version',
  'created_time',
  'deletion_time',
  'destroyed',
  'custom_metadata',
  'client_token',
  'accessor',
  'num_uses',
  'token_type',
  'explicit_max_ttl',
  'expire_time',
  'path',
  'type',
  'options',
  'keys',
  'key_info',
  'certificate',
  'private_key',
  'private_key_type',
  'issuing_ca',
  'ca_chain',
  'serial_number',
  'password',
];

const REQUESTS: readonly VaultRequest[] = [
  { kind: 'vault-kv', path: 'secret/app' },
  { kind: 'vault-kv', path: 'secret/app', mount: 'secret', kvVersion: 2, version: 3 },
  { kind: 'vault-kv', path: 'secret/app', mount: 'secret', kvVersion: 1 },
  { kind: 'vault-read', path: 'database/creds/shop' },
  { kind: 'vault-read', path: 'x/y', end: { field: 'expiration' } },
  { kind: 'vault-write', path: 'aws/sts/x', data: { ttl: '1h' } },
  { kind: 'vault-list', path: 'secret/' },
  { kind: 'vault-trust-bundle', issuer: 'pki', overlapMs: 1000 },
  {
    kind: 'vault-certificate',
    issuer: 'pki',
    role: 'shop',
    commonName: 'a.example',
    altNames: [],
    ipSans: [],
    uriSans: [],
  },
];

interface Input {
  readonly answers: readonly Buffer[];
  readonly what: number;
}

/** What a Vault or OpenBao server, or whoever sits in its place, answers: to reads, to logins, and to a second read. */
export const vaultAnswers: Border<Input> = {
  name: 'answers of Vault',
  share: 12_000,
  async open() {
    const server = await startRawServer();
    const place = await createPlace();
    const token = join(place.dir, 'token');
    await writeFile(token, 'eyJhbGciOiJub25lIn0.e30.x');
    const logins: readonly LoginConfig[] = [
      { method: 'kubernetes', mount: 'kubernetes', role: 'shop', tokenFile: token, revokeOnExit: false },
      { method: 'token', mount: 'token', tokenFile: token, revokeOnExit: false },
      { method: 'userpass', mount: 'userpass', username: 'u', passwordFile: token, revokeOnExit: false },
      {
        method: 'approle',
        mount: 'approle',
        roleId: 'r',
        secretIdFile: token,
        secretIdWrapped: true,
        removeSecretIdFile: false,
        revokeOnExit: false,
      },
    ] as readonly LoginConfig[];
    const never = new AbortController().signal;
    const body = json(NAMES);
    return {
      inputs: fc.record({
        what: fc.nat(REQUESTS.length + logins.length - 1),
        answers: fc.array(httpAnswer(fc.record({ data: body, auth: body, errors: body }, { requiredKeys: [] })), {
          minLength: 1,
          maxLength: 3,
        }),
      }),
      async feed({ answers, what }) {
        server.answers = answers;
        const facts: Fact[] = [];
        const emit = (fact: Fact) => void facts.push(fact);
        const own = { ...config, address: server.address, timeoutMs: 300 };
        const client = createVaultClient({ config: own, clock: systemClock, emit, env: {} });
        const deps = { client, session: constantSession(), clock: systemClock, random: () => 0.5, emit };
        await using backend = createVaultBackend(own, deps);
        const request = REQUESTS[what];
        const said: unknown[] = [];
        try {
          if (request === undefined) {
            const auth = logins[what - REQUESTS.length] as LoginConfig;
            said.push(
              await createVaultMethod({ name: 'bao', auth }, { ...deps, env: {}, kept: new Map() }).login(never),
            );
          } else {
            const first = await backend.source.fetch(wantOf(request), undefined, never);
            said.push(inspect(first, { depth: 9 }));
            const last = first.state === 'changed' ? first.value : undefined;
            await backend.source.fetch(wantOf(request), last, never);
          }
        } catch (error) {
          if (!(error instanceof PannierError)) throw error;
          said.push(error.failure, error.message);
        }
        return [...said, ...facts, ...failuresIn(facts)];
      },
      async [Symbol.asyncDispose]() {
        await server[Symbol.asyncDispose]();
        await place[Symbol.asyncDispose]();
      },
    };
  },
};
