/**
 * How long reviews take: node test/bench/injector.ts, after npm run build. Pods of four shapes come at 100 a second for
 * twenty seconds, first with configurations that came before, then each with a new one, over four kept connections. It
 * prints the times of the reviews and the memory of the process.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reviewOf } from '../injector/review.helpers.ts';
import { createAuthority } from '../servers/certificates.ts';
import { findFreePort } from '../servers/free-port.ts';

const PER_SECOND = 100;
const SECONDS = 20;

const dir = mkdtempSync(join(tmpdir(), 'pannier-bench-'));
const authority = createAuthority('bench');
const { certificatePem, keyPem } = authority.issue({ commonName: 'injector', altNames: ['127.0.0.1'] });
writeFileSync(join(dir, 'tls.crt'), certificatePem);
writeFileSync(join(dir, 'tls.key'), keyPem);
const port = await findFreePort();
const files = ['--tls-cert-file', join(dir, 'tls.crt'), '--tls-key-file', join(dir, 'tls.key')];
const args = [
  'dist/pannier.js',
  'injector',
  '--listen',
  `127.0.0.1:${port}`,
  '--address',
  'https://bao:8200',
  ...files,
];
const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
await new Promise<void>((resolve) => {
  child.stderr.on('data', (chunk: Buffer) => {
    if (chunk.includes('injector-listening')) resolve();
  });
});

const named = (prefix: string, all: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(all).map(([name, value]) => [prefix + name, value]));
const template = '{{ with secret "secret/data/app" }}{{ .Data.data.user }}{{ end }}';
const shapes = [
  {},
  named('pannier.dev/', {
    inject: 'true',
    role: 'shop',
    'secret-app': '{ kv: secret/shop/app }',
    'file-app.env': '{ format: dotenv, from: app }',
  }),
  named('vault.hashicorp.com/', {
    'agent-inject': 'true',
    role: 'shop',
    ...Object.fromEntries(
      ['a', 'b', 'c'].flatMap((one) => [
        [`agent-inject-secret-${one}`, `secret/data/${one}`],
        [`agent-inject-template-${one}`, template],
      ]),
    ),
  }),
  named('pannier.dev/', { inject: 'true', rol: 'x' }),
];
/** @param isNew whether no pod before had this configuration: it has a secret by another path. */
const bodyOf = (count: number, isNew: boolean): string => {
  const shape = count % shapes.length;
  const text = JSON.stringify(shapes[shape]).replaceAll('secret/', isNew ? `secret/n${count}-` : 'secret/');
  const annotations = JSON.parse(text);
  return JSON.stringify(
    reviewOf({
      metadata: { generateName: `pod-${shape}-`, annotations },
      spec: { containers: Array.from({ length: 3 }, (_, i) => ({ name: `c${i}`, image: 'x' })) },
    }),
  );
};

const agent = new Agent({ keepAlive: true, maxSockets: 4, ca: authority.certificatePem });
const ask = (body: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const start = performance.now();
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    const sent = request({ agent, host: '127.0.0.1', port, path: '/mutate', method: 'POST', headers }, (response) => {
      response.resume();
      response.on('end', () => resolve(performance.now() - start));
    });
    sent.on('error', reject);
    sent.end(body);
  });

/** What the process has used so far; a tick of Linux is 10 ms. */
const cpuMs = (): number => {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
};

const memory = (key: string): string => {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return `${Math.round(Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1]) / 1024)} MiB`;
};

for (let count = 0; count < 200; count++) await ask(bodyOf(count, false));
for (const isNew of [false, true]) {
  const asked: Promise<number>[] = [];
  const before = cpuMs();
  const begin = performance.now();
  for (let count = 0; count < PER_SECOND * SECONDS; count++) {
    const waitMs = begin + (count * 1000) / PER_SECOND - performance.now();
    if (waitMs > 1) await new Promise((resolve) => setTimeout(resolve, waitMs));
    asked.push(ask(bodyOf(count, isNew)));
  }
  const times = (await Promise.all(asked)).sort((a, b) => a - b);
  const at = (part: number): string => `${(times[Math.floor((times.length - 1) * part)] ?? 0).toFixed(1)} ms`;
  console.log(
    `${times.length} reviews at ${PER_SECOND}/s, ${isNew ? 'each of a new' : 'of a known'} configuration: p50 ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)}, ${((cpuMs() - before) / times.length).toFixed(1)} ms of CPU each`,
  );
}
console.log(`memory: ${memory('VmRSS')} at the end, ${memory('VmHWM')} at most`);
agent.destroy();
child.kill('SIGTERM');
rmSync(dir, { recursive: true, force: true });
