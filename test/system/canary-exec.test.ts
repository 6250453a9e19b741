import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runAgent } from './agent.helpers.ts';
import { CANARY, filesWithCanary, LOUD_LOG, loudIn } from './canary.helpers.ts';
import { execAppIn } from './exec.helpers.ts';
import { baoOf, useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld();

it('a value of a variable is in the environment of the child, and nowhere else', async () => {
  const { dir, config } = await scene.place();
  const token = await world().login();
  const env = { ...loudIn(dir), VAULT_TOKEN: token, BAO_TOKEN: `${CANARY}-token` };
  const write = (password: string, more: object = {}) =>
    world().putSecret('marked', { password: `${CANARY}-${password}`, ...more });
  const of = (exec: object) =>
    config({
      log: LOUD_LOG,
      backends: {
        k8s: baoOf(world()),
        token: { kind: 'vault', address: world().bao.address, auth: { method: 'token' } },
      },
      secrets: {
        marked: { backend: 'k8s', kv: 'secret/shop/marked', refresh: '200ms' },
        token: { backend: 'token', kv: 'secret/shop/marked', refresh: '200ms' },
      },
      exec: { env: { A: '{{marked.password}}', B: 'x{{token.password}}' }, quiet: '50ms', ...exec },
    });

  await write('one');
  const app = execAppIn({ dir });
  const agent = scene.exec(await of({}), app.command, { env });
  expect((await app.environment())['A']).toBe(`${CANARY}-one`);
  await write('two');
  expect((await app.environment(2))['B']).toBe(`x${CANARY}-two`);
  const pid = await app.pid(2);
  const cmdlines = [agent.pid, pid].map((one) => readFileSync(`/proc/${one}/cmdline`, 'latin1'));
  const environ = readFileSync(`/proc/${pid}/environ`, 'latin1');
  await write('nul\0');
  expect(await agent.waitFor('output-failed')).toMatchObject({ code: 'EXEC_VARIABLE' });
  await agent.stop();

  await write('three', { long: CANARY.repeat(22_000), wide: CANARY.repeat(15_000) });
  const large = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`V${i}`, '{{marked.wide}}']));
  const said = [agent.output()];
  for (const [exec, command, status] of [
    [{}, ['/nowhere/at/all'], 127],
    [{ env: large }, ['true'], 126],
    [{ env: { A: '{{marked.long}}' } }, ['true'], 1],
    [{ env: { A: '{{marked.password.nope}}' } }, ['true'], 1],
  ] as const) {
    const failing = await runAgent(['exec', '-c', await of(exec), '--timeout', '2s', '--', ...command], { env });
    expect([failing.status, failing.stderr().includes('exec: exec.')]).toEqual([status, true]);
    said.push(failing.output());
  }

  for (const all of [...said, ...cmdlines]) {
    expect(all).not.toContain(CANARY);
    expect(all).not.toContain(token);
  }
  expect(environ).toContain(`A=${CANARY}-two`);
  expect(environ).not.toContain(token);
  expect(environ).not.toContain(`${CANARY}-token`);
  expect(filesWithCanary(dir)).toEqual(['events']); // the application itself wrote its environment there
  expect(readdirSync(join(dir, 'tmp'))).toEqual([]);
}, 60_000);
