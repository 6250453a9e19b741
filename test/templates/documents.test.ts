import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { yamlReaders } from '../render/formats/tree.helpers.ts';
import { TEXTS } from '../render/formats/values.helpers.ts';
import { readCertificate } from './certificates.helpers.ts';
import { isHere, run, withPaths } from './programs.helpers.ts';
import { codeOf, eachText, golden, NASTY, textOf } from './templates.helpers.ts';

describe('builtin:json', () => {
  it('writes its golden file, and JSON of all fields', async () => {
    const given = { 'pass word': NASTY, 'a"\n': 'x\ny', none: null, hosts: ['a', 'b'] };
    expect(JSON.parse(await golden('json', given))).toEqual(given);
  });
});

describe('builtin:spring', () => {
  const URL = 'jdbc:postgresql://pg.svc:5432/shop?ssl=true&x=#1';

  it('writes its golden file', async () => {
    const password = NASTY.replace('${', '$ {');
    expect(parse(await golden('spring', { url: URL, username: 'é: "d"', password }))).toEqual({
      spring: { datasource: { url: URL, username: 'é: "d"', password } },
    });
    expect(parse(await textOf('spring', { username: 'no', password: '1' }))).toEqual({
      spring: { datasource: { username: 'no', password: '1' } },
    });
  });

  it('is read back by YAML parsers of both versions', async () => {
    const { here, missing } = await yamlReaders();
    if (missing.length > 0) console.warn(`not checked with ${missing.join('; ')}`);
    const taken = await eachText('spring', (text) => ({ username: 'u', password: text }));
    expect(taken.map(([text]) => text)).toEqual(TEXTS.filter((text) => !text.includes('${')));
    const file = taken.map(([, yaml], i) => `d${i}:\n${yaml.replace(/^/gm, '  ')}`).join('\n');
    const map = (...entries: readonly (readonly [string, unknown])[]) => ({ map: entries });
    const wanted = taken.map(([text], i) => {
      const source = map(['username', { text: 'u' }], ['password', { text }]);
      return [`d${i}`, map(['spring', map(['datasource', source])])] as const;
    });
    for (const reader of here) {
      expect([reader.name, await reader.read(Buffer.from(file))]).toEqual([reader.name, map(...wanted)]);
    }
  });

  it('refuses a value that Spring would expand', async () => {
    expect(await codeOf('spring', { username: 'u', password: 'a\n${HOME}' })).toBe('RENDER_BAD_ARGUMENT');
  });
});

/** A value of a connection string as DbConnectionStringBuilder reads it, in double quotes. */
function readConnection(text: string): Readonly<Record<string, string>> {
  const pairs = [...text.matchAll(/([A-Za-z ]+)=(?:"((?:[^"\0]|"")*)"|(\d+))(?:;|$)/g)];
  expect(pairs.map(([whole]) => whole).join('')).toBe(text);
  return Object.fromEntries(
    pairs.map(([, name, quoted, plain = '']) => [name, quoted?.replaceAll('""', '"') ?? plain]),
  );
}

describe('builtin:appsettings', () => {
  const base = { host: 'pg.svc', database: 'a;b', username: "é'd" };
  const connectionOf = (text: string) => readConnection(JSON.parse(text).ConnectionStrings.DefaultConnection);

  it('writes its golden file', async () => {
    expect(connectionOf(await golden('appsettings', { ...base, port: '5432', password: NASTY }))).toEqual({
      Server: 'pg.svc',
      Port: '5432',
      Database: 'a;b',
      'User ID': "é'd",
      Password: NASTY,
    });
  });

  it('holds every text but NUL, and refuses a port that is not a number', async () => {
    const taken = await eachText('appsettings', (text) => ({ ...base, password: text }));
    expect(taken.map(([text]) => text)).toEqual(TEXTS.filter((text) => !text.includes('\0')));
    expect(taken.map(([, file]) => connectionOf(file)['Password'])).toEqual(taken.map(([text]) => text));
    expect(await codeOf('appsettings', { ...base, password: 'p', port: '1;x=y' })).toBe('RENDER_BAD_ARGUMENT');
  });
});

/** Decodes as Docker does: the user ends at the first colon, and NULs at the end are cut off. */
function readAuth(file: string, registry: string): readonly string[] {
  const text = Buffer.from(JSON.parse(file).auths[registry].auth, 'base64').toString();
  const colon = text.indexOf(':');
  return [text.slice(0, colon), text.slice(colon + 1).replace(/\0+$/, '')];
}

