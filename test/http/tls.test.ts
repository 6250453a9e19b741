import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/base/clock.ts';
import { systemClock } from '../../src/base/clock.ts';
import { reply } from '../faults/fault-server.ts';
import { createAuthority, type KeyPair } from '../servers/certificates.ts';
import { afterwards, connect, serve } from './client.helpers.ts';

const good = reply(200, '{"data":{}}');
const authority = createAuthority('test CA');
const local = authority.issue({ commonName: 'localhost', altNames: ['127.0.0.1', 'openbao'] });

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'pannier-tls-'));
  afterwards(() => rmSync(dir, { recursive: true }));
  return dir;
}

function put(dir: string, name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
  return path;
}

const serverOf = ({ certificatePem: cert, keyPem: key }: KeyPair) => ({ tls: { cert, key } });

/** The system clock plus an offset that tests change, since files are looked at only once a second. */
function movableClock(): Clock & { ahead: number } {
  const clock = { ...systemClock, ahead: 0, monoMs: () => systemClock.monoMs() + clock.ahead };
  return clock;
}

describe('the certificate of the server', () => {
  it('is trusted when tls.caFile signed it', async () => {
    const server = await serve(good, serverOf(local));
    const caFile = put(folder(), 'ca.pem', authority.certificatePem);
    expect((await connect(server.address, { tls: { caFile, skipVerify: false } }).ask('x')).status).toBe(200);
  });

  it('is refused without tls.caFile, and the hint names it', async () => {
    const server = await serve(good, serverOf(local));
    expect(await connect(server.address).failing('x')).toMatchObject({
      code: 'BACKEND_TLS',
      seen: `certificate signed by an unknown authority at ${server.address}`,
      hint: expect.stringContaining('tls.caFile'),
    });
    expect(server.requests).toHaveLength(0);
  });

  it('is refused when another CA is in tls.caFile', async () => {
    const server = await serve(good, serverOf(local));
    const caFile = put(folder(), 'ca.pem', createAuthority('other').certificatePem);
    const failed = await connect(server.address, { tls: { caFile, skipVerify: false } }).failing('x');
    expect(failed).toMatchObject({ code: 'BACKEND_TLS', seen: expect.stringContaining('unknown authority') });
  });

  it.each(['', '{"ca":"none"}', '-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----\n'])(
    'is not asked for while tls.caFile holds no certificate: %j',
    async (text) => {
      const server = await serve(good, serverOf(local));
      const caFile = put(folder(), 'ca.pem', text);
      expect(await connect(server.address, { tls: { caFile, skipVerify: false } }).failing('x')).toMatchObject({
        code: 'BACKEND_TLS',
        place: expect.stringMatching(/\.tls\.caFile$/),
        seen: `holds no certificate in PEM: ${caFile}`,
      });
      expect(server.requests).toHaveLength(0);
    },
  );

  it('is accepted unchecked only with tls.skipVerify, whatever NODE_TLS_REJECT_UNAUTHORIZED says', async () => {
    const server = await serve(good, serverOf(local));
    expect((await connect(server.address, { tls: { skipVerify: true } }).ask('x')).status).toBe(200);
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    afterwards(() => {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    });
    expect(await connect(server.address).failing('x')).toMatchObject({ code: 'BACKEND_TLS' });
  });

  it('must carry the name, and tls.serverName says which', async () => {
    const server = await serve(good, serverOf(authority.issue({ commonName: 'bao', altNames: ['openbao'] })));
    const caFile = put(folder(), 'ca.pem', authority.certificatePem);
    expect(await connect(server.address, { tls: { caFile, skipVerify: false } }).failing('x')).toMatchObject({
      code: 'BACKEND_TLS',
      seen: expect.stringContaining('certificate is for another name'),
      hint: expect.stringContaining('tls.serverName'),
    });
    const named = connect(server.address, { tls: { caFile, serverName: 'openbao', skipVerify: false } });
    expect((await named.ask('x')).status).toBe(200);
  });

  it('must not have expired', async () => {
    const old = authority.issue({ commonName: 'localhost', altNames: ['127.0.0.1'], lifetimeMs: -1000 });
    const server = await serve(good, serverOf(old));
    const caFile = put(folder(), 'ca.pem', authority.certificatePem);
    const failed = await connect(server.address, { tls: { caFile, skipVerify: false } }).failing('x');
    expect(failed).toMatchObject({ code: 'BACKEND_TLS', seen: expect.stringContaining('has expired') });
  });

  it('may come from a new CA: tls.caFile is read again', async () => {
    const server = await serve(good, serverOf(local));
    const dir = folder();
    const caFile = put(dir, 'ca.pem', createAuthority('other').certificatePem);
    const clock = movableClock();
    const { ask, failing } = connect(server.address, { tls: { caFile, skipVerify: false } }, { clock });
    expect(await failing('x')).toMatchObject({ code: 'BACKEND_TLS' });
    put(dir, 'ca.pem', authority.certificatePem);
    clock.ahead = 1000;
    expect((await ask('x')).status).toBe(200);
  });
});

