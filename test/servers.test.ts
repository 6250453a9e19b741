import { execFile, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { access, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addStaticRole,
  enableAppRole,
  enableCertAuth,
  enableJwtAuth,
  enableUserpass,
  ensureOpenBao,
  OpenBaoError,
  openBaoVersion,
  startMoto,
  startOpenBao,
  startPostgres,
  startTokenReview,
  startWorld,
  type World,
} from './servers/index.ts';

const run = promisify(execFile);

describe('the binary of OpenBao', () => {
  it.each(['PANNIER_TEST_BAO', 'BAO_BIN'])(
    'that %s names is bao on the PATH of a test, whatever its file is called',
    async (name) => {
      const dir = await mkdtemp(join(tmpdir(), 'pannier-binary-'));
      try {
        const binary = join(dir, 'openbao-of-mine');
        await symlink(await ensureOpenBao(), binary);
        const script =
          `import { ensureOpenBao, ensureOpenBaoFolder } from './test/servers/index.ts';\n` +
          `import { execFileSync } from 'node:child_process';\n` +
          `const PATH = await ensureOpenBaoFolder();\n` +
          `console.log(await ensureOpenBao(), String(execFileSync('bao', ['version'], { env: { PATH } })));`;
        const env = { ...process.env, PANNIER_TEST_BAO: '', BAO_BIN: '', [name]: binary };
        const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { env });
        expect(stdout).toMatch(new RegExp(`^${binary} OpenBao v${openBaoVersion} `));
      } finally {
        await rm(dir, { recursive: true });
      }
    },
  );
});

