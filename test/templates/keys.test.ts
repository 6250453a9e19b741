import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { createAuthority } from '../servers/certificates.ts';
import { readCertificate } from './certificates.helpers.ts';
import { isHere, run, withPaths } from './programs.helpers.ts';
import { codeOf, golden, textOf } from './templates.helpers.ts';

/** A key that nothing uses. */
const KEY = '-----BEGIN PRIVATE KEY-----\nc2hvcA==\n-----END PRIVATE KEY-----';
const [leaf, issuer, root] = ['leaf', 'issuer', 'root'].map((name) => readCertificate(name).trim()) as [
  string,
  string,
  string,
];
const mangled = (pem: string) => pem.replaceAll('\n', '\\n');

describe('builtin:nginx-tls', () => {
  it('writes its golden file: the leaf, its chain in order, the key', async () => {
    const given = { certificate: mangled(leaf), caChain: [root, `${issuer}\r\n`], privateKey: mangled(KEY) };
    expect(await golden('nginx-tls', given)).toBe(`${[leaf, issuer, root, KEY].join('\n')}\n`);
  });

  it('needs no chain: the issuer or the certificate alone is enough', async () => {
    expect(await textOf('nginx-tls', { certificate: leaf, caChain: [], issuingCa: issuer, privateKey: KEY })).toBe(
      `${[leaf, issuer, KEY].join('\n')}\n`,
    );
    expect(await textOf('nginx-tls', { certificate: leaf, privateKey: KEY })).toBe(`${leaf}\n${KEY}\n`);
  });

  it('refuses exchanged fields, and text that is not PEM', async () => {
    expect(await codeOf('nginx-tls', { certificate: KEY, privateKey: leaf })).toBe('RENDER_BAD_ARGUMENT');
    expect(await codeOf('nginx-tls', { certificate: leaf, privateKey: leaf })).toBe('RENDER_BAD_ARGUMENT');
    expect(await codeOf('nginx-tls', { certificate: leaf, privateKey: 'secret' })).toBe('RENDER_BAD_ARGUMENT');
    expect(await codeOf('nginx-tls', { certificate: leaf })).toBe('RENDER_MISSING_FIELD');
  });

  it('is one file for both settings of a TLS server, such as nginx', async ({ skip }) => {
    const authority = createAuthority('test root');
    const { certificatePem, keyPem } = authority.issue({ commonName: 'shop.svc' });
    const fields = { certificate: certificatePem, caChain: [authority.certificatePem], privateKey: keyPem };
    const file = await textOf('nginx-tls', {
      ...fields,
      certificate: mangled(certificatePem),
      privateKey: mangled(keyPem),
    });
    createSecureContext({ cert: file, key: file });
    if (!(await isHere('nginx', '-v'))) skip('nginx is not on PATH');
    const dir = await mkdtemp(join(tmpdir(), 'pannier-nginx-'));
    try {
      const pem = join(dir, 'tls.pem');
      await writeFile(pem, file);
      const server = `server { listen unix:${dir}/s ssl; ssl_certificate ${pem}; ssl_certificate_key ${pem}; }`;
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (name) => `${name}_temp_path ${dir}/t;`,
      );
      const http = `http { access_log off; ${temporary.join(' ')} ${server} }`;
      await writeFile(join(dir, 'nginx.conf'), `pid ${dir}/pid; error_log stderr; events {} ${http}`);
      const { stderr } = await run('nginx', ['-t', '-p', dir, '-c', join(dir, 'nginx.conf')]);
      expect(stderr).toContain('test is successful');
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});

describe('builtin:ssh-key', () => {
  it('writes its golden file, with a line end after it', async () => {
    expect(await golden('ssh-key', { privateKey: `  ${KEY.replaceAll('\n', '\r\n')}` })).toBe(`${KEY}\n`);
  });

  it('refuses text that is not a private key', async () => {
    expect(await codeOf('ssh-key', { privateKey: leaf })).toBe('RENDER_BAD_ARGUMENT');
    expect(await codeOf('ssh-key', { privateKey: 'ssh-ed25519 AAAA shop' })).toBe('RENDER_BAD_ARGUMENT');
  });

  it('is read by ssh-keygen whatever became of the line ends', async ({ skip }) => {
    if (!(await isHere('ssh-keygen', '-?'))) skip('ssh-keygen is not on PATH');
    const dir = await mkdtemp(join(tmpdir(), 'pannier-ssh-'));
    try {
      const path = join(dir, 'key');
      await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'shop', '-f', path]);
      const key = await readFile(path, 'utf8');
      const wanted = await readFile(`${path}.pub`, 'utf8');
      for (const given of [key, key.trim(), key.replaceAll('\n', '\r\n'), mangled(key), key.replaceAll('\n', ' ')]) {
        await withPaths([await textOf('ssh-key', { privateKey: given })], async ([file = '']) => {
          await run('chmod', ['600', file]);
          expect((await run('ssh-keygen', ['-y', '-f', file])).stdout).toBe(wanted);
        });
      }
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
