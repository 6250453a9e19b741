import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runBackendCommand } from '../../src/agent/run-backend-command.ts';
import { systemClock } from '../../src/base/clock.ts';
import { planFrom, scratchFolder } from './agent.helpers.ts';

const CANARY = 'c4n4ry';

/** Runs a program of a backend, beside a backend whose token is CANARY. */
async function run(argv: readonly string[], env: Record<string, string> = {}, timeoutMs = 5_000) {
  const auth = { method: 'token', token: CANARY };
  const backends = { bao: { kind: 'vault', address: 'http://127.0.0.1:1', auth } };
  const { config } = await planFrom({ backends, secrets: { app: { kv: 'secret/app' } } });
  const context = { env: { PATH: process.env['PATH'] ?? '', ...env }, clock: systemClock };
  return runBackendCommand({ argv, added: { OWN: 'here' }, timeoutMs }, context, config, new AbortController().signal);
}

describe('a program of a backend', () => {
  it('gets no variable that holds a token of the configuration, whatever its name, nor another credential', async () => {
    const file = join(scratchFolder(), 'env');
    const env = { ANY_NAME: CANARY, VAULT_TOKEN: `${CANARY}-2`, PANNIER_KEY: `${CANARY}-3`, KEPT: 'yes' };
    expect(await run(['sh', '-c', `env > ${file}`], env)).toBeUndefined();
    const seen = readFileSync(file, 'utf8');
    expect(seen).not.toContain(CANARY);
    expect(seen).toContain('KEPT=yes\n');
    expect(seen).toContain('OWN=here\n');
  });

  it.each([
    [['sh', '-c', 'exit 3'], 'sh ended with status 3'],
    [['/no/such/program'], '/no/such/program cannot be started (ENOENT)'],
    [['sh', '-c', 'kill -9 $$'], 'sh was ended by SIGKILL'],
  ])('that fails says how: %j', async (argv, seen) => {
    expect(await run(argv)).toBe(seen);
  });
});