describe('the world', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ database: true, openBao: { tls: true, unix: true } });
  }, 120_000);
  afterAll(() => world?.stop());

  it('logs the shop in with the token that the kubelet would have mounted', async () => {
    const { bao, review, tokenFile } = world;
    const reviewsBefore = review.reviews;
    const jwt = await readFile(tokenFile, 'utf8');
    const { auth } = await bao.api('POST', 'auth/kubernetes/login', { role: 'shop', jwt }, {});
    expect(auth.policies).toEqual(['default', 'shop']);
    expect(auth.metadata).toMatchObject({ service_account_name: 'shop', service_account_namespace: 'default' });
    expect(auth).toMatchObject({ lease_duration: 3600, renewable: true });
    expect(review.reviews).toBe(reviewsBefore + 1);
  });

  it.each([
    ['signed with another key', { serviceAccount: 'shop', forged: true }],
    ['that has expired', { serviceAccount: 'shop', ttlSeconds: -120 }],
    ['of another service account', { serviceAccount: 'till' }],
    ['of another namespace', { serviceAccount: 'shop', namespace: 'kitchen' }],
  ])('refuses a service-account token %s', async (_, options) => {
    const jwt = await world.review.mintToken(options);
    const login = world.bao.api('POST', 'auth/kubernetes/login', { role: 'shop', jwt }, {});
    await expect(login).rejects.toThrow(OpenBaoError);
    await expect(login).rejects.toHaveProperty('status', 403);
  });

  it('refuses a service-account token for another audience when the role names one', async () => {
    const { bao, review } = world;
    const bound = { bound_service_account_names: ['shop'], bound_service_account_namespaces: ['default'] };
    await bao.api('PUT', 'auth/kubernetes/role/strict', { ...bound, audience: 'openbao' });
    const login = async (audience: string) => {
      const jwt = await review.mintToken({ serviceAccount: 'shop', audience });
      return bao.api('POST', 'auth/kubernetes/login', { role: 'strict', jwt }, {});
    };
    expect((await login('openbao')).auth.policies).toEqual(['default']);
    await expect(login('till')).rejects.toHaveProperty('status', 403);
  });

  it('keeps versioned and unversioned secrets, and lets the shop read only its own', async () => {
    const { bao } = world;
    const token = await world.login();
    expect(await world.putSecret('app', { colour: 'red' })).toBe(1);
    expect(await world.putSecret('app', { colour: 'blue' })).toBe(2);
    await bao.api('POST', 'kv1/app', { colour: 'green' });
    expect((await bao.api('GET', 'secret/data/shop/app', undefined, token)).data).toMatchObject({
      data: { colour: 'blue' },
      metadata: { version: 2 },
    });
    expect((await bao.api('GET', 'kv1/app', undefined, token)).data).toEqual({ colour: 'green' });
    const foreign = bao.api('GET', 'secret/data/till/app', undefined, token);
    await expect(foreign).rejects.toMatchObject({
      status: 403,
      errors: [expect.stringContaining('permission denied')],
    });
  });

  it('makes database users that can log in until their lease is revoked', async () => {
    const { bao, postgres } = world;
    type Login = { username: string; password: string };
    const made = await bao.api<Login>('GET', 'database/creds/shop', undefined, await world.login());
    const { username, password } = made.data;
    expect(made).toMatchObject({ lease_duration: 3600, renewable: true });
    expect(await postgres.canLogin(username, password)).toBe(true);
    expect(await postgres.canLogin(username, 'wrong')).toBe(false);
    await bao.api('PUT', 'sys/leases/revoke', { lease_id: made.lease_id, sync: true });
    expect(await postgres.canLogin(username, password)).toBe(false);
  });

  it('rotates the password of a static database user', async () => {
    const { bao, postgres } = world;
    await addStaticRole(bao, postgres, { role: 'reports', rotationPeriod: '24h' });
    const { data } = await bao.api<{ password: string }>('GET', 'database/static-creds/reports');
    expect(data).toMatchObject({ username: 'reports', rotation_period: 86_400 });
    expect(await postgres.canLogin('reports', data.password)).toBe(true);
  });

  it('issues certificates for the shop', async () => {
    type Issued = { certificate: string; issuing_ca: string };
    const asked = { common_name: 'shop.svc', ttl: '1h' };
    const { data } = await world.bao.api<Issued>('POST', 'pki/issue/shop', asked, await world.login());
    const certificate = new X509Certificate(data.certificate);
    expect(certificate.subject).toBe('CN=shop.svc');
    expect(certificate.verify(new X509Certificate(data.issuing_ca).publicKey)).toBe(true);
  });

  it('lists the requests to OpenBao, without those of the test as root', async () => {
    const { bao } = world;
    const token = await world.login();
    const before = (await bao.requests()).length;
    await bao.api('GET', 'auth/token/lookup-self');
    await bao.api('POST', 'auth/token/renew-self', {}, token);
    await expect(bao.api('GET', 'secret/data/till/app', undefined, token)).rejects.toThrow('403');
    const seen = (await bao.requests()).slice(before);
    expect(seen.map(({ operation, path }) => `${operation} ${path}`)).toEqual([
      'update auth/token/renew-self',
      'read secret/data/till/app',
    ]);
    expect(seen.map(({ error }) => error)).toEqual([undefined, expect.stringContaining('permission denied')]);
  });

  it('has other logins: AppRole, JWT, userpass, client certificate', async () => {
    const { bao, review } = world;
    const options = { role: 'shop', policies: ['shop'], tokenTtl: '5m' };
    const role = await enableAppRole(bao, options);
    const logins: [string, Record<string, string>][] = [
      ['auth/approle/login', { role_id: role.roleId, secret_id: await role.newSecretId() }],
      ['auth/jwt/login', { role: 'shop', jwt: await review.mintToken({ serviceAccount: 'shop' }) }],
      ['auth/userpass/login/shop', { password: 'correct horse' }],
    ];
    await enableJwtAuth(bao, { ...options, review });
    await enableUserpass(bao, { ...options, password: 'correct horse' });
    for (const [path, body] of logins) {
      const { auth } = await bao.api('POST', path, body, {});
      expect([path, auth.lease_duration, auth.policies]).toEqual([path, 300, ['default', 'shop']]);
    }
    const unwrapped = await bao.api('POST', 'sys/wrapping/unwrap', {}, await role.newWrappedSecretId());
    expect(unwrapped.data).toHaveProperty('secret_id');
    await enableCertAuth(bao, options);
    const { caFile, certFile, keyFile, address } = bao.tls;
    const [ca, cert, key] = await Promise.all([caFile, certFile, keyFile].map((file) => readFile(file)));
    const url = `${address}/v1/auth/cert/login`;
    expect(await statusOf(httpsRequest(url, { method: 'POST', ca, cert, key, agent: false }))).toBe(200);
    expect(await statusOf(httpsRequest(url, { method: 'POST', ca, agent: false }))).toBe(400);
  });

  it('answers on a Unix socket', async () => {
    const { socket } = world.bao;
    expect(await statusOf(httpRequest({ socketPath: socket, path: '/v1/sys/health', agent: false }))).toBe(200);
  });
});

describe('an outage of OpenBao', () => {
  it('leaves requests without an answer while it is suspended', async () => {
    await using bao = await startOpenBao();
    const health = (ms: number) => fetch(`${bao.address}/v1/sys/health`, { signal: AbortSignal.timeout(ms) });
    bao.suspend();
    // A process that gets SIGSTOP may still answer a request that it has received already.
    await expect.poll(() => health(200).catch((error: Error) => error.name), { timeout: 5000 }).toBe('TimeoutError');
    bao.resume();
    expect((await health(5000)).status).toBe(200);
  });

  it('refuses connections while it is killed; a persistent server comes back with its data, tokens and ports', async () => {
    await using bao = await startOpenBao({ persist: true });
    const { rootToken, address } = bao;
    await bao.api('POST', 'sys/mounts/kv', { type: 'kv' });
    await bao.api('POST', 'kv/app', { colour: 'red' });
    await bao.kill();
    await expect(bao.api('GET', 'kv/app')).rejects.toHaveProperty('code', 'ECONNREFUSED');
    await bao.start();
    expect([bao.rootToken, bao.address]).toEqual([rootToken, address]);
    expect((await bao.api('GET', 'kv/app')).data).toEqual({ colour: 'red' });
  }, 30_000);

  it('loses everything but its port when the server does not persist', async () => {
    await using bao = await startOpenBao();
    const { rootToken, port } = bao;
    await bao.kill();
    await bao.start();
    expect(bao.port).toBe(port);
    await expect(bao.api('GET', 'auth/token/lookup-self', undefined, rootToken)).rejects.toThrow('403');
  });
});