describe('a client certificate', () => {
  async function insisting() {
    const names: string[] = [];
    const options = { ...serverOf(local).tls, ca: authority.certificatePem, requestCert: true };
    const server = await serve(
      (request, socket) => {
        names.push((socket as TLSSocket).getPeerCertificate().subject?.CN as string);
        good(request, socket);
      },
      { tls: options },
    );
    const dir = folder();
    const pair = (name: string) => authority.issue({ commonName: name });
    const write = ({ certificatePem, keyPem }: KeyPair) => {
      put(dir, 'cert.pem', certificatePem);
      put(dir, 'key.pem', keyPem);
    };
    const caFile = put(dir, 'ca.pem', authority.certificatePem);
    const tls = { caFile, certFile: join(dir, 'cert.pem'), keyFile: join(dir, 'key.pem'), skipVerify: false };
    return { server, names, dir, pair, write, tls };
  }

  it('that was rotated is used from the next second on, over new connections', async () => {
    const { server, names, pair, write, tls } = await insisting();
    write(pair('first'));
    const clock = movableClock();
    const { ask } = connect(server.address, { tls }, { clock });
    await ask('x');
    write(pair('second'));
    clock.ahead = 1000;
    await ask('x');
    await ask('x');
    expect(names).toEqual(['first', 'second', 'second']);
    expect(server.connections()).toBe(2);
    while (server.open() > 1) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it('that was rotated is used at once by a call that asks for it, and by what follows', async () => {
    const { server, names, pair, write, tls } = await insisting();
    write(pair('first'));
    const clock = { ...systemClock, monoMs: () => 0 };
    const { ask } = connect(server.address, { tls }, { clock });
    await ask('x', { freshTls: true });
    await ask('x', { freshTls: true });
    expect(server.connections()).toBe(1);
    write(pair('second'));
    await ask('x');
    await ask('x', { freshTls: true });
    await ask('x');
    expect(names).toEqual(['first', 'first', 'first', 'second', 'second']);
    expect(server.connections()).toBe(2);
  });

  it('that is half rotated leaves the old pair in use until the key follows', async () => {
    const { server, names, dir, pair, write, tls } = await insisting();
    write(pair('first'));
    const clock = movableClock();
    const { ask } = connect(server.address, { tls }, { clock });
    await ask('x');
    const next = pair('second');
    put(dir, 'cert.pem', next.certificatePem);
    clock.ahead = 1000;
    await ask('x');
    put(dir, 'key.pem', next.keyPem);
    clock.ahead = 2000;
    await ask('x');
    expect(names).toEqual(['first', 'first', 'second']);
  });

  it('is noticed by inode when size and time are the same', async () => {
    const { server, names, dir, pair, write, tls } = await insisting();
    write(pair('same1'));
    const clock = movableClock();
    const { ask } = connect(server.address, { tls }, { clock });
    await ask('x');
    const { atime, mtime } = statSync(join(dir, 'cert.pem'));
    write(pair('same2'));
    for (const name of ['cert.pem', 'key.pem']) utimesSync(join(dir, name), atime, mtime);
    clock.ahead = 1000;
    await ask('x');
    expect(names).toEqual(['same1', 'same2']);
  });

  it('that is missing is asked for in the hint', async () => {
    const options = {
      ...serverOf(local).tls,
      ca: authority.certificatePem,
      requestCert: true,
      rejectUnauthorized: true,
    };
    const server = await serve(good, { tls: options });
    const caFile = put(folder(), 'ca.pem', authority.certificatePem);
    expect(await connect(server.address, { tls: { caFile, skipVerify: false } }).failing('x')).toMatchObject({
      code: 'BACKEND_TLS',
      seen: expect.stringContaining('client certificate missing or refused'),
      hint: expect.stringContaining('tls.certFile'),
    });
  });

  it.each([
    ['missing', undefined, 'cannot be read (ENOENT)'],
    ['no PEM', 'canary', 'not usable PEM'],
  ])('in a file that is %s fails with the place, and works again when the file is mended', async (_, text, says) => {
    const { server, dir, pair, write, tls } = await insisting();
    if (text !== undefined) for (const name of ['cert.pem', 'key.pem']) put(dir, name, text);
    const clock = movableClock();
    const { ask, failing } = connect(server.address, { tls }, { clock });
    const failed = await failing('x');
    expect(failed).toMatchObject({ code: 'BACKEND_TLS', place: expect.stringContaining('backends.bao.tls') });
    expect(failed.seen).toContain(says);
    expect(failed.seen).not.toContain('canary');
    write(pair('late'));
    clock.ahead = 1000;
    expect((await ask('x')).status).toBe(200);
  });

  it('is the bootstrap pair while there is none of its own, or only one that has ended', async () => {
    const { server, names, dir, pair, write, tls: own } = await insisting();
    const first = pair('first');
    const bootstrap = {
      certFile: put(dir, 'first.crt', first.certificatePem),
      keyFile: put(dir, 'first.key', first.keyPem),
    };
    const clock = movableClock();
    const { ask } = connect(server.address, { tls: { ...own, bootstrap } }, { clock });
    const next = async () => {
      clock.ahead += 1000;
      await ask('x');
      return names.at(-1);
    };
    expect(await next()).toBe('first');
    write(pair('own'));
    expect(await next()).toBe('own');
    put(dir, 'first.crt', 'ended long ago');
    expect(await next()).toBe('own');
    put(dir, 'first.crt', first.certificatePem);
    write(authority.issue({ commonName: 'own', lifetimeMs: -1000 }));
    expect(await next()).toBe('first');
    put(dir, 'cert.pem', 'half writ');
    expect(await next()).toBe('first');
  });

  it('with the key of another certificate fails with that reason', async () => {
    const { server, dir, pair, write, tls } = await insisting();
    write(pair('one'));
    put(dir, 'key.pem', pair('two').keyPem);
    const failed = await connect(server.address, { tls }).failing('x');
    expect(failed).toMatchObject({ code: 'BACKEND_TLS', seen: 'tls.keyFile is not the key of tls.certFile' });
  });
});

describe('the wrong protocol', () => {
  it('https to a plain port gets a hint', async () => {
    const server = http.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    afterwards(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const failed = await connect(`https://127.0.0.1:${port}`).failing('x');
    expect(failed).toMatchObject({ code: 'BACKEND_TLS', hint: expect.stringContaining('http://') });
  });

  it('http to a TLS port of Node fails soon', async () => {
    const server = await serve(good, serverOf(local));
    const failed = await connect(server.address.replace('https:', 'http:'), { timeoutMs: 500 }).failing('x');
    expect(failed.code).toMatch(/^BACKEND_(?:MALFORMED|UNREACHABLE|TIMEOUT)$/);
  });

  it.each([
    ['Go', 'Client sent an HTTP request to an HTTPS server.\n'],
    ['nginx', '<html><h1>400 Bad Request</h1>The plain HTTP request was sent to HTTPS port</html>'],
  ])('http to a TLS port of %s gets a hint', async (_, said) => {
    const server = await serve(reply(400, said));
    const failed = await connect(server.address).failing('x');
    expect(failed).toMatchObject({ code: 'BACKEND_MALFORMED', hint: 'Write https:// in address.' });
  });
});
