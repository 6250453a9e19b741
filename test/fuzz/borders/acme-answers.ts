import { inspect } from 'node:util';
import * as fc from 'fast-check';
import type { AcmeBackendConfig, AcmeRequest } from '../../../src/backend/acme/config/config.ts';
import { openAcmeBackend } from '../../../src/backend/acme/open.ts';
import { type Clock, systemClock } from '../../../src/base/clock.ts';
import { PannierError } from '../../../src/base/errors.ts';
import type { Fact } from '../../../src/base/fact.ts';
import { createPlace } from '../../system/agent.helpers.ts';
import { type Border, CANARY, failuresIn } from '../border.ts';
import { json, value } from '../inputs.ts';
import { httpAnswer, startRawServer } from '../raw-server.ts';

const NAMES = [
  'newNonce',
  'newAccount',
  'newOrder',
  'renewalInfo',
  'meta',
  'externalAccountRequired',
  'status',
  'authorizations',
  'finalize',
  'certificate',
  'identifier',
  'value',
  'type',
  'challenges',
  'token',
  'url',
  'wildcard',
  'error',
];

/** Waits a thousandth of the time, so that polls are soon over. */
const fast: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(Math.min(ms / 1_000, 5), signal) };

/** What an ACME server answers, from its directory to the certificate. */
export const acmeAnswers: Border<readonly Buffer[]> = {
  name: 'answers of ACME servers',
  share: 4_000,
  async open() {
    const server = await startRawServer();
    const place = await createPlace();
    const at = (path: string) => `${server.address}/${path}`;
    const request: AcmeRequest = { kind: 'acme', names: ['a.example'], key: { type: 'ec', curve: 'P-256' } };
    const config: AcmeBackendConfig = {
      kind: 'acme',
      name: 'ca',
      address: at('directory'),
      tls: { skipVerify: false },
      timeoutMs: 300,
      account: { keyFile: `${place.dir}/key`, contact: [], termsAgreed: true },
      dns01: { command: { argv: ['true'], timeoutMs: 1_000 }, waitMs: 0 } as never,
    };
    const directory = {
      newNonce: at('nonce'),
      newAccount: at('account'),
      newOrder: at('order'),
      renewalInfo: at('renewal'),
    };
    const order = (status: string) => ({
      status,
      authorizations: [at('authz')],
      finalize: at('finalize'),
      certificate: at('certificate'),
    });
    const challenge = { type: 'dns-01', url: at('challenge'), token: 'abc', status: 'pending' };
    const good = [
      directory,
      order('pending'),
      order('ready'),
      order('valid'),
      order('invalid'),
      { status: 'pending', identifier: { type: 'dns', value: 'a.example' }, challenges: [challenge] },
      { status: 'valid', identifier: { type: 'dns', value: 'a.example' }, challenges: [] },
      // What an issuer says is shown: it was given nothing that is secret.
      { type: 'urn:ietf:params:acme:error:badNonce', detail: '\x1b[2J' },
      { type: 'urn:ietf:params:acme:error:made-up', detail: 'words\r\nmore\u202e' },
      { type: 'urn:ietf:params:acme:error:rateLimited', detail: 'a'.repeat(9_000), token: CANARY },
    ];
    const headers = [`Location: ${at('x')}`, 'Replay-Nonce: abc', 'Replay-Nonce: \t"', `Link: <${CANARY}>;rel="up"`];
    const body = fc.oneof(
      { weight: 2, arbitrary: json(NAMES) },
      { weight: 5, arbitrary: fc.constantFrom<unknown>(...good) },
      value,
    );
    const ok = fc.constantFrom(200, 200, 200, 201, 400, 403, 429, 500);
    const usual = (bodies: readonly unknown[]) =>
      bodies.map((one) => {
        const text = Buffer.from(JSON.stringify(one));
        const head = `Content-Length: ${text.length}\r\nReplay-Nonce: abc\r\nLocation: ${at('order/1')}\r\nConnection: close`;
        return Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n`), text]);
      });
    // As far as a good server goes; then what the input says.
    const steps = usual([directory, {}, {}, order('pending'), good[5], {}, good[6], order('ready'), order('valid')]);
    return {
      inputs: fc
        .tuple(fc.nat(steps.length), fc.array(httpAnswer(body, headers, ok), { minLength: 1, maxLength: 4 }))
        .map(([count, answers]) => [...steps.slice(0, count), ...answers]),
      async feed(answers) {
        server.answers = answers;
        const facts: Fact[] = [];
        const emit = (fact: Fact) => void facts.push(fact);
        const context = { clock: fast, random: () => 0.5, emit, env: {}, version: '0', kept: new Map() };
        await using backend = openAcmeBackend(config, { ...context, runCommand: async () => undefined });
        const want = { id: 'a', backend: 'ca', request, place: 'secrets.a', refreshMs: 300_000, optional: false };
        const said: unknown[] = [];
        try {
          said.push(inspect(await backend.source.fetch(want, undefined, AbortSignal.timeout(2_000)), { depth: 9 }));
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
