import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Answerer, startFaultServer } from '../faults/fault-server.ts';
import { enableAppRole, startWorld, type World } from '../servers/index.ts';
import { createPlace, type Place, runAgent, startAgent } from './agent.helpers.ts';
import { CANARY, filesWithCanary, LOUD_LOG, loudIn } from './canary.helpers.ts';

const open: AsyncDisposable[] = [];
let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

async function newPlace(): Promise<Place> {
  const place = await createPlace();
  open.push(place);
  return place;
}

describe('no value comes out anywhere but in the outputs', () => {
  it('with real logins and secrets, good outputs and failing ones, commands, and every debug switch on', async () => {
    const { dir, config } = await newPlace();
    const role = await enableAppRole(world.bao, { role: 'shop', policies: ['shop'] });
    const token = await world.login();
    writeFileSync(join(dir, 'secret-id'), await role.newSecretId());
    await world.putSecret('marked', {
      password: `${CANARY}-1 "quoted" \\ $x`,
      nul: `${CANARY}\0nul`,
      nested: { deep: `${CANARY}-2` },
      'not a key': `${CANARY}-3`,
      number: 1,
    });
    const address = world.bao.address;
    const shown = join(dir, 'shown');
    const show = `{ env; tr '\\0' ' ' < /proc/$$/cmdline; tr '\\0' ' ' < /proc/$PPID/cmdline; echo noise ${CANARY.length}; } > ${shown}`;
    const failing = {
      missing: { content: '{{marked.password.nope}}' },
      object: { content: '{{upper marked.nested}}' },
      argument: { content: '{{indent marked.password marked.password}}' },
      decode: { content: '{{base64decode marked.password}}' },
      key: { format: 'dotenv', from: 'marked' },
      raw: { format: 'raw', from: 'marked' },
      each: { content: '{{#each marked.password}}{{this.x}}{{/each}}' },
      block: { content: '{{#with marked.gone}}x{{/with}}' },
    };
    const file = await config({
      log: LOUD_LOG,
      backends: {
        k8s: { kind: 'vault', address, auth: { method: 'kubernetes', role: 'shop', tokenFile: world.tokenFile } },
        role: {
          kind: 'vault',
          address,
          auth: { method: 'approle', roleId: role.roleId, secretIdFile: join(dir, 'secret-id') },
        },
        token: { kind: 'vault', address, auth: { method: 'token', token: '${env:AGENT_TOKEN}' } },
      },
      secrets: {
        marked: { backend: 'k8s', kv: 'secret/shop/marked', refresh: '200ms' },
        role: { backend: 'role', kv: 'secret/shop/marked', refresh: '200ms' },
        token: { backend: 'token', kv: 'secret/shop/marked', refresh: '200ms' },
        denied: { backend: 'token', kv: 'secret/other', optional: true },
        gone: { backend: 'token', kv: 'secret/shop/gone', optional: true },
      },
      outputs: {
        good: {
          dir: join(dir, 'good'),
          files: {
            'all.json': { format: 'json', from: ['marked', 'role', 'token'] },
            text: { content: '{{marked.password}}{{#if denied}}x{{/if}}{{#if gone}}x{{/if}}' },
          },
          reloadOnFirst: true,
          reload: [{ command: { argv: ['/bin/sh', '-c', show] } }, { command: { argv: ['/bin/false'] } }],
        },
        ...Object.fromEntries(
          Object.entries(failing).map(([name, how]) => [
            name,
            { dir: join(dir, `bad-${name}`), files: { f: how }, reload: [] },
          ]),
        ),
      },
    });
    const env = { ...loudIn(dir), AGENT_TOKEN: token, VAULT_TOKEN: `${CANARY}-env` };
    const init = await runAgent(['init', '-c', file, '--timeout', '20s'], { env });
    expect(init.status).toBe(1);
    const agent = startAgent(['run', '-c', file], { env });
    open.push({ [Symbol.asyncDispose]: async () => void (await agent.stop()) });
    await agent.waitFor('reload-failed');
    await world.putSecret('marked', { password: `${CANARY}-4`, nested: `${CANARY}-5` });
    await agent.waitFor('output-published', { fits: ({ generation }) => generation === 2 });
    await pause(300);
    const argv = readFileSync(`/proc/${agent.pid}/cmdline`, 'utf8');
    await agent.stop();

    // The canary did reach the outputs, and the failing ones did fail, so the search below can fail.
    expect(readFileSync(join(dir, 'good/text'), 'utf8')).toBe(`${CANARY}-4`);
    const failed = new Set(init.facts('output-failed').map(({ output }) => output));
    expect([...failed].sort()).toEqual(Object.keys(failing).sort());
    expect(readFileSync(shown, 'utf8')).toContain('PANNIER_GENERATION');

    const said = `${init.output()}${agent.output()}${argv}${readFileSync(shown, 'utf8')}`;
    const jwt = readFileSync(world.tokenFile, 'utf8').trim();
    const secretId = readFileSync(join(dir, 'secret-id'), 'utf8');
    for (const value of [CANARY, jwt, jwt.split('.')[2] as string, secretId, token]) expect(said).not.toContain(value);
    expect(said).not.toMatch(/hvs\.|\bs\.[A-Za-z0-9]{20}/);
    expect(filesWithCanary(dir).filter((path) => !/^(good|bad-\w+)\/\.\.(g\d+|data)\//.test(path))).toEqual([]);
    expect(readdirSync(join(dir, 'tmp'))).toEqual([]);
  });

  const respond =
    (status: string, body: string, headers = ''): Answerer =>
    (_request, socket) => {
      const length = Buffer.byteLength(body);
      socket.write(`HTTP/1.1 ${status}\r\nContent-Length: ${length}\r\n${headers}\r\n${body}`);
    };
  const errors = JSON.stringify({ errors: [`${CANARY} permission denied ${CANARY}`], data: { a: CANARY } });

  it.each<readonly [string, Answerer]>([
    ['HTML', respond('200 OK', `<html>${CANARY}</html>`)],
    ['JSON cut off', respond('200 OK', `{"data":{"password":"${CANARY}`)],
    ['JSON of another shape', respond('200 OK', `{"data":["${CANARY}"],"auth":"${CANARY}"}`)],
    ['a body that breaks off', (_r, s) => s.end(`HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"data":"${CANARY}`)],
    ['a status line that is none', (_r, s) => s.end(`${CANARY} ${CANARY}\r\n\r\n`)],
    ['a header that is none', (_r, s) => s.end(`HTTP/1.1 200 OK\r\n${CANARY} x\r\n\r\n`)],
    ['400 with errors', respond('400 Bad Request', errors)],
    ['403 with errors', respond('403 Forbidden', errors)],
    ['404 with errors', respond('404 Not Found', errors)],
    ['500 with errors', respond('500 Oops', errors)],
    ['429 with a strange Retry-After', respond('429 Slow', errors, `Retry-After: ${CANARY}\r\n`)],
    ['a redirect', respond('307 There', '', `Location: http://127.0.0.1:1/${CANARY}\r\n`)],
    ['a redirect that is no URL', respond('307 There', '', `Location: ht!tp:${CANARY}\r\n`)],
  ])('when the backend answers %s', async (_title, answer) => {
    await using server = await startFaultServer(answer);
    const { dir, config } = await newPlace();
    const file = await config({
      log: LOUD_LOG,
      backends: {
        bao: { kind: 'vault', address: server.address, auth: { method: 'token', token: `\${env:AGENT_TOKEN}` } },
      },
      secrets: { a: { kv: 'secret/a' }, b: { read: 'database/creds/b' } },
      outputs: { o: { dir: join(dir, 'o'), files: { f: { format: 'json', from: ['a', 'b'] } } } },
    });
    const env = { ...loudIn(dir), AGENT_TOKEN: `${CANARY}-token` };
    const init = await runAgent(['init', '-c', file, '--timeout', '700ms'], { env });
    expect(server.requests.some(({ headers }) => headers['x-vault-token'] === `${CANARY}-token`)).toBe(true);
    expect(init.status).toBeGreaterThan(0);
    expect(init.stderr()).toContain('init: ');
    expect(init.output()).not.toContain(CANARY);
    expect(filesWithCanary(dir)).toEqual([]);
  });

  it.each([
    ['YAML that does not parse', 'secrets.yaml', `shop:\n  password: "${CANARY}\n  - x: [${CANARY}`],
    ['YAML with a bad alias', 'secrets.yaml', `shop: *${CANARY}\n`],
    ['JSON that does not parse', 'secrets.json', `{"shop": {"password": "${CANARY}", ${CANARY}}`],
    ['a list where a map is wanted', 'secrets.yaml', `- ${CANARY}\n`],
  ])('when the file of the embedded backend is %s', async (_title, name, text) => {
    const { dir, config } = await newPlace();
    writeFileSync(join(dir, name), text);
    const file = await config({
      log: LOUD_LOG,
      backends: { demo: { kind: 'file', path: join(dir, name) } },
      secrets: { shop: { key: 'shop' } },
      outputs: { o: { dir: join(dir, 'o'), files: { f: { format: 'json', from: 'shop' } } } },
    });
    const init = await runAgent(['init', '-c', file, '--timeout', '2s'], { env: loudIn(dir) });
    expect(init.status).toBe(1);
    expect(init.stderr()).toContain(name);
    expect(init.output()).not.toContain(CANARY);
  });

  it.each([
    [
      'a misplaced token',
      `backends: { b: { kind: vault, address: "http://x:1", auth: { method: token, tokn: ${CANARY} } } }`,
    ],
    [
      'a token of the wrong type',
      `backends: { b: { kind: vault, address: "http://x:1", auth: { method: token, token: [${CANARY}] } } }`,
    ],
    ['a password in the address', `backends: { b: { kind: vault, address: "http://u:${CANARY}@x:1" } }`],
    ['YAML that breaks off', `backends: { b: { token: "${CANARY}`],
    ['a template that does not parse', `outputs: { o: { dir: /o, files: { f: { content: "{{#if ${CANARY}" } } } }`],
  ])('when the configuration holds %s', async (_title, text) => {
    const { dir } = await newPlace();
    const file = join(dir, 'pannier.yaml');
    writeFileSync(file, `version: 1\n${text}\n`);
    for (const command of ['validate', 'init', 'run']) {
      const agent = await runAgent([command, '-c', file], { env: loudIn(dir) });
      expect(agent.status).toBe(2);
      expect(agent.output()).not.toContain(CANARY);
    }
  });
});
