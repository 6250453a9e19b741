import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { runBackendCommand } from '../../../src/agent/run-backend-command.ts';
import type { AcmeBackendConfig, AcmeRequest } from '../../../src/backend/acme/config/config.ts';
import { openAcmeBackend } from '../../../src/backend/acme/open.ts';
import type { Backend, Want } from '../../../src/backend/backend.ts';
import { systemClock } from '../../../src/base/clock.ts';
import type { Failure } from '../../../src/base/errors.ts';
import { PannierError } from '../../../src/base/errors.ts';
import type { Fact } from '../../../src/base/fact.ts';
import { plainText } from '../../../src/base/value.ts';
import type { DnsServer } from '../../servers/index.ts';

export interface Opened {
  readonly backend: Backend;
  readonly facts: readonly Fact[];
  readonly warnings: () => readonly Failure[];
  /** The operations of the server that were called so far: `NewOrder`. */
  readonly calls: () => readonly string[];
}

/** Opens backends in a folder of their own, and closes them after the test. */
export function useAcme() {
  const closers: (() => PromiseLike<void> | void)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });
  const folder = () => {
    const dir = mkdtempSync(join(tmpdir(), 'pannier-acme-'));
    closers.push(() => rmSync(dir, { recursive: true, force: true }));
    return dir;
  };
  return {
    folder,
    closers,
    open(more: Partial<AcmeBackendConfig> & Pick<AcmeBackendConfig, 'address'>): Opened {
      const facts: Fact[] = [];
      const config: AcmeBackendConfig = {
        kind: 'acme',
        name: 'ca',
        tls: { skipVerify: false },
        timeoutMs: 10_000,
        account: { keyFile: join(folder(), 'account.key'), contact: [], termsAgreed: true },
        ...more,
      };
      const env = { PATH: process.env['PATH'] };
      const backend = openAcmeBackend(config, {
        clock: systemClock,
        random: Math.random,
        emit: (fact) => facts.push(fact),
        env,
        version: '0',
        kept: new Map(),
        runCommand: (command, signal) =>
          runBackendCommand(command, { env, clock: systemClock }, { backends: new Map() }, signal),
      });
      closers.push(() => backend[Symbol.asyncDispose]());
      return {
        backend,
        facts,
        warnings: () => facts.flatMap((fact) => (fact.kind === 'agent-warning' ? [fact.warning] : [])),
        calls: () => facts.flatMap((fact) => (fact.kind === 'backend-answered' ? [fact.call.slice(5)] : [])),
      };
    },
  };
}

/** A program that sets the records of `dns`; it appends what it was asked to do to the file `log` beside it. */
export function dnsProgram(dns: DnsServer, dir: string) {
  const program = join(dir, 'set-record');
  writeFileSync(
    program,
    `#!/bin/sh
echo "$PANNIER_ACME_ACTION $PANNIER_ACME_RECORD $#" >> ${dir}/log
case $PANNIER_ACME_ACTION in
  present) echo "$PANNIER_ACME_VALUE" > ${dns.dir}/$PANNIER_ACME_RECORD ;;
  cleanup) rm -f ${dns.dir}/$PANNIER_ACME_RECORD ;;
esac
`,
  );
  chmodSync(program, 0o755);
  return program;
}

export const dns01 = (program: string) => ({
  command: {
    kind: 'command',
    argv: [program],
    timeoutMs: 10_000,
    captureOutput: false,
    place: 'backends.ca.dns01',
  } as const,
  waitMs: 0,
});

export function wantOf(names: readonly string[], more: Partial<AcmeRequest> = {}, refreshMs = 300_000): Want {
  const request: AcmeRequest = { kind: 'acme', names, key: { type: 'ec', curve: 'P-256' }, ...more };
  return { id: names.join(), backend: 'ca', request, place: 'secrets.tls.acme', refreshMs, optional: false };
}

const never = new AbortController().signal;

/** Fetches a certificate that nothing is known of. */
export async function fetchNew({ backend }: Opened, want: Want, signal = never) {
  const answer = await backend.source.fetch(want, undefined, signal);
  if (answer.state !== 'changed') throw new Error('nothing has changed');
  return { ...answer.value, text: (name: string) => plainText(answer.value.fields.get(name)) ?? '' };
}

export async function failureOf(doing: Promise<unknown>): Promise<Failure> {
  try {
    await doing;
  } catch (error) {
    if (error instanceof PannierError) return error.failure;
    throw error;
  }
  throw new Error('it succeeded');
}

export interface Front extends AsyncDisposable {
  readonly address: string;
  readonly paths: readonly string[];
  /** Answers the next request whose path contains `part` itself, or changes the answer. */
  next(part: string, answer: (response: ServerResponse, real: () => Promise<string>) => void | Promise<void>): void;
}

/** Stands in front of a real ACME server and passes everything on, but what a test answers itself. */
export async function startFront(): Promise<Front & { passTo(address: string): void }> {
  const paths: string[] = [];
  let to = '';
  const own: { part: string; answer: Parameters<Front['next']>[1] }[] = [];
  const server: Server = createServer((incoming, response) => {
    const { url = '' } = incoming;
    paths.push(url);
    const i = own.findIndex(({ part }) => url.includes(part));
    const pass = () => forward(`${to}${url}`, incoming);
    if (i >= 0) {
      const [{ answer }] = own.splice(i, 1) as [(typeof own)[number]];
      void answer(response, async () => (await pass()).body);
      return;
    }
    void pass().then(({ status, headers, body }) => response.writeHead(status, headers).end(body));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    paths,
    passTo: (address) => {
      to = address;
    },
    next: (part, answer) => void own.push({ part, answer }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}

function forward(url: string, incoming: IncomingMessage) {
  return new Promise<{ status: number; headers: IncomingMessage['headers']; body: string }>((resolve, reject) => {
    const sent = request(url, { method: incoming.method, headers: incoming.headers }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (part: string) => {
        body += part;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }));
    });
    sent.on('error', reject);
    incoming.pipe(sent);
  });
}

/** A problem document. */
export function refuse(status: number, type: string, detail: string, headers: Record<string, string> = {}) {
  return (response: ServerResponse) => {
    const problem = { type: `urn:ietf:params:acme:error:${type}`, detail };
    response.writeHead(status, { 'content-type': 'application/problem+json', ...headers }).end(JSON.stringify(problem));
  };
}
