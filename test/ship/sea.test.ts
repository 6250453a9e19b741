import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startMoto } from '../servers/index.ts';
import { eventually } from '../system/agent.helpers.ts';
import { baoOf, published, useScene, useWorld } from '../system/openbao.helpers.ts';

const run = promisify(execFile);
const scene = useScene();
const world = useWorld();

let folder: string;
let pannier: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pannier-sea-'));
  pannier = join(folder, 'pannier');
  await run(process.execPath, ['scripts/sea.ts', pannier]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs the executable where no Node can be found. */
const alone = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  run(pannier, args, { env: { PATH: '/nowhere', ...env }, cwd: folder });

describe('the single executable', () => {
  it('is one file of less than 130 MiB that shows its version and its help', async () => {
    expect((await stat(pannier)).size).toBeLessThan(130 * 2 ** 20);
    const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
    expect((await alone(['--version'])).stdout).toBe(`${version}\n`);
    expect((await alone(['init', '--help'])).stdout).toContain('--timeout');
  });

  it('publishes from a file, with a ready-made template', async () => {
    await writeFile(join(folder, 'secrets.yaml'), 'db: { username: ann, password: "a:b" }\n');
    const config = {
      version: 1,
      backends: { demo: { kind: 'file', path: './secrets.yaml' } },
      secrets: { db: { key: 'db' } },
      outputs: { o: { dir: './out', files: { '.pgpass': { template: 'builtin:pgpass' } } } },
    };
    await writeFile(join(folder, 'pannier.json'), JSON.stringify(config));
    await alone(['init', '-c', 'pannier.json']);
    expect(published(join(folder, 'out'))).toEqual({ '.pgpass': '*:*:*:ann:a\\:b\n' });
  });

  it('publishes from OpenBao, and NODE_DEBUG makes it print no request', async () => {
    await world().putSecret('app', { password: 'one' });
    const { dir, config } = await scene.place();
    const path = await config({
      backends: { bao: baoOf(world()) },
      secrets: { app: { kv: 'secret/shop/app' } },
      outputs: { shop: { dir: join(dir, 'out'), files: { 'app.json': { format: 'json', from: 'app' } } } },
    });
    const { stdout, stderr } = await alone(['init', '-c', path], { NODE_DEBUG: 'http,net' });
    expect(published(join(dir, 'out'))).toEqual({ 'app.json': '{\n  "password": "one"\n}\n' });
    expect(stdout).toBe('');
    expect(stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'))).toEqual([]);
  });

  it('runs, and answers its own probe', async () => {
    const { dir, config } = await scene.place();
    await writeFile(join(dir, 'secrets.yaml'), 'db: { username: ann }\n');
    const socket = join(dir, 'admin.sock');
    const path = await config({
      backends: { demo: { kind: 'file', path: './secrets.yaml' } },
      secrets: { db: { key: 'db' } },
      outputs: { o: { dir: './out', files: { user: { format: 'raw', from: 'db.username' } } } },
      admin: { socket },
    });
    const probe = () => alone(['probe', 'startup', '--socket', socket]);
    await expect(probe()).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('AGENT_UNREACHABLE') });
    const agent = execFile(pannier, ['run', '-c', path], { env: {} });
    const ended = new Promise((done) => agent.once('exit', done));
    await eventually(probe);
    agent.kill();
    expect(await ended).toBe(0);
  });

  it('holds what is loaded only when it is needed: the AWS SDK', async () => {
    const moto = scene.keep(await startMoto());
    await moto.api('secretsmanager', 'CreateSecret', { Name: 'prod/shop', SecretString: '{"key":"k-1"}' });
    const { dir, config } = await scene.place();
    const path = await config({
      backends: { aws: { kind: 'aws-secrets-manager', region: moto.region, endpoint: moto.address } },
      secrets: { stripe: { secretId: 'prod/shop' } },
      outputs: { shop: { dir: join(dir, 'out'), files: { key: { format: 'raw', from: 'stripe.key' } } } },
    });
    await alone(['init', '-c', path], { AWS_ACCESS_KEY_ID: 'made-up', AWS_SECRET_ACCESS_KEY: 'made-up' });
    expect(published(join(dir, 'out'))).toEqual({ key: 'k-1' });
  });

  it('starts itself again for the demo', async () => {
    const { stdout } = await alone(['demo']);
    expect(stdout).toContain('told to reload: I log in as shop with password spring-has-come\n');
    expect(stdout.endsWith('Done.\n')).toBe(true);
  });
});
