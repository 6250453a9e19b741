/**
 * From an answer with a new value to the file that shows it. A relay before OpenBao notes when the answer has passed;
 * the file is watched. Ten secrets are read each second and written four times a second, so every read brings another
 * value.
 */
import { watch } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startWorld } from '../servers/index.ts';
import { writeBaoAgent, writePannier } from './contenders.ts';
import { machine, type Row, tell } from './report.ts';
import { createStage, pause, putSecrets, quantile } from './resident.ts';

const { values: options } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const SECRETS = 10;
const WARM_MS = 5_000;
const WINDOW_MS = options.quick ? 8_000 : 60_000;
const WRITE_EACH_MS = 250;
const AT_MOST_MS = 20;
/** What was answered in the last moment may still be on its way. */
const GRACE_MS = 2_000;

const started = machine();
await using world = await startWorld();
const names = await putSecrets(world, SECRETS);
const [bao, ours] = [await measure('bao agent'), await measure('pannier')];
const row = (work: string, of: (one: Seen) => number, more: Partial<Row> = {}): Row => ({
  work: `new value, ${work}`,
  unit: 'ms',
  baoAgent: of(bao),
  pannier: of(ours),
  ...more,
});
const rows = [
  row('p50 from answer to file', ({ lagsMs }) => quantile(lagsMs, 0.5)),
  row('p99 from answer to file', ({ lagsMs }) => quantile(lagsMs, 0.99), { goal: { atMost: AT_MOST_MS } }),
  row('answers that no file showed', ({ skipped }) => skipped, { unit: '', goal: { atMost: 0 } }),
];
const details = [bao, ours].map(({ lagsMs, skipped }) => ({ answers: lagsMs.length + skipped, skipped }));
const how = `${SECRETS} secrets, an output and a file each, read each second for ${WINDOW_MS / 1_000} s, another value each time; no quiet time.`;
await tell({ group: 'change', rows, how, quick: options.quick, details }, started);

interface Seen {
  readonly lagsMs: readonly number[];
  readonly skipped: number;
}

async function measure(agent: 'bao agent' | 'pannier'): Promise<Seen> {
  await using stage = await createStage();
  const answeredMs = new Map<string, number>();
  await using relay = await startRelay(
    (value) => void (answeredMs.has(value) || answeredMs.set(value, performance.now())),
  );
  const work = { address: relay.address, tokenFile: world.tokenFile, dir: stage.dir, secrets: names };
  const isBao = agent === 'bao agent';
  const written = isBao
    ? await writeBaoAgent(work, { refresh: '1s' })
    : await writePannier(work, { refresh: '1s', apart: true });
  const shownMs = new Map<string, number>();
  const watchers: Disposable[] = [];
  const look = async (path: string) => {
    const value = await readFile(path, 'utf8').catch(() => '');
    if (!shownMs.has(value)) shownMs.set(value, performance.now());
  };
  for (const name of names) {
    const dir = isBao ? written.out : join(written.out, name);
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const watched = isBao ? name : '..data';
    const path = isBao ? join(dir, name) : join(dir, '..data', name);
    const watcher = watch(dir, (_event, changed) => void (changed === watched && look(path)));
    watchers.push({ [Symbol.dispose]: () => watcher.close() });
  }
  const one = isBao ? await stage.baoAgent(written) : await stage.pannier(written);
  await one.published(SECRETS);
  let isOver = false;
  const writing = (async () => {
    for (let round = 0; !isOver; round++) {
      const values = { username: 'shop', round: String(round) };
      for (const name of names) await world.putSecret(name, { ...values, password: `${agent} ${name} ${round}` });
      await pause(WRITE_EACH_MS);
    }
  })();
  await pause(WARM_MS);
  const [from, until] = [performance.now(), performance.now() + WINDOW_MS];
  await pause(WINDOW_MS + GRACE_MS);
  isOver = true;
  await writing;
  for (const watcher of watchers) watcher[Symbol.dispose]();
  const counted = [...answeredMs].filter(([, ms]) => ms >= from && ms < until);
  const lagsMs = counted.flatMap(([value, ms]) => (shownMs.has(value) ? [(shownMs.get(value) as number) - ms] : []));
  return { lagsMs, skipped: counted.length - lagsMs.length };
}

/** Passes everything on; `passed` is told the password of each answer that has one, when it goes out. */
async function startRelay(passed: (value: string) => void): Promise<AsyncDisposable & { readonly address: string }> {
  const agent = new http.Agent({ keepAlive: true });
  const relay = http.createServer((request, response) => {
    const { method, url, headers } = request;
    const { port } = world.bao;
    const onward = http.request({ host: '127.0.0.1', port, method, path: url, headers, agent }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const body = Buffer.concat(chunks);
        const [, password] = /"password":"([^"]+)"/.exec(body.toString()) ?? [];
        if (password !== undefined) passed(password);
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        response.end(body);
      });
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((listening) => relay.listen(0, '127.0.0.1', listening));
  return {
    address: `http://127.0.0.1:${(relay.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      relay.closeAllConnections();
      agent.destroy();
      await new Promise((closed) => relay.close(closed));
    },
  };
}
