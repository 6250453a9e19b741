/**
 * AWS Secrets Manager: a start with 500 secrets beside the SDK in a loop, and reads of one secret over the local API
 * beside reads with the SDK, on moto. `node test/bench/aws.ts`, with `-- --quick` for fewer turns.
 *
 * moto answers a request in some milliseconds, one after another, so what is compared is how many requests are made and
 * what is done around them; AWS itself adds its distance to each.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startAwsProxy } from '../faults/aws-proxy.ts';
import { type Moto, motoVersion, startMoto } from '../servers/index.ts';
import { eventually } from '../system/agent.helpers.ts';
import { summarise } from './in-turns.ts';
import { machine } from './report.ts';
import { type Order, startStopwatch } from './stopwatch.ts';

const { values: options } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const TURNS = options.quick ? 2 : 7;
const SECRETS = 500;
const READING_MS = options.quick ? 1_000 : 5_000;

const started = machine();
const dir = await mkdtemp('/dev/shm/pannier-bench-aws-');
try {
  await using moto = await startMoto();
  const names = Array.from({ length: SECRETS }, (_, at) => `bench/${at}`);
  await moto.createSecrets(Object.fromEntries(names.map((name) => [name, JSON.stringify({ password: `of-${name}` })])));
  const { cores, cpu, node, load } = started;
  console.log(`${cores} cores (${cpu}), load ${load}, Node ${node}, moto ${motoVersion}, medians of ${TURNS}\n`);
  await starts(moto, names);
  await reads(moto, names[0] as string);
} finally {
  await rm(dir, { recursive: true, force: true });
}

function envOf({ region }: Moto): Record<string, string> {
  return { HOME: dir, AWS_REGION: region, AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: 'made-up' };
}

/** A program that reads all secrets with the SDK, so many at once. */
async function sdkLoop(endpoint: string, names: readonly string[], lanes: number): Promise<string> {
  const file = join(dir, `sdk-${lanes}.cjs`);
  await writeFile(
    file,
    `const { SecretsManagerClient, GetSecretValueCommand } = require(${JSON.stringify(resolve('node_modules/@aws-sdk/client-secrets-manager'))});
const client = new SecretsManagerClient({ endpoint: ${JSON.stringify(endpoint)} });
const left = ${JSON.stringify(names)}.values();
const lane = async () => { for (const SecretId of left) JSON.parse((await client.send(new GetSecretValueCommand({ SecretId }))).SecretString); };
Promise.all(Array.from({ length: ${lanes} }, lane)).then(() => client.destroy());
`,
  );
  return file;
}

async function pannierConfig(endpoint: string, names: readonly string[], more: object = {}): Promise<string> {
  const file = join(dir, `pannier-${names.length}.json`);
  const secrets = Object.fromEntries(names.map((secretId, at) => [`s${at}`, { secretId }]));
  const files = Object.fromEntries(names.map((_, at) => [`s${at}`, { content: `{{s${at}.password}}` }]));
  const backends = { aws: { kind: 'aws-secrets-manager', endpoint } };
  const outputs = { o: { dir: join(dir, 'out'), files } };
  await writeFile(file, JSON.stringify({ version: 1, backends, secrets, outputs, ...more }));
  return file;
}

async function starts(moto: Moto, names: readonly string[]): Promise<void> {
  using watch = startStopwatch();
  await using proxy = await startAwsProxy(moto.address);
  const env = envOf(moto);
  const order = (...argv: string[]): Order => ({ argv: [process.execPath, ...argv], env, log: join(dir, 'log') });
  const init = (config: string) => order(resolve('dist/pannier.js'), 'init', '-c', config);
  const contenders: readonly (readonly [string, Order])[] = [
    ['the SDK, one by one', order(await sdkLoop(moto.address, names, 1))],
    ['the SDK, 16 at once', order(await sdkLoop(moto.address, names, 16))],
    ['pannier init', init(await pannierConfig(moto.address, names))],
  ];
  const runs = contenders.map((): Awaited<ReturnType<typeof watch.measure>>[] => []);
  for (let turn = 0; turn <= TURNS; turn++) {
    for (const [at, [, one]] of contenders.entries()) {
      await rm(join(dir, 'out'), { recursive: true, force: true });
      const taken = await watch.measure(one);
      if (turn > 0) runs[at]?.push(taken);
    }
  }
  console.log(`a start with ${names.length} secrets`);
  for (const [at, [name]] of contenders.entries()) {
    const { wallMs, cpuMs, peakMiB } = summarise(runs[at] ?? []).median;
    console.log(
      `  ${name.padEnd(22)} ${wallMs.toFixed(0)} ms, CPU ${cpuMs.toFixed(0)} ms, peak ${peakMiB.toFixed(0)} MiB`,
    );
  }
  await rm(join(dir, 'out'), { recursive: true, force: true });
  await watch.measure(init(await pannierConfig(proxy.address, names)));
  console.log(
    `  calls of pannier init: ${proxy.calls.length}, ${proxy.count('BatchGetSecretValue')} of them batches\n`,
  );
}

async function reads(moto: Moto, name: string): Promise<void> {
  const socket = join(dir, 'api.sock');
  const config = await pannierConfig(moto.address, [name], { api: { socket } });
  const agent = spawn(process.execPath, [resolve('dist/pannier.js'), 'run', '-c', config], {
    env: envOf(moto),
    stdio: 'ignore',
  });
  try {
    const agentOf = new http.Agent({ keepAlive: true });
    const overApi = async () => {
      const request = http.get({ socketPath: socket, path: '/v1/secrets/s0', agent: agentOf });
      const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
      let text = '';
      for await (const chunk of answer.setEncoding('utf8')) text += chunk;
      if (!text.includes('of-bench')) throw new Error(`the API answered ${answer.statusCode}`);
    };
    await eventually(overApi);
    const { GetSecretValueCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
    const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'made-up' };
    const client = new SecretsManagerClient({ endpoint: moto.address, region: moto.region, credentials });
    const overSdk = async () => void (await client.send(new GetSecretValueCommand({ SecretId: name })));
    console.log('reads of one secret each second');
    for (const lanes of [1, 16]) {
      console.log(`  the SDK, ${lanes} at once   ${await perSecond(overSdk, lanes)}`);
      console.log(`  the local API, ${lanes} at once   ${await perSecond(overApi, lanes)}`);
    }
    client.destroy();
    agentOf.destroy();
  } finally {
    agent.kill('SIGTERM');
    await once(agent, 'exit');
  }
}

async function perSecond(read: () => Promise<void>, lanes: number): Promise<number> {
  const end = performance.now() + READING_MS;
  let count = 0;
  const lane = async () => {
    for (; performance.now() < end; count++) await read();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return Math.round((count * 1000) / READING_MS);
}
