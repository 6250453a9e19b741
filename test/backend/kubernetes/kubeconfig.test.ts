import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createKubeconfigAccess } from '../../../src/backend/kubernetes/access/kubeconfig-access.ts';
import { failure, PannierError } from '../../../src/base/errors.ts';
import { FakeClock } from '../../fake-clock.ts';
import { isRunning } from '../../system/agent.helpers.ts';

const CANARY = 'c4n4ry';
const PEM = '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n';

let dir: string;
let path: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pannier-kubeconfig-'));
});
afterAll(() => rm(dir, { recursive: true }));
let number = 0;
beforeEach(() => {
  path = join(dir, `config-${++number}`);
});

const base64 = (text: string) => Buffer.from(text).toString('base64');

interface Parts {
  readonly cluster?: object;
  readonly user?: object;
  readonly context?: object;
  readonly more?: object;
}

const configOf = ({ cluster, user, context, more }: Parts = {}) => ({
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'shop@prod',
  clusters: [{ name: 'prod', cluster: { server: 'https://prod:6443', ...cluster } }],
  users: [{ name: 'agent', user: user ?? { token: `token-${CANARY}` } }],
  contexts: [{ name: 'shop@prod', context: { cluster: 'prod', user: 'agent', ...context } }],
  ...more,
});

const write = (parts?: Parts) => writeFile(path, JSON.stringify(configOf(parts)));

const clock = new FakeClock(Date.UTC(2026, 0, 1));
const open = (context?: string, env: Record<string, string> = {}) =>
  createKubeconfigAccess({ from: 'kubeconfig', path, ...(context === undefined ? {} : { context }) }, undefined, {
    clock,
    env: { PATH: process.env['PATH'], ...env },
  });

const connect = (access = open()) => access.connection('backends.k8s', new AbortController().signal);

const failureOf = async (access = open()) => {
  try {
    await connect(access);
  } catch (error) {
    if (error instanceof PannierError) return error.failure;
    throw error;
  }
  throw new Error('it was taken');
};

describe('a kubeconfig', () => {
  it('gives the address, the CA, the namespace and the token of its current context', async () => {
    await write({ cluster: { 'certificate-authority-data': base64(PEM) }, context: { namespace: 'shop' } });
    const found = await connect();
    expect(found).toMatchObject({
      address: 'https://prod:6443',
      namespace: 'shop',
      tls: { held: { ca: PEM }, skipVerify: false },
      credential: `the user agent of ${path}`,
    });
    expect(found.token?.exposeText('backend')).toBe(`token-${CANARY}`);
  });

  it('in YAML, with another context, with files beside it and a client certificate, is followed as kubectl does', async () => {
    await writeFile(
      path,
      [
        'current-context: none',
        'clusters: [{ name: c, cluster: { server: "https://c", certificate-authority: pki/ca.crt, tls-server-name: k } }]',
        'users: [{ name: u, user: { client-certificate: pki/u.crt, client-key: /abs/u.key } }]',
        'contexts: [{ name: x, context: { cluster: c, user: u } }]',
      ].join('\n'),
    );
    expect(await connect(open('x'))).toMatchObject({
      namespace: 'default',
      tls: {
        caFile: join(dir, 'pki/ca.crt'),
        certFile: join(dir, 'pki/u.crt'),
        keyFile: '/abs/u.key',
        serverName: 'k',
      },
    });
  });

  it('is read again when it changes, and the same connection goes on when it does not', async () => {
    await write();
    const access = open();
    const first = await connect(access);
    expect((await connect(access)).tls).toBe(first.tls);
    await write({ user: { token: 'another-token' } });
    expect((await connect(access)).token?.exposeText('backend')).toBe('another-token');
  });

  it('whose user has a tokenFile reads it each time', async () => {
    const tokenFile = join(dir, `token-${number}`);
    await write({ user: { tokenFile, token: 'older' } });
    const access = open();
    for (const text of ['one', 'two']) {
      await writeFile(tokenFile, `${text}\n`);
      expect((await connect(access)).token?.exposeText('backend')).toBe(text);
    }
  });

  it.each<[string, Parts, string]>([
    [
      'insecure-skip-tls-verify',
      { cluster: { 'insecure-skip-tls-verify': true } },
      'insecure-skip-tls-verify, which is not followed',
    ],
    ['proxy-url', { cluster: { 'proxy-url': 'http://p' } }, 'proxy-url, which is not followed'],
    ['plain HTTP to another machine', { cluster: { server: 'http://prod:8080' } }, 'speaks no TLS'],
    ['no address', { cluster: { server: CANARY } }, 'it is not an address'],
    ['a password', { user: { username: 'u', password: CANARY } }, 'the user agent has username'],
    ['impersonation', { user: { token: 't', as: 'root' } }, 'the user agent has as'],
    ['a provider', { user: { 'auth-provider': { name: 'gcp' } } }, 'Kubernetes has removed it; use exec'],
    ['half a pair', { user: { 'client-certificate-data': base64(PEM) } }, 'a certificate without its key'],
    ['a key alone', { user: { 'client-key-data': base64(CANARY) } }, 'a key alone'],
    ['data that is no base64', { cluster: { 'certificate-authority-data': `${CANARY}!` } }, 'is no base64'],
    ['another cluster', { context: { cluster: 'prd' } }, 'there is no cluster named "prd"; did you mean "prod"?'],
    ['another user', { context: { user: 'agnet' } }, 'there is no user named "agnet"; did you mean "agent"?'],
    ['no current context', { more: { 'current-context': '' } }, 'it has no current-context'],
    ['a context that is not there', { more: { 'current-context': 'x' } }, 'there is no context named "x"'],
    [
      'a plugin of a version that is not known',
      { user: { exec: { apiVersion: 'v9', command: 'x' } } },
      'apiVersion that is not known',
    ],
    [
      'a plugin that asks a person',
      { user: { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'x', interactiveMode: 'Always' } } },
      'an agent has nobody to ask',
    ],
    [
      'a plugin without a command',
      { user: { exec: { apiVersion: 'client.authentication.k8s.io/v1' } } },
      'has no command',
    ],
  ])('with %s is refused, in words that show no credential', async (_, parts, seen) => {
    await write(parts);
    const failed = await failureOf();
    expect(failed).toMatchObject({ code: 'BACKEND_FILE', place: 'backends.k8s.kubeconfig' });
    expect(failed.seen).toContain(seen);
    expect(JSON.stringify(failed)).not.toContain(CANARY);
  });

  it('whose user has no credential is AUTH_NO_CREDENTIALS', async () => {
    await write({ user: {} });
    expect(await failureOf()).toMatchObject({ code: 'AUTH_NO_CREDENTIALS' });
  });

  it.each<[string, string | undefined, string]>([
    ['is not there', undefined, 'does not exist'],
    ['is no YAML', `a: [${CANARY}`, 'not valid YAML'],
    ['is a list', '[]', 'it is no kubeconfig'],
    ['is empty', '', 'it is no kubeconfig'],
  ])('that %s is said so', async (_, text, seen) => {
    if (text !== undefined) await writeFile(path, text);
    const failed = await failureOf();
    expect(failed.code).toBe('BACKEND_FILE');
    expect(failed.seen).toContain(seen);
    expect(JSON.stringify(failed)).not.toContain(CANARY);
  });
});

