import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createAuthority } from '../servers/certificates.ts';
import { createPlace, type Place, runAgent } from './agent.helpers.ts';
import { LOUD_LOG, loudIn } from './canary.helpers.ts';
import { fileBackend, writeSecrets } from './file-backend.helpers.ts';

const PASSWORD = 'c4n4ry "p4ssword"';

let place: Place;
afterEach(() => place[Symbol.asyncDispose]());

describe('a private key and the password of a keystore', () => {
  it('come out in the outputs only, with good files and with bad ones, and every debug switch on', async () => {
    place = await createPlace();
    const { dir, config } = place;
    const root = createAuthority('Root');
    const pair = root.issue({ commonName: 'shop.svc' });
    const other = root.issue({ commonName: 'other.svc' });
    await writeSecrets(place, {
      tls: { certificate: pair.certificatePem, privateKey: pair.keyPem, caChain: [root.certificatePem] },
      mixed: { certificate: pair.certificatePem, privateKey: other.keyPem },
      store: { password: PASSWORD, line: `${PASSWORD}\n`, list: [PASSWORD] },
    });
    const bad = {
      mixed: { format: 'pkcs12', from: 'mixed', password: 'store.password' },
      line: { format: 'pkcs12', from: 'tls', password: 'store.line' },
      list: { format: 'truststore', from: 'tls', password: 'store.list' },
      der: { format: 'pem', from: 'store.password' },
      form: { format: 'pem', from: 'tls', parts: 'key', keyFormat: 'pkcs1' },
      helper: { content: '{{pkcs12 store.line tls}}' },
      text: { content: 'x{{pkcs12 store.password tls}}' },
    };
    const good = {
      'keystore.p12': { format: 'pkcs12', from: 'tls', password: 'store.password' },
      'key.pem': { format: 'pem', from: 'tls', parts: 'key' },
      'encrypted.pem': { format: 'pem', from: 'tls', parts: 'key', password: 'store.password' },
    };
    const outputs = Object.entries(bad).map(([name, file]) => [name, { dir: join(dir, name), files: { f: file } }]);
    const file = await config({
      log: LOUD_LOG,
      backends: fileBackend,
      secrets: { tls: { key: 'tls' }, mixed: { key: 'mixed' }, store: { key: 'store' } },
      outputs: { good: { dir: join(dir, 'good'), files: good }, ...Object.fromEntries(outputs) },
    });
    const env = loudIn(dir);
    const init = await runAgent(['init', '-c', file, '--timeout', '20s'], { env });
    const shown = await runAgent(['render', '-c', file, '--output', 'good'], { env });
    const again = await runAgent(['init', '-c', file, '--timeout', '20s'], { env });

    // The values did reach the outputs, and the bad ones failed, so the search can fail.
    expect(readFileSync(join(dir, 'good/key.pem'), 'utf8')).toBe(pair.keyPem);
    expect([...new Set(init.facts('output-failed').map(({ output }) => output))].sort()).toEqual(
      Object.keys(bad).sort(),
    );
    const bodies = [pair, other].map(({ keyPem }) => keyPem.split('\n')[1] as string);
    const said = `${init.output()}${shown.output()}${again.output()}`;
    for (const hidden of ['c4n4ry', 'p4ssword', ...bodies]) expect(said).not.toContain(hidden);
    expect(readdirSync(join(dir, 'tmp'))).toEqual([]);
    // Equal secrets publish nothing in another process.
    expect(readdirSync(join(dir, 'good')).filter((name) => name.startsWith('..g'))).toEqual(['..g1']);
    expect(again.facts('output-published').filter(({ output }) => output === 'good')).toEqual([]);
  });
});
