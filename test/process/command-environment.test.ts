import { expect, it } from 'vitest';
import { commandEnvironment } from '../../src/process/command-environment.ts';

it.each([
  ['VAULT_TOKEN', false],
  ['BAO_TOKEN', false],
  ['VAULT_SECRET_ID', false],
  ['BAO_PASSWORD', false],
  ['AWS_SECRET_ACCESS_KEY', false],
  ['AWS_SESSION_TOKEN', false],
  ['AWS_CONTAINER_AUTHORIZATION_TOKEN', false],
  ['PANNIER_CONFIG', false],
  ['PANNIER_API_TOKEN', false],
  ['NOTIFY_SOCKET', false],
  ['WATCHDOG_USEC', false],
  ['PATH', true],
  ['VAULT_ADDR', true],
  ['AWS_REGION', true],
  ['MY_VAULT_TOKEN_FILE', true],
])('%s is passed on: %s', (name, passed) => {
  expect(name in commandEnvironment({ [name]: 'x' }, {})).toBe(passed);
});

it('what is added wins, an unset variable stays unset, and no name is special', () => {
  const env = commandEnvironment(JSON.parse('{"A":"1","__proto__":"2"}'), { A: 'added', PANNIER_OUTPUT: 'shop' });
  expect(Object.entries(env)).toEqual([
    ['A', 'added'],
    ['__proto__', '2'],
    ['PANNIER_OUTPUT', 'shop'],
  ]);
  expect('B' in commandEnvironment({ B: undefined }, {})).toBe(false);
  expect('constructor' in env).toBe(false);
});