describe('a failure of a connection by a kubeconfig', () => {
  const told = (place: string, seen: string, hint: string) =>
    open().inItsWords?.(failure('BACKEND_TLS', place, seen, { hint }));

  it('names what stands in that file, and not the keys that may not stand beside it', () => {
    expect(told('backends.k8s.tls.caFile', 'cannot be read (ENOENT): /ca', 'Check the path.')).toMatchObject({
      place: 'backends.k8s.kubeconfig',
      seen: 'certificate-authority of the cluster: cannot be read (ENOENT): /ca',
    });
    const unknown = told(
      'secrets.db',
      'certificate signed by an unknown authority',
      'Set tls.caFile, or correct address.',
    );
    expect(unknown).toMatchObject({
      place: 'secrets.db',
      hint: 'Set certificate-authority of the cluster, or correct server of the cluster.',
    });
  });
});

describe('a credential plugin', () => {
  const VERSION = 'client.authentication.k8s.io/v1';
  const plugin = async (script: string, exec: object = {}) => {
    const command = join(dir, `plugin-${number}`);
    await writeFile(command, `#!/bin/sh\n${script}\n`);
    await chmod(command, 0o755);
    await write({
      cluster: { 'certificate-authority-data': base64(PEM) },
      user: { exec: { apiVersion: VERSION, command: `./plugin-${number}`, ...exec } },
    });
    return open(undefined, { FROM_AGENT: 'yes' });
  };
  const credential = (status: object) =>
    `printf '%s' '${JSON.stringify({ apiVersion: VERSION, kind: 'ExecCredential', status })}'`;

  it('gets its arguments, its variables and what it asks for of the cluster, and its token is kept until it ends', async () => {
    const log = join(dir, `log-${number}`);
    const status = { token: 'made-token', expirationTimestamp: '2026-01-01T01:00:00Z' };
    const access = await plugin(
      `echo "$1 $FROM_AGENT $OF_PLUGIN $KUBERNETES_EXEC_INFO" >> ${log}; ${credential(status)}`,
      { args: ['get-token'], env: [{ name: 'OF_PLUGIN', value: 'too' }], provideClusterInfo: true },
    );
    const [one, two] = await Promise.all([connect(access), connect(access)]);
    expect([one.token, two.token].map((token) => token?.exposeText('backend'))).toEqual(['made-token', 'made-token']);
    const lines = (await readFile(log, 'utf8')).trimEnd().split('\n');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^get-token yes too /);
    const { spec } = JSON.parse(lines[0]?.split(' ').slice(3).join(' ') ?? '');
    expect(spec).toEqual({
      interactive: false,
      cluster: { server: 'https://prod:6443', 'certificate-authority-data': base64(PEM) },
    });
    await clock.advance(3_600_000);
    expect(await failureOf(access)).toMatchObject({ code: 'AUTH_EXPIRED' });
    expect((await readFile(log, 'utf8')).trimEnd().split('\n')).toHaveLength(2);
  });

  it('whose credential is refused is run again', async () => {
    const log = join(dir, `log-${number}`);
    const access = await plugin(`echo run >> ${log}; ${credential({ token: 'made-token' })}`);
    await connect(access);
    await connect(access);
    access.refused();
    await connect(access);
    expect(await readFile(log, 'utf8')).toBe('run\nrun\n');
  });

  it('may give a client certificate, which the connection then has', async () => {
    const access = await plugin(credential({ clientCertificateData: PEM, clientKeyData: `key-${CANARY}` }));
    const { tls, token } = await connect(access);
    expect(token).toBeUndefined();
    expect(tls.held).toMatchObject({ ca: PEM, cert: PEM });
    expect(JSON.stringify(tls)).not.toContain(CANARY);
    expect((await connect(access)).tls).toBe(tls);
  });

  it.each<[string, string, string]>([
    ['fails', 'exit 3', 'ended with status 3'],
    ['prints no JSON', `echo ${CANARY}`, 'printed no JSON'],
    ['prints something else', `echo '{"kind":"${CANARY}"}'`, 'printed no ExecCredential'],
    ['prints another version', `echo '{"kind":"ExecCredential","apiVersion":"v9"}'`, 'of another apiVersion'],
    ['prints no credential', credential({}), 'without a credential'],
    ['prints a token with a space', credential({ token: `a ${CANARY}` }), 'a token that no header can carry'],
    ['prints half of a pair', credential({ clientCertificateData: PEM }), 'half of a certificate'],
    ['prints too much', 'head -c 3000000 /dev/zero', 'printed more than a credential'],
  ])('that %s is AUTH_NO_CREDENTIALS, without what it printed', async (_, script, seen) => {
    const failed = await failureOf(await plugin(script));
    expect(failed).toMatchObject({ code: 'AUTH_NO_CREDENTIALS', place: 'backends.k8s.kubeconfig' });
    expect(failed.seen).toContain(seen);
    expect(JSON.stringify(failed)).not.toContain(CANARY);
  });

  it('that hangs keeps no caller that leaves, is named meanwhile, and ends with the access and all that it started', async () => {
    const pids = join(dir, `pids-${number}`);
    const access = await plugin(`sleep 600 & echo $! $$ > ${pids}.new; mv ${pids}.new ${pids}; sleep 600`);
    const leave = new AbortController();
    const asked = access.connection('backends.k8s', leave.signal);
    const rejected = expect(asked).rejects.toMatchObject({ failure: { code: 'CANCELLED' } });
    const started = await vi.waitFor(async () => (await readFile(pids, 'utf8')).trim().split(' ').map(Number), 10_000);
    expect(access.trouble?.('backends.k8s')).toBeUndefined();
    leave.abort();
    await rejected;
    await clock.advance(2_000);
    expect(access.trouble?.('backends.k8s')).toMatchObject({
      code: 'AUTH_SERVICE_DOWN',
      seen: expect.stringContaining('plugin-'),
    });
    expect(started.map(isRunning)).toEqual([true, true]);
    access.close?.();
    await vi.waitFor(() => expect(started.map(isRunning)).toEqual([false, false]), 10_000);
    await vi.waitFor(() => expect(access.trouble?.('backends.k8s')).toBeUndefined(), 10_000);
  });

  it('that is not there, or does not end, is said so', async () => {
    await write({ user: { exec: { apiVersion: VERSION, command: './no-such-plugin' } } });
    expect((await failureOf()).seen).toContain('cannot be started (ENOENT)');
    const hangs = await plugin('sleep 600 & sleep 600');
    const failing = failureOf(hangs);
    await vi.waitFor(() => expect(clock.waiting).toBeGreaterThan(0), { timeout: 20_000 });
    await clock.advance(30_000);
    expect((await failing).seen).toContain('did not end within 30s');
  });
});
