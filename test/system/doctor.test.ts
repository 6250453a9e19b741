import { chmod, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createNetServer } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createAuthority } from '../servers/certificates.ts';
import { enableAppRole, enableJwtAuth, startOpenBao, writePolicy } from '../servers/index.ts';
import { type AgentOptions, runAgent } from './agent.helpers.ts';
import { fileBackend, writeSecrets } from './file-backend.helpers.ts';
import { baoOf, useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld({ openBao: { tls: true } });

beforeAll(async () => {
  const { bao, putSecret } = world();
  await putSecret('app', { password: 'hunter2' });
  await bao.api('PUT', 'auth/kubernetes/role/strict', {
    bound_service_account_names: ['shop'],
    bound_service_account_namespaces: ['default'],
    audience: 'openbao',
    token_policies: ['shop'],
  });
});

interface Check {
  readonly check: string;
  readonly place: string;
  readonly state: 'ok' | 'warning' | 'failure' | 'skipped';
  readonly seen: string;
  readonly hint?: string;
  readonly code?: string;
}

async function doctor(config: object, options?: AgentOptions) {
  const place = await scene.place();
  await chmod(place.dir, 0o755);
  const path = await place.config(config);
  const agent = await runAgent(['doctor', '-c', path, '--json'], options);
  const checks = JSON.parse(agent.stdout()) as readonly Check[];
  const failures = checks.filter(({ state }) => state === 'failure');
  const [first = checks.find(({ state }) => state === 'warning')] = failures;
  return { place, status: agent.status, stderr: agent.stderr(), checks, failures, first };
}

const app = { app: { kv: 'secret/shop/app' } };

/** A backend `bao` that differs from a good one in `changes`. */
const bao = (changes: object = {}, auth: object = {}) => ({
  backends: { bao: { ...baoOf(world(), auth), ...changes } },
  secrets: app,
});

/** A server that answers like one of this API whose clock or state is wrong. */
async function fakeServer(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const HEALTH = { initialized: true, sealed: false, standby: false, version: '2.7.2' };

function tellHealth(response: ServerResponse, health: object, date?: Date): void {
  if (date !== undefined) response.setHeader('Date', date.toUTCString());
  response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ ...HEALTH, ...health }));
}