describe('the token review', () => {
  it('refuses a reviewer without its own token, and tokens of a deleted service account', async () => {
    await using review = await startTokenReview();
    const ask = (bearer: string, token: string) => {
      const asked = httpsRequest(`${review.address}/apis/authentication.k8s.io/v1/tokenreviews`, {
        method: 'POST',
        ca: review.caPem,
        agent: false,
        headers: { authorization: `Bearer ${bearer}` },
      });
      return answerOf(asked, JSON.stringify({ spec: { token } }));
    };
    const token = await review.mintToken({ serviceAccount: 'shop' });
    expect((await ask(token, token)).status).toBe(401);
    expect((await ask(review.reviewerJwt, token)).body).toMatchObject({
      status: { authenticated: true, user: { username: 'system:serviceaccount:default:shop' } },
    });
    review.deleteServiceAccount('shop');
    expect((await ask(review.reviewerJwt, token)).body).toMatchObject({ status: { authenticated: false } });
  });
});

describe('a server', () => {
  it('ends soon after the test process was killed, and its files are removed', async () => {
    const servers = join(import.meta.dirname, 'servers', 'index.ts');
    const script = `
      import { startOpenBao, startPostgres } from ${JSON.stringify(servers)};
      const [bao, postgres] = await Promise.all([startOpenBao({ unix: true }), startPostgres()]);
      bao.suspend();
      console.log(JSON.stringify({ pids: [bao.pid, postgres.pid], socket: bao.socket }));
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const { pids, socket } = JSON.parse(line.toString()) as { pids: number[]; socket: string };
    expect(await Promise.all(pids.map(isRunning))).toEqual([true, true]);
    child.kill('SIGKILL');
    await expect.poll(() => Promise.all(pids.map(isRunning)), { timeout: 5000 }).toEqual([false, false]);
    await expect.poll(() => exists(dirname(socket)), { timeout: 5000 }).toBe(false);
  }, 30_000);

  it('that is PostgreSQL runs statements and ends with its data', async () => {
    const postgres = await startPostgres();
    expect(await postgres.query('SELECT $1::int + 1 AS sum', [41])).toEqual([{ sum: 42 }]);
    await postgres.stop();
    expect(await isRunning(postgres.pid)).toBe(false);
  }, 30_000);
});

describe('moto', () => {
  it('stands in for Secrets Manager, Parameter Store and IAM, and is empty on the same port after a kill', async () => {
    await using moto = await startMoto();
    const { ARN } = await moto.putSecret('prod/db', '{"a":1}');
    const { VersionId } = await moto.putSecret('prod/db', '{"a":2}');
    const get = { SecretId: 'prod/db' };
    expect(await moto.api('secretsmanager', 'GetSecretValue', get)).toMatchObject({
      ARN,
      VersionId,
      SecretString: '{"a":2}',
    });
    await moto.putParameter('/prod/db', 'x', 'SecureString');
    const parameter = await moto.api('ssm', 'GetParameter', { Name: '/prod/db', WithDecryption: true });
    expect(parameter).toMatchObject({ Parameter: { Value: 'x', Version: 1 } });
    const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] };
    expect(await moto.user('shop', policy)).toMatchObject({ accessKeyId: expect.stringMatching(/^AKIA/) });
    await moto.checkPolicies();
    await expect(moto.api('secretsmanager', 'GetSecretValue', get)).rejects.toThrow('HTTP 403');
    await moto.checkPolicies(false);
    await moto.kill();
    await moto.start();
    await expect(moto.api('secretsmanager', 'GetSecretValue', get)).rejects.toThrow('ResourceNotFoundException');
  }, 300_000);
});

type Outgoing = ReturnType<typeof httpRequest>;

async function answerOf(outgoing: Outgoing, body?: string): Promise<{ status: number | undefined; body: unknown }> {
  outgoing.end(body);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return { status: incoming.statusCode, body: JSON.parse(Buffer.concat(chunks).toString()) as unknown };
}

async function statusOf(outgoing: Outgoing): Promise<number | undefined> {
  return (await answerOf(outgoing)).status;
}

/** Whether a process runs; a zombie does not. */
async function isRunning(pid: number): Promise<boolean> {
  const listed = await run('ps', ['-o', 'stat=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
  return listed.stdout.trim() !== '' && !listed.stdout.startsWith('Z');
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
