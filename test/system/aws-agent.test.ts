import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AwsProxy, startAwsProxy } from '../faults/aws-proxy.ts';
import { findFreePort, type Moto, startMoto } from '../servers/index.ts';
import { ServerProcess } from '../servers/server-process.ts';
import { eventually } from './agent.helpers.ts';
import { putSecrets, ROLE, SEQUENCE, send, TOKEN, withoutDate } from './aws-agent.sequence.ts';
import { useScene } from './openbao.helpers.ts';

const scene = useScene();
let moto: Moto;
beforeAll(async () => {
  moto = await startMoto();
}, 300_000);
afterAll(() => moto.stop());

const KEYS = { AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: 'made-up', AWS_EC2_METADATA_DISABLED: 'true' };

/** Starts an agent with one listener that speaks AWS's protocol. Resolves to its port. */
async function startOurs(endpoint: string, aws: object = {}, more: object = {}) {
  const place = await scene.place();
  const port = await findFreePort();
  const tokenFile = join(place.dir, 'token');
  writeFileSync(tokenFile, TOKEN, { mode: 0o600 });
  const config = await place.config({
    backends: { aws: { kind: 'aws-secrets-manager', endpoint, region: moto.region } },
    api: { listen: `127.0.0.1:${port}`, tokenFile, aws: { onDemand: true, allow: ['*'], roleArns: [ROLE], ...aws } },
    ...more,
  });
  const agent = scene.run(config, { env: KEYS });
  await agent.waitFor('listener-opened');
  return { agent, port, place };
}

/** Starts the AWS agent whose path AWS_AGENT holds, to compare the sequence with it. */
async function startTheirs(program: string, endpoint: string) {
  const { dir } = await scene.place();
  const port = await findFreePort();
  const config = join(dir, 'config.toml');
  writeFileSync(config, `log_to_file = false\nhttp_port = "${port}"\n`);
  const args = program.endsWith('provider') ? ['sm', 'start', '--config', config] : ['--config', config];
  const env = {
    ...KEYS,
    AWS_REGION: moto.region,
    AWS_TOKEN: TOKEN,
    AWS_ENDPOINT_URL: endpoint,
    AWS_SESSION_TOKEN: 's',
  };
  const logFile = join(dir, 'log');
  const theirs = new ServerProcess({
    name: 'AWS agent',
    command: program,
    args,
    env,
    logFile,
    dir,
    endSignal: 'SIGKILL',
  });
  scene.keep({ [Symbol.asyncDispose]: () => theirs.end('SIGKILL') });
  await eventually(() => send(port, {}, '/ping'));
  return { port };
}

const startUnderTest = (endpoint: string) =>
  process.env['AWS_AGENT'] === undefined ? startOurs(endpoint) : startTheirs(process.env['AWS_AGENT'], endpoint);

describe('in the place of the AWS agent', () => {
  it('a recorded sequence of requests is answered as it does', async () => {
    const known = await putSecrets(moto);
    await using proxy: AwsProxy = await startAwsProxy(moto.address);
    const { port } = await startUnderTest(proxy.address);
    const answers: (readonly unknown[])[] = [];
    const wanted: (readonly unknown[])[] = [];
    for (const step of SEQUENCE) {
      await step.before?.(moto, proxy, known);
      const path = typeof step.path === 'string' ? step.path : step.path(known);
      const { status, body, headers } = await send(port, step, path);
      answers.push([step.title, status, withoutDate(body), headers['content-length']]);
      const text = typeof step.wanted === 'string' ? step.wanted : step.wanted(known);
      wanted.push([step.title, step.status, text, String(Buffer.byteLength(body))]);
    }
    expect(SEQUENCE.length).toBeGreaterThanOrEqual(40);
    expect(answers).toEqual(wanted);
  }, 120_000);
});
