import { createPrivateKey } from 'node:crypto';
import { chmodSync, linkSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import type { Fields, Value } from '../../../src/base/value.ts';
import { keptBytes, readKept } from '../../../src/deliver/file/kept.ts';
import { createAuthority } from '../../servers/certificates.ts';
import { bytesOf, openSink, outputIn, publish, useScratch } from './file-sink.helpers.ts';

const scratch = useScratch();
const authority = createAuthority('root');
const [pair, other] = ['a', 'b'].map((commonName) => authority.issue({ commonName })) as [Pair, Pair];
type Pair = ReturnType<typeof authority.issue>;

function certificate(id: string, { certificatePem, keyPem }: Pair) {
  const fields: Fields = new Map<string, Value>([
    ['certificate', Secret.text(certificatePem)],
    ['privateKey', Secret.text(keyPem)],
    ['caChain', [Secret.text(authority.certificatePem)]],
    ['expiration', Secret.number('1790000000')],
  ]);
  return { id, cameWallMs: 7, fields };
}

/** An output that has published `files` and kept the certificates. */
async function kept(dir: string, files: Readonly<Record<string, string>>) {
  const sink = await openSink(outputIn(dir));
  await publish(sink, files);
  const bytes = keptBytes([certificate('one', pair), certificate('two', other)], bytesOf(files));
  await sink.keep?.(bytes);
  return sink;
}

const NOT_OURS = 'its contents are not what Pannier writes';
const found = async (dir: string) => (await readKept(dir, 'outputs.shop')).map(({ id }) => id);

describe('what an output keeps', () => {
  it('is the certificates whose keys it publishes, whole, for its own user alone', async () => {
    const dir = scratch();
    const sink = await kept(dir, { 'tls.pem': pair.certificatePem + pair.keyPem, 'b.pem': other.certificatePem });
    expect(sink.hasKept).toBe(true);
    expect(await readKept(dir, 'outputs.shop')).toEqual([certificate('one', pair)]);
    expect(statSync(join(dir, '..kept')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(dir, '..kept'), 'utf8')).not.toContain(JSON.stringify(other.keyPem));
  });

  it.each<[string, (pem: string) => string | Buffer]>([
    ['JSON', (pem) => JSON.stringify({ key: pem })],
    ['lines that are moved in', (pem) => pem.replace(/^/gm, '    ')],
    ['CRLF', (pem) => pem.replaceAll('\n', '\r\n')],
    ['DER', (pem) => createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' })],
  ])('counts as published in %s', (_, written) => {
    const files = new Map([['key', Buffer.from(written(pair.keyPem))]]);
    expect(keptBytes([certificate('one', pair)], files)).toBeDefined();
  });

  it.each<[string, string]>([
    ['no private key', pair.certificatePem],
    ['the key of another certificate', other.keyPem],
    ['a part of the key', pair.keyPem.split('\n').slice(0, 2).join('\n')],
    ['nothing', ''],
  ])('is nothing where %s is published', (_, text) => {
    expect(keptBytes([certificate('one', pair)], bytesOf({ file: text }))).toBeUndefined();
  });

  it('counts only while the key is in the published files', async () => {
    const dir = scratch();
    const files = { 'tls.pem': pair.certificatePem + pair.keyPem };
    const sink = await kept(dir, files);
    expect(await found(dir)).toEqual(['one']);
    await publish(sink, { 'tls.pem': pair.certificatePem });
    expect(await found(dir)).toEqual([]);
  });

  it.each<[string, (path: string) => void, string]>([
    ['others may read', (path) => chmodSync(path, 0o640), 'others may use it (mode 0640)'],
    ['has a second name', (path) => linkSync(path, `${path}-too`), 'it has a second name'],
    ['is cut off', (path) => writeFileSync(path, readFileSync(path).subarray(0, -20)), NOT_OURS],
    ['is of another format', (path) => writeFileSync(path, readFileSync(path, 'utf8').replace(':1,', ':2,')), NOT_OURS],
    ['is empty', (path) => writeFileSync(path, ''), NOT_OURS],
    [
      'is JSON of another kind',
      (path) => writeFileSync(path, '{"format":1,"certificates":[null,7,{"id":"one"}]}'),
      NOT_OURS,
    ],
  ])('in a file that %s does not count', async (_, spoil, why) => {
    const dir = scratch();
    await kept(dir, { 'tls.pem': pair.keyPem });
    spoil(join(dir, '..kept'));
    const told: string[] = [];
    expect(await readKept(dir, 'outputs.shop', (one) => told.push(one))).toEqual([]);
    expect(told).toEqual([why]);
  });

  it('does not count behind a link', async () => {
    const dir = scratch();
    const elsewhere = scratch();
    await kept(elsewhere, { 'tls.pem': pair.keyPem });
    await publish(await openSink(outputIn(dir)), { 'tls.pem': pair.keyPem });
    symlinkSync(join(elsewhere, '..kept'), join(dir, '..kept'));
    const told: string[] = [];
    expect(await readKept(dir, 'outputs.shop', (one) => told.push(one))).toEqual([]);
    expect(told).toEqual(['it is a symbolic link']);
  });

  it('is told of only where there is something', async () => {
    const told: string[] = [];
    expect(await readKept(scratch(), 'outputs.shop', (one) => told.push(one))).toEqual([]);
    expect(await readKept(join(scratch(), 'none'), 'outputs.shop', (one) => told.push(one))).toEqual([]);
    expect(told).toEqual([]);
  });

  it('may be a key that is written in another form, which counts while all files are the same', async () => {
    const dir = scratch();
    const files = { 'a.p12': 'encrypted', 'b.txt': 'b' };
    const sink = await openSink(outputIn(dir));
    await publish(sink, files);
    await sink.keep?.(keptBytes([{ ...certificate('one', pair), isWritten: true }], bytesOf(files)));
    expect(await readKept(dir, 'outputs.shop')).toEqual([certificate('one', pair)]);
    await publish(sink, { ...files, 'b.txt': 'c' });
    expect(await found(dir)).toEqual([]);
  });

  it('counts while its generation is held back, which was taken back', async () => {
    const dir = scratch();
    const sink = await openSink(outputIn(dir));
    await publish(sink, { 'tls.pem': other.keyPem });
    const { generation } = await publish(sink, { 'tls.pem': pair.keyPem });
    await sink.keep?.(keptBytes([certificate('one', pair)], bytesOf({ 'tls.pem': pair.keyPem })));
    await sink.hold(generation);
    await publish(sink, { 'tls.pem': other.keyPem });
    expect(await found(dir)).toEqual(['one']);
    await sink.hold(undefined);
    expect(await found(dir)).toEqual([]);
  });

  it('goes when nothing is kept any more, and what a kill left of a write goes at the next start', async () => {
    const dir = scratch();
    const sink = await kept(dir, { 'tls.pem': pair.keyPem });
    writeFileSync(join(dir, '..kept_tmp'), 'half');
    const next = await openSink(outputIn(dir));
    expect([next.hasKept, readdirSync(dir).includes('..kept_tmp')]).toEqual([true, false]);
    await sink.keep?.(undefined);
    expect([sink.hasKept, readdirSync(dir).includes('..kept')]).toEqual([false, false]);
    expect((await openSink(outputIn(dir))).hasKept).toBe(false);
  });

  it('is nothing in a directory that is missing', async () => {
    expect(await found(join(scratch(), 'none'))).toEqual([]);
  });
});
