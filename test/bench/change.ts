/**
 * From an answer with a new value to the file that shows it. A relay before OpenBao notes when the answer has passed;
 * the file is watched. Secrets are read once or twice a second and written four times, so every read brings another
 * value. Once each secret is an output of its own; once an output is made of ten secrets of which one is written, and
 * the other nine are read again before it is published.
 */
import { readFileSync, watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
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
/** What was answered in the last moment may still be on its way. */
const GRACE_MS = 2_000;

const started = machine();
await using world = await startWorld();
const names = await putSecrets(world, SECRETS);
const [bao, ours] = [await measure('bao agent'), await measure('pannier')];
const together = await measure('pannier', SECRETS, '500ms');
const row = (work: string, atMost: number | undefined, of: (one: Seen) => number, unit: Row['unit'] = 'ms'): Row => ({
  work: `new value, ${work}`,
  unit,
  baoAgent: of(bao),
  pannier: of(ours),
  ...(atMost === undefined ? {} : { goal: { atMost } }),
});
const rowOfTen = (work: string, atMost: number, pannier: number, unit: Row['unit'] = 'ms'): Row => ({
  work: `new value, one output of ten secrets, ${work}`,
  unit,
  pannier,
  goal: { atMost },
});
const rows = [
  row('p50 from answer to file', 2, ({ lagsMs }) => quantile(lagsMs, 0.5)),
  row('p99 from answer to file', 8, ({ lagsMs }) => quantile(lagsMs, 0.99)),
  row('answers that no file showed', 0, ({ skipped }) => skipped, ''),
  rowOfTen('p50 from answer to file', 12, quantile(together.lagsMs, 0.5)),
  rowOfTen('p99 from answer to file', 20, quantile(together.lagsMs, 0.99)),
  rowOfTen('answers that no file showed', 0, together.skipped, ''),
];
const details = [bao, ours, together].map(({ lagsMs, skipped }) => ({ answers: lagsMs.length + skipped, skipped }));
const how = `${SECRETS} secrets, an output and a file each, read each second for ${WINDOW_MS / 1_000} s, another value each time; no quiet time. One output of ten secrets: each is read twice a second, one of them has another value each time, and the other nine are read again before the file appears.`;
await tell({ group: 'change', rows, how, quick: options.quick, details }, started);

interface Seen {
  readonly lagsMs: readonly number[];
  readonly skipped: number;
}

/** @param inOutput how many of the secrets an output is made of; the first of each output is written. */
async function measure(agent: 'bao agent' | 'pannier', inOutput = 1, refresh = '1s'): Promise<Seen> {
  await using stage = await createStage();
  const answeredMs = new Map<string, number>();
  await using relay = await startRelay(
    (value) => void (answeredMs.has(value) || answeredMs.set(value, performance.now())),
  );
  const work = { address: relay.address, tokenFile: world.tokenFile, dir: stage.dir, secrets: names };
  const isBao = agent === 'bao agent';
  const written = isBao
    ? await writeBaoAgent(work, { refresh })
    : await writePannier(work, { refresh, inOutput, quiet: '0s' });
  const changing = names.filter((_, at) => at % inOutput === 0);
  const shownMs = new Map<string, number>();
  const watchers: Disposable[] = [];
  const look = (path: string) => {
    const now = performance.now(); // the file is there; how long this program takes to read it is its own affair
    try {
      const value = readFileSync(path, 'utf8');
      if (!shownMs.has(value)) shownMs.set(value, now);
    } catch {
      // not there yet, or replaced at this moment
    }
  };
  for (const [at, name] of changing.entries()) {
    const dir = isBao ? written.out : join(written.out, `o${at}`);
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const watched = isBao ? name : '..data';
    const path = isBao ? join(dir, name) : join(dir, '..data', name);
    const watcher = watch(dir, (_event, changed) => void (changed === watched && look(path)));
    watchers.push({ [Symbol.dispose]: () => watcher.close() });
  }
  const one = isBao ? await stage.baoAgent(written) : await stage.pannier(written);
  await one.published(names.length);
  let isOver = false;
  const writing = (async () => {
    for (let round = 0; !isOver; round++) {
      const values = { username: 'shop', round: String(round) };
      for (const name of changing) await world.putSecret(name, { ...values, password: `${agent} ${name} ${round}` });
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
