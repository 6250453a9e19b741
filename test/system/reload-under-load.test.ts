import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findFreePort, type Postgres, startPostgres } from '../servers/index.ts';
import { type Agent, eventually, type Place } from './agent.helpers.ts';
import { askPostgres, type HandshakeOptions, keepConnecting } from './handshakes.helpers.ts';
import { useScene, useWorld } from './openbao.helpers.ts';

const world = useWorld();
const scene = useScene();

const ROTATIONS = 6;
const nginx = ['/usr/sbin/nginx', '/usr/bin/nginx', '/usr/local/bin/nginx'].find((path) => existsSync(path));
const isRoot = process.getuid?.() === 0;
/** Who PostgreSQL runs as in tests that run as root. */
const nobody = isRoot ? { uid: 65_534, gid: 65_534 } : {};

interface Rotating {
  readonly place: Place;
  readonly agent: Agent;
  /** Has another certificate issued; resolves to its serial number when it is published. */
  rotate(): Promise<string>;
  readonly serial: () => string;
}

/** An agent that publishes certificate, chain and key in `out/tls.pem`, and reloads the process of `app.pid`. */
async function startRotating(output: object = {}): Promise<Rotating> {
  const place = await scene.place();
  chmodSync(place.dir, 0o755); // for a server that runs as another user
  const file = join(place.dir, 'out/tls.pem');
  const pidFile = join(place.dir, 'app.pid');
  writeFileSync(pidFile, `${process.ppid}\n`);
  const agent = scene.run(
    await place.config({
      log: { level: 'debug' },
      backends: {
        bao: {
          kind: 'vault',
          address: world().bao.address,
          auth: { method: 'kubernetes', role: 'shop', tokenFile: world().tokenFile },
        },
      },
      secrets: { tls: { certificate: { issuer: 'pki', role: 'shop', commonName: 'shop.svc', ttl: '1h' } } },
      outputs: {
        tls: {
          dir: './out',
          dirMode: '0755',
          quiet: '0ms',
          ...output,
          files: { 'tls.pem': { content: '{{pem tls.certificate tls.caChain tls.privateKey}}\n' } },
          reload: [{ signal: { name: 'SIGHUP', pidFile } }],
        },
      },
      api: { listeners: [{ socket: './api.sock' }] },
    }),
  );
  await agent.waitFor('output-published');
  const serial = () => new X509Certificate(readFileSync(file)).serialNumber;
  return {
    place,
    agent,
    serial,
    async rotate() {
      const published = agent.facts('output-published').length;
      await refresh(join(place.dir, 'api.sock'));
      await agent.waitFor('output-published', { count: published + 1 });
      return serial();
    },
  };
}

function refresh(socketPath: string): Promise<void> {
  return new Promise((done, failed) => {
    const sent = request({ socketPath, path: '/v1/secrets/tls/refresh', method: 'POST' }, (answer) => {
      answer.resume().on('end', () => (answer.statusCode === 200 ? done() : failed(new Error(`${answer.statusCode}`))));
    });
    sent.on('error', failed).end();
  });
}

/** Rotates under load: each new certificate is served before the next one comes, and no handshake fails. */
async function rotateUnderLoad({ rotate, serial, agent }: Rotating, options: Omit<HandshakeOptions, 'ca'>) {
  const { data } = await world().bao.api<{ certificate: string }>('GET', 'pki/cert/ca');
  const load = keepConnecting({ ...options, ca: data.certificate });
  const served = (wanted: string) => eventually(() => expect(load.serials()).toContain(wanted));
  const published = [serial()];
  await served(serial());
  for (let i = 0; i < ROTATIONS; i++) {
    const next = await rotate();
    published.push(next);
    await served(next);
  }
  const failures = await load.stop();
  expect(failures).toEqual([]);
  expect(load.serials()).toEqual(published);
  expect(new Set(published).size).toBe(ROTATIONS + 1);
  expect(load.count()).toBeGreaterThan(50);
  expect(agent.facts('reload-failed')).toEqual([]);
}

function keepProcess(child: ChildProcess): void {
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  scene.keep({
    async [Symbol.asyncDispose]() {
      process.off('exit', kill);
      child.kill('SIGTERM');
    },
  });
}

describe('a certificate that changes under constant new connections', () => {
  it('reaches a TLS server of Node without a failed handshake', async () => {
    const rotating = await startRotating();
    const [port, pidFile] = [await findFreePort(), join(rotating.place.dir, 'app.pid')];
    const before = readFileSync(pidFile, 'utf8');
    const program = resolve('test/fixtures/programs/tls-server.ts');
    const args = [program, String(port), join(rotating.place.dir, 'out/tls.pem'), pidFile];
    keepProcess(spawn(process.execPath, args, { stdio: 'ignore' }));
    await eventually(() => expect(readFileSync(pidFile, 'utf8')).not.toBe(before));
    await rotateUnderLoad(rotating, { port });
  });

  it.skipIf(nginx === undefined)('reaches a real nginx without a failed handshake (needs nginx)', async () => {
    const rotating = await startRotating();
    const { dir } = rotating.place;
    const port = await findFreePort();
    const pem = join(dir, 'out/tls.pem');
    const config = join(dir, 'nginx.conf');
    writeFileSync(
      config,
      `${isRoot ? 'user root;' : ''}
      worker_processes 2;
      pid ${join(dir, 'app.pid')};
      error_log ${join(dir, 'nginx.log')};
      events { worker_connections 256; }
      http {
        access_log off;
        client_body_temp_path ${dir}/b; proxy_temp_path ${dir}/p; fastcgi_temp_path ${dir}/f;
        uwsgi_temp_path ${dir}/u; scgi_temp_path ${dir}/s;
        server {
          listen 127.0.0.1:${port} ssl;
          ssl_certificate ${pem};
          ssl_certificate_key ${pem};
          return 204;
        }
      }`,
    );
    const program = nginx as string;
    execFileSync(program, ['-t', '-q', '-c', config, '-e', join(dir, 'nginx.log')]);
    const args = ['-c', config, '-e', join(dir, 'nginx.log'), '-g', 'daemon off;'];
    keepProcess(spawn(program, args, { stdio: 'ignore' }));
    await eventually(() => expect(readFileSync(join(dir, 'app.pid'), 'utf8')).not.toBe(`${process.ppid}\n`));
    await rotateUnderLoad(rotating, { port });
  });

  it('reaches PostgreSQL, whose key must be private, without a failed handshake', async () => {
    const postgres: Postgres = await startPostgres();
    scene.keep(postgres);
    const rotating = await startRotating({ ...nobody, mode: '0600' });
    const { dir } = rotating.place;
    for (const setting of ['ssl_cert_file', 'ssl_key_file']) {
      await postgres.query(`ALTER SYSTEM SET ${setting} = '${join(dir, 'out/tls.pem')}'`);
    }
    await postgres.query('ALTER SYSTEM SET ssl = on');
    await postgres.query('SELECT pg_reload_conf()');
    writeFileSync(join(dir, 'app.pid'), `${postgres.pid}\n`);
    await eventually(async () => expect(await postgres.query('SHOW ssl')).toEqual([{ ssl: 'on' }]));
    await rotateUnderLoad(rotating, { port: postgres.port, begin: askPostgres });
  });
});