describe('builtin:docker-config', () => {
  it('writes its golden file', async () => {
    const registry = 'registry.svc:5000';
    const file = await golden('docker-config', { registry, username: 'robot$é "d"', password: NASTY });
    expect(readAuth(file, registry)).toEqual(['robot$é "d"', NASTY]);
    expect(Object.keys(JSON.parse(await textOf('docker-config', { username: 'u', password: 'p' })).auths)).toEqual([
      'https://index.docker.io/v1/',
    ]);
  });

  it('holds every password but NUL, and refuses a user with a colon', async () => {
    const taken = await eachText('docker-config', (text) => ({ registry: 'r', username: 'u', password: text }));
    expect(taken.map(([text]) => text)).toEqual(TEXTS.filter((text) => !text.includes('\0')));
    expect(taken.map(([, file]) => readAuth(file, 'r'))).toEqual(taken.map(([text]) => ['u', text]));
    expect(await codeOf('docker-config', { username: 'a:b', password: 'p' })).toBe('RENDER_BAD_ARGUMENT');
    expect(await codeOf('docker-config', { username: '', password: 'p' })).toBe('RENDER_BAD_ARGUMENT');
  });

  it('gives docker the user and password to log in', async ({ skip }) => {
    if (!(await isHere('docker', 'manifest', '--help'))) skip('docker is not on PATH');
    const dir = await mkdtemp(join(tmpdir(), 'pannier-docker-'));
    const seen = new Set<string>();
    const server = createServer(({ headers }, answer) => {
      if (headers.authorization !== undefined) seen.add(headers.authorization);
      answer.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const registry = `127.0.0.1:${(server.address() as AddressInfo).port}`;
      await writeFile(
        join(dir, 'config.json'),
        await textOf('docker-config', { registry, username: 'ué', password: NASTY }),
      );
      const args = ['--config', dir, 'manifest', 'inspect', '--insecure', `${registry}/shop/app:1`];
      await expect(run('docker', args)).rejects.toThrow();
      expect([...seen]).toEqual([`Basic ${Buffer.from(`ué:${NASTY}`).toString('base64')}`]);
    } finally {
      server.close();
      await rm(dir, { recursive: true });
    }
  });
});

describe('builtin:kubeconfig', () => {
  const server = 'https://kubernetes.svc:6443';

  it('writes its golden file', async () => {
    const ca = readCertificate('root');
    const text = await golden('kubeconfig', { server, token: NASTY, ca, namespace: 'shop: #1' });
    const config = parse(text);
    expect(config.users).toEqual([{ name: 'default', user: { token: NASTY } }]);
    expect(config.contexts[0].context).toEqual({ cluster: 'default', user: 'default', namespace: 'shop: #1' });
    expect(config.clusters[0].cluster.server).toBe(server);
    expect(Buffer.from(config.clusters[0].cluster['certificate-authority-data'], 'base64').toString()).toBe(ca.trim());
  });

  it('is read back by kubectl, with a token or with a certificate', async ({ skip }) => {
    const certificate = readCertificate('leaf');
    const privateKey = '-----BEGIN PRIVATE KEY-----\nc2hvcA==\n-----END PRIVATE KEY-----';
    const files = [
      await textOf('kubeconfig', { server, token: NASTY }),
      await textOf('kubeconfig', { server, certificate, privateKey: privateKey.replaceAll('\n', '\\n') }),
    ];
    const users = [
      { token: NASTY },
      {
        'client-certificate-data': Buffer.from(certificate.trim()).toString('base64'),
        'client-key-data': Buffer.from(privateKey).toString('base64'),
      },
    ];
    expect(files.map((file) => parse(file).users[0].user)).toEqual(users);
    if (!(await isHere('kubectl', 'version', '--client'))) skip('kubectl is not on PATH');
    await withPaths(files, async (paths) => {
      for (const [i, path] of paths.entries()) {
        const args = ['config', 'view', '--raw', '--output', 'json', '--kubeconfig', path];
        const { stdout } = await run('kubectl', args);
        expect(JSON.parse(stdout).users[0].user).toEqual(users[i]);
      }
    });
  });

  it('needs a token when there is no certificate', async () => {
    expect(await codeOf('kubeconfig', { server })).toBe('RENDER_MISSING_FIELD');
  });
});