describe('pannier doctor on a set-up that works', () => {
  it('finds nothing wrong, publishes nothing and leaves no login behind', async () => {
    const place = await scene.place();
    const dir = join(place.dir, 'out');
    const accessors = async () => JSON.stringify((await world().bao.api('LIST', 'auth/token/accessors')).data);
    const before = await accessors();
    const { status, checks, stderr } = await doctor({
      ...bao(),
      outputs: {
        shop: {
          dir,
          requireTmpfs: true,
          files: { 'a.env': { format: 'dotenv', from: ['app'] }, b: { content: '{{app.password}}' } },
          reload: [{ command: { argv: ['true'] } }],
        },
      },
      api: { socket: join(place.dir, 'api.sock') },
    });
    expect(checks.filter(({ state }) => state !== 'ok')).toEqual([]);
    expect([status, stderr]).toEqual([0, '']);
    expect(new Set(checks.map(({ check }) => check))).toEqual(
      new Set(
        'configuration template credential name connection clock health login policy secret rendering destination tmpfs'
          .concat(' owner space agents socket dir listener reload')
          .split(/ (?!dir)/),
      ),
    );
    const seen = JSON.stringify(checks);
    expect(seen).toContain('of the service account default/shop');
    expect(seen).toContain('by https://kubernetes.default.svc.cluster.local');
    expect(seen).not.toContain('hunter2');
    expect(await readdir(place.dir)).toEqual([]);
    expect(await accessors()).toBe(before);
  });

  it('fetches nothing whose fetch makes something new', async () => {
    const asked = (await world().bao.requests()).length;
    const { checks } = await doctor({
      ...bao(),
      secrets: {
        tls: { certificate: { issuer: 'pki', role: 'shop', commonName: 'shop.svc' } },
        db: { read: 'database/creds/shop', optional: true },
      },
    });
    expect(checks.find(({ place }) => place === 'secrets.tls.certificate')?.state).toBe('ok');
    const paths = (await world().bao.requests()).slice(asked).map(({ path }) => path);
    expect(paths.filter((path) => /^(?:pki|database)\//.test(path))).toEqual([]);
    expect(paths).toContain('auth/token/revoke-self');
  });

  it('uses up no secret id that can be used once', async () => {
    const { bao: server } = world();
    const approle = await enableAppRole(server, { role: 'once', policies: ['shop'] });
    const place = await scene.place();
    const secretIdFile = join(place.dir, 'secret-id');
    await writeFile(secretIdFile, await approle.newWrappedSecretId());
    const auth = { method: 'approle', roleId: approle.roleId, secretIdFile, secretIdWrapped: true };
    const { status, checks } = await doctor({
      backends: { bao: { kind: 'vault', address: server.address, auth } },
      secrets: app,
    });
    expect(status).toBe(0);
    expect(checks.filter(({ state }) => state === 'skipped').map(({ check }) => check)).toEqual(['login', 'secret']);
  });

  it('prints a line per check and a sum, without --json', async () => {
    const place = await scene.place();
    await writeSecrets(place, { app: { password: 'hunter2' } });
    const config = await place.config({ backends: fileBackend, secrets: { app: { key: 'app' }, b: { key: 'nope' } } });
    const agent = await runAgent(['doctor', '-c', config]);
    expect(agent.status).toBe(1);
    const lines = agent.stdout().trimEnd().split('\n');
    expect(lines.every((line) => /^(?:ok|warning|failure|skipped) {2,}\S+/.test(line) || line === lines.at(-1))).toBe(
      true,
    );
    expect(agent.stdout()).toMatch(/^failure +secret +secrets\.b\.key: .* \(SECRET_NOT_FOUND\)\. .+$/m);
    expect(lines.at(-1)).toMatch(/^\d+ ok, (?:\d+ warning, )?1 failure$/);
  });
});

describe('the first failing line of pannier doctor names the cause', () => {
  it('of a refused port', async () => {
    const { status, first, checks } = await doctor(bao({ address: 'http://127.0.0.1:1' }));
    expect(first).toMatchObject({ check: 'connection', place: 'backends.bao.address', code: 'BACKEND_UNREACHABLE' });
    expect(first?.seen).toContain('connection refused at http://127.0.0.1:1');
    expect(status).toBe(3);
    expect(checks.find(({ check }) => check === 'secret')).toMatchObject({ state: 'skipped', seen: 'no login' });
  });

  it('of a name that does not resolve', async () => {
    const { status, first } = await doctor(bao({ address: 'https://openbao.invalid:8200' }));
    expect(first).toMatchObject({ check: 'name', code: 'BACKEND_UNREACHABLE' });
    expect(first?.seen).toMatch(/the host name has no address|the name server did not answer/);
    expect(status).toBe(3);
  });

  it('of an unknown authority', async () => {
    const { status, first } = await doctor(bao({ address: world().bao.tls.address }));
    expect(first).toMatchObject({ check: 'tls', place: 'backends.bao.tls', code: 'BACKEND_TLS' });
    expect(first?.seen).toMatch(/signed by an unknown authority.*signed by OpenBao test CA/);
    expect(first?.hint).toContain('tls.caFile');
    expect(status).toBe(3);
  });

  it('of a certificate for another name', async () => {
    const { address, caFile } = world().bao.tls;
    const { first } = await doctor(bao({ address, tls: { caFile, serverName: 'vault.other' } }));
    expect(first).toMatchObject({ check: 'tls', code: 'BACKEND_TLS' });
    expect(first?.seen).toMatch(/for another name.*127\.0\.0\.1, localhost, openbao.*asked for as vault\.other/);
  });

  it('of an expired certificate', async () => {
    const place = await scene.place();
    const authority = createAuthority('shop CA');
    const { certificatePem: cert, keyPem: key } = authority.issue({
      commonName: 'bao',
      altNames: ['127.0.0.1'],
      lifetimeMs: -120_000,
    });
    const caFile = join(place.dir, 'ca.pem');
    await writeFile(caFile, authority.certificatePem);
    const server = createSecureServer({ cert, key }).listen(0, '127.0.0.1');
    await new Promise((done) => server.once('listening', done));
    onTestFinished(() => void server.close());
    const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { first } = await doctor(bao({ address, tls: { caFile } }));
    expect(first).toMatchObject({ check: 'tls', code: 'BACKEND_TLS' });
    expect(first?.seen).toMatch(/certificate has expired.*expired 2m ago/);
  });

  it('of a port where no TLS is spoken', async () => {
    const { first } = await doctor(bao({ address: world().bao.address.replace('http:', 'https:') }));
    expect(first).toMatchObject({ check: 'tls', code: 'BACKEND_TLS' });
    expect(first?.seen).toContain('does not speak TLS');
  });

  it('of a clock that is wrong', async () => {
    const address = await fakeServer((_, response) => tellHealth(response, {}, new Date(Date.now() + 630_000)));
    const { status, first, checks } = await doctor(bao({ address }));
    expect(first).toMatchObject({ check: 'clock', code: 'BACKEND_CLOCK' });
    expect(first?.seen).toBe('the clock of the server is 10m ahead of this machine');
    expect(status).toBe(1);
    expect(checks.find(({ check }) => check === 'login')?.state).toBe('skipped');
  });

  it('of a sealed server', async () => {
    await using sealed = await startOpenBao();
    await sealed.api('PUT', 'sys/seal');
    const { status, first } = await doctor(bao({ address: sealed.address }));
    expect(first).toMatchObject({ check: 'health', code: 'BACKEND_UNAVAILABLE' });
    expect(first?.seen).toBe(`the server at ${sealed.address} is sealed`);
    expect(status).toBe(3);
  });

  it('of a server that is not initialised, and of one that is none of this API', async () => {
    const fresh = await fakeServer((_, response) => tellHealth(response, { initialized: false, sealed: true }));
    expect((await doctor(bao({ address: fresh }))).first?.seen).toContain('is not initialised');
    const other = await fakeServer((_, response) => void response.writeHead(404).end('{}'));
    expect((await doctor(bao({ address: other }))).first).toMatchObject({ code: 'BACKEND_MALFORMED' });
  });

  it('of a token file that is missing, expired, or holds no JWT', async () => {
    const place = await scene.place();
    const tokenFile = join(place.dir, 'token');
    const missing = await doctor(bao({}, { tokenFile }));
    const at = 'backends.bao.auth.tokenFile';
    expect(missing.first).toMatchObject({ check: 'credential', place: at, code: 'AUTH_CREDENTIAL_UNREADABLE' });
    expect(missing.status).toBe(4);
    await writeFile(tokenFile, await world().review.mintToken({ serviceAccount: 'shop', ttlSeconds: -300 }));
    const expired = await doctor(bao({}, { tokenFile }));
    expect(expired.first).toMatchObject({ check: 'credential', place: at, code: 'AUTH_EXPIRED' });
    expect(expired.first?.seen).toMatch(/expired 5m/);
    await writeFile(tokenFile, 'hunter2hunter2');
    const noJwt = await doctor(bao({}, { tokenFile }));
    expect(noJwt.first).toMatchObject({ check: 'credential', code: 'AUTH_DENIED' });
    expect(JSON.stringify(noJwt.checks)).not.toContain('hunter2');
  });

  it('of a wrong audience, and of a role that does not exist', async () => {
    const audience = await doctor(bao({}, { role: 'strict' }));
    expect(audience.first).toMatchObject({ check: 'login', place: 'backends.bao.auth', code: 'AUTH_DENIED' });
    expect(audience.first?.seen).toMatch(/audience/);
    expect(audience.status).toBe(4);
    const role = await doctor(bao({}, { role: 'nobody' }));
    expect(role.first).toMatchObject({ check: 'login', code: 'AUTH_DENIED' });
    expect(role.first?.seen).toContain('invalid role name');
    await enableJwtAuth(world().bao, { role: 'shop', policies: ['shop'], review: world().review });
    const tokenFile = join(world().bao.dir, 'other-audience');
    await writeFile(tokenFile, await world().review.mintToken({ serviceAccount: 'shop', audience: 'somebody-else' }));
    const jwt = await doctor(bao({}, { method: 'jwt', role: 'shop', tokenFile }));
    expect(jwt.first?.seen).toMatch(/audience does not match.*for the audience somebody-else/);
  });

  it('of a path that the policy leaves out, a mount that is missing, and a secret that is missing', async () => {
    const { bao: server } = world();
    await writePolicy(server, 'mounts', 'path "nothere/data/*" { capabilities = ["read"] }');
    await server.api('PUT', 'auth/kubernetes/role/mounts', {
      bound_service_account_names: ['shop'],
      bound_service_account_namespaces: ['default'],
      token_policies: ['shop', 'mounts'],
    });
    const { status, failures } = await doctor({
      ...bao({}, { role: 'mounts' }),
      secrets: {
        ...app,
        denied: { kv: 'secret/elsewhere/x' },
        mount: { kv: 'nothere/x' },
        gone: { kv: 'secret/shop/gone' },
        static: { read: 'database/creds/shop' },
      },
    });
    expect(failures.map(({ place, code }) => [place, code])).toEqual([
      ['secrets.denied.kv', 'SECRET_DENIED'],
      ['secrets.mount.kv', 'SECRET_NOT_FOUND'],
      ['secrets.gone.kv', 'SECRET_NOT_FOUND'],
      ['secrets.static.read', 'SECRET_NOT_FOUND'],
    ]);
    const [denied, mount, gone] = failures;
    expect(denied?.seen).toContain('(permission denied) for GET secret/data/elsewhere/x');
    expect(denied?.hint).toContain('path "secret/data/elsewhere/x" { capabilities = ["read"] }');
    expect(mount?.hint).toMatch(/^There is no mount for this path\. It sees .*secret\//);
    expect(gone?.hint).toContain('The KV mount exists, the secret does not');
    expect(status).toBe(4);
  });

  it('of a role without the default policy, whose secrets are read instead', async () => {
    const { bao: server } = world();
    await writePolicy(server, 'bare', 'path "secret/data/shop/app" { capabilities = ["read"] }');
    await server.api('PUT', 'auth/kubernetes/role/bare', {
      bound_service_account_names: ['shop'],
      bound_service_account_namespaces: ['default'],
      token_policies: ['bare'],
      token_no_default_policy: true,
    });
    const { status, checks } = await doctor({
      ...bao({}, { role: 'bare' }),
      secrets: { ...app, none: { kv: 'secret/shop/none' } },
    });
    expect(checks.filter(({ state }) => state !== 'ok').map(({ check, state, code }) => [check, state, code])).toEqual([
      ['configuration', 'warning', 'CONFIG_UNUSED'],
      ['policy', 'warning', 'SECRET_DENIED'],
      ['secret', 'failure', 'SECRET_DENIED'],
      ['login', 'warning', 'SECRET_DENIED'],
    ]);
    expect(status).toBe(4);
  });
});

describe('the first failing line of pannier doctor names what is wrong on this machine', () => {
  const local = async (more: (dir: string) => object | Promise<object>, options?: AgentOptions) => {
    const place = await scene.place();
    await chmod(place.dir, 0o755);
    await writeSecrets(place, { app: { password: 'hunter2' } });
    await chmod(join(place.dir, 'secrets.json'), 0o644);
    const backends = { demo: { kind: 'file', path: join(place.dir, 'secrets.json') } };
    return await doctor({ backends, secrets: { app: { key: 'app' } }, ...(await more(place.dir)) }, options);
  };
  const output = (dir: string, more: object = {}) => ({
    outputs: { shop: { dir, files: { 'a.env': { format: 'dotenv', from: ['app'] } }, ...more } },
  });

  it('of a directory that cannot be written or made', async () => {
    const isRoot = process.getuid?.() === 0;
    const denied = await local(
      async (dir) => {
        await mkdir(join(dir, 'out'), { mode: 0o555 });
        return output(join(dir, 'out'));
      },
      isRoot ? { uid: 65534, gid: 65534 } : {},
    );
    expect(denied.first).toMatchObject({
      check: 'destination',
      place: 'outputs.shop.dir',
      code: 'OUTPUT_NOT_WRITABLE',
    });
    const below = await local(
      async (dir) => {
        await mkdir(join(dir, 'closed'), { mode: 0o555 });
        return output(join(dir, 'closed', 'a', 'out'));
      },
      isRoot ? { uid: 65534, gid: 65534 } : {},
    );
    expect(below.first).toMatchObject({ check: 'destination', code: 'OUTPUT_NOT_WRITABLE' });
    expect(below.first?.seen).toMatch(/cannot be made in .*closed: this user has no permission/);
  });

  it('of a directory that is not on tmpfs, is a file, or was made by another program', async () => {
    const disk = await local(() => output('/var/tmp/pannier-doctor-none', { requireTmpfs: true }));
    expect(disk.first).toMatchObject({ check: 'tmpfs', code: 'OUTPUT_NOT_TMPFS' });
    expect(disk.status).toBe(1);
    const file = await local(async (dir) => {
      await writeFile(join(dir, 'out'), '');
      return output(join(dir, 'out'));
    });
    expect(file.first).toMatchObject({ check: 'destination', code: 'OUTPUT_OCCUPIED' });
    const kubelet = await local(async (dir) => {
      await mkdir(join(dir, 'out', '..2026_01_01'), { recursive: true });
      await symlink('..2026_01_01', join(dir, 'out', '..data'));
      return output(join(dir, 'out'));
    });
    expect(kubelet.first).toMatchObject({ check: 'leftovers', state: 'warning', code: 'OUTPUT_OCCUPIED' });
    const taken = await local(async (dir) => {
      await mkdir(join(dir, 'out'));
      await writeFile(join(dir, 'out', 'a.env'), 'A=1\n');
      return output(join(dir, 'out'));
    });
    expect(taken.first).toMatchObject({ check: 'leftovers', state: 'failure', code: 'OUTPUT_OCCUPIED' });
  });

  it('of a socket directory that is missing, a dead socket, and a port that another program has', async () => {
    const missing = await local((dir) => ({ api: { socket: join(dir, 'none', 'below', 'api.sock') } }));
    expect(missing.first).toMatchObject({ check: 'socket dir', place: 'api', code: 'LISTEN_FAILED' });
    const dead = await local(async (dir) => {
      const path = join(dir, 'api.sock');
      const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
      const { spawnSync } = await import('node:child_process');
      spawnSync(process.execPath, ['-e', script]);
      return { api: { socket: path } };
    });
    expect(dead.first).toMatchObject({ check: 'listener', state: 'warning', code: 'AGENT_UNREACHABLE' });
    expect(dead.first?.seen).toContain('is a dead socket');
    expect(dead.status).toBe(0);
    const other = await fakeServer((_, response) => void response.end('hello'));
    const used = await local(() => ({ admin: { listen: other.replace('http://', '') } }));
    expect(used.first).toMatchObject({ check: 'listener', place: 'admin', code: 'LISTEN_IN_USE' });
  });

  it('of a stale pid file, a process that is missing, a command that is missing, and a server that is down', async () => {
    const gone = await local(async (dir) => {
      await writeFile(join(dir, 'app.pid'), '2147483646\n');
      return output(join(dir, 'out'), { reload: [{ signal: { name: 'SIGHUP', pidFile: join(dir, 'app.pid') } }] });
    });
    expect(gone.first).toMatchObject({
      check: 'reload',
      place: 'outputs.shop.reload[0]',
      code: 'RELOAD_NO_PROCESS',
    });
    const rest = await local((dir) =>
      output(join(dir, 'out'), {
        reload: [
          { signal: { name: 'SIGHUP', process: 'pannier-none' } },
          { command: { argv: ['./no-such-command'] } },
          { command: { argv: ['no-such-command'] } },
          { http: { method: 'POST', url: 'http://127.0.0.1:1/reload' } },
        ],
        check: { command: { argv: ['no-such-check'] } },
        verify: { http: { method: 'GET', url: 'http://127.0.0.1:1/healthz' }, within: '1s' },
      }),
    );
    expect(rest.failures.map(({ check, code }) => [check, code])).toEqual([
      ['check', 'RELOAD_COMMAND_MISSING'],
      ['reload', 'RELOAD_NO_PROCESS'],
      ['reload', 'RELOAD_COMMAND_MISSING'],
      ['reload', 'RELOAD_COMMAND_MISSING'],
      ['reload', 'RELOAD_HTTP_UNREACHABLE'],
      ['verify', 'RELOAD_HTTP_UNREACHABLE'],
    ]);
  });

  it('of a template, of a configuration, and of a file of secrets', async () => {
    const template = await local((dir) => output(join(dir, 'out'), { files: { a: { content: '{{#if app.x}}' } } }));
    expect(template.first).toMatchObject({ check: 'template', code: 'TEMPLATE_SYNTAX' });
    expect(template.status).toBe(2);
    expect(template.checks.some(({ check, state }) => check === 'secret' && state === 'ok')).toBe(true);
    const unknown = await local(() => ({ outputz: {} }));
    expect(unknown.first).toMatchObject({ check: 'configuration', code: 'CONFIG_UNKNOWN_KEY' });
    expect(unknown.status).toBe(2);
    const nofile = await local(() => ({ backends: { demo: { kind: 'file', path: '/nonexistent/secrets.yaml' } } }));
    expect(nofile.first).toMatchObject({ check: 'file', place: 'backends.demo.path', code: 'BACKEND_FILE' });
  });

  it('of an agent that publishes to the same directory, and knows the agent that runs', async () => {
    const place = await scene.place();
    await writeSecrets(place, { app: { password: 'hunter2' } });
    const dir = join(place.dir, 'out');
    const socket = join(place.dir, 'api.sock');
    const base = { backends: fileBackend, secrets: { app: { key: 'app' } }, ...output(dir), api: { socket } };
    const config = await place.config(base);
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    const same = await runAgent(['doctor', '-c', config, '--json']);
    const checks = JSON.parse(same.stdout()) as readonly Check[];
    expect(same.status).toBe(0);
    expect(checks.find(({ check }) => check === 'agents')?.seen).toContain(`process ${agent.pid}`);
    expect(checks.find(({ check }) => check === 'listener')?.seen).toBe(`an agent listens on ${socket}`);
    const backends = { demo: { kind: 'file', path: join(place.dir, 'secrets.json') } };
    const other = await doctor({ backends, secrets: { app: { key: 'app' } }, ...output(dir) });
    expect(other.first).toMatchObject({ check: 'agents', code: 'OUTPUT_OCCUPIED' });
    expect(other.first?.seen).toContain(`process ${agent.pid}`);
  });

  it('of a server that never answers, within the time of the check', async () => {
    const silent = createNetServer(() => {}).listen(0, '127.0.0.1');
    await new Promise((done) => silent.once('listening', done));
    onTestFinished(() => void silent.close());
    const address = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const { first, status } = await doctor(bao({ address }));
    expect(first).toMatchObject({ check: 'health', code: 'BACKEND_TIMEOUT' });
    expect(status).toBe(3);
    const place = await scene.place();
    const path = await place.config(bao({ address }));
    const hurried = await runAgent(['doctor', '-c', path, '--json', '--timeout', '500ms']);
    const cut = (JSON.parse(hurried.stdout()) as readonly Check[]).find(({ state }) => state === 'failure');
    expect(cut).toMatchObject({ check: 'health', code: 'CHECK_TIMEOUT' });
    expect(hurried.status).toBe(3);
  });
});
