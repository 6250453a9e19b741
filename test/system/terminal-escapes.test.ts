import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createPlace, type Place, startAgent } from './agent.helpers.ts';
import { fileBackend, writeSecrets } from './file-backend.helpers.ts';

const EVIL = '\x1b[2J\x1b]0;pwned\x07\x9b31m\u202e';

let place: Place;
beforeEach(async () => {
  place = await createPlace();
});
afterEach(async () => {
  await place[Symbol.asyncDispose]();
});

/** What a command writes to a terminal that is both of its streams; its own colours and cleared lines are taken out. */
async function onTerminal(...args: readonly string[]): Promise<string> {
  const command = ['test/fixtures/terminal/all-on-terminal.py', process.execPath, resolve('dist/pannier.js'), ...args];
  const env = { PATH: process.env['PATH'], TERM: 'xterm' };
  const { stdout } = await promisify(execFile)('python3', command, { env });
  const written = Buffer.from(stdout, 'base64').toString().replaceAll('\r\n', '\n');
  expect(written).not.toBe('');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what the pattern is for
  return written.replaceAll(/\r?\x1b\[2K|\x1b\[\d*m|\x1b\[H\x1b\[J/g, '');
}

const CONTROLS = /[^\P{Cc}\n\t]|[\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;

describe('a terminal is not controlled', () => {
  it('by values, names of fields, and paths, in get, status, render, doctor and the log', async () => {
    await writeSecrets(place, { app: { password: `${EVIL}value`, [`${EVIL}name`]: 'x' } });
    const config = await place.config({
      backends: fileBackend,
      secrets: { app: { key: 'app' } },
      outputs: { shop: { dir: `./${EVIL}dir`, files: { f: { format: 'json', from: 'app' } } } },
      api: { socket: './api.sock' },
    });
    const agent = startAgent(['run', '-c', config]);
    onTestFinished(async () => void (await agent.stop()));
    await agent.waitFor('output-published');
    await agent.waitFor('listener-opened');
    const socket = join(place.dir, 'api.sock');
    const value = await onTerminal('get', 'app.password', '--socket', socket);
    expect(value).toContain('get: the value has characters that control a terminal');
    expect(value).toContain('value\n');
    const commands = [
      ['get', 'app', '--socket', socket],
      ['get', 'app.nope', '--socket', socket],
      ['status', '--socket', socket],
      ['status', '--json', '--socket', socket],
      ['render', '-c', config],
      ['render', '--reveal', '-c', config],
      ['render', '--diff', '--reveal', '-c', config],
      ['doctor', '-c', config],
      ['init', '-c', config],
      ['validate', `${EVIL}.yaml`],
      ['explain', EVIL],
      [EVIL],
    ];
    for (const command of commands) {
      const shown = await onTerminal(...command);
      expect(CONTROLS.exec(shown)?.[0], `${command[0]}: ${JSON.stringify(shown)}`).toBeUndefined();
    }
    // A pipe gets the exact bytes.
    const { stdout } = await promisify(execFile)(process.execPath, [
      'dist/pannier.js',
      'get',
      'app.password',
      '--socket',
      socket,
    ]);
    expect(stdout).toBe(`${EVIL}value`);
  }, 120_000);

  it('by a backend that refuses, and by JSON in the log', async () => {
    const server = createServer((_, response) => {
      response.writeHead(400, { 'content-type': 'application/json', 'x-evil': 'x' });
      response.end(JSON.stringify({ errors: [EVIL, `permission denied ${EVIL}`] }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    await writeFile(join(place.dir, 'token'), 'made-up');
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const certificate = { issuer: 'pki', role: 'shop', commonName: 'a.example' };
    const config = (format: string) =>
      place.config({
        backends: { bao: { kind: 'vault', address, auth: { method: 'token', tokenFile: './token' } } },
        secrets: { tls: { certificate } },
        outputs: { shop: { dir: `./${EVIL}dir`, files: { f: { format: 'json', from: 'tls' } } } },
        log: { level: 'trace', format },
      });
    for (const format of ['auto', 'json']) {
      const shown = await onTerminal('init', '--timeout', '2s', '-c', await config(format));
      expect(CONTROLS.exec(shown)?.[0], JSON.stringify(shown)).toBeUndefined();
    }
  }, 60_000);
});
