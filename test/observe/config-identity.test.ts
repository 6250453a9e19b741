import { describe, expect, it } from 'vitest';
import { configIdentity } from '../../src/observe/config-identity.ts';
import { loadWith } from '../config/config.helpers.ts';

const settings = (password: string, refresh = '5m') => ({
  backends: { bao: { kind: 'vault', address: 'http://bao:8200', auth: { method: 'token', token: password } } },
  secrets: { app: { kv: 'secret/app', refresh }, other: { kv: 'secret/other' } },
});

describe('the identity of a configuration', () => {
  it('is equal for equal settings in other files, and does not depend on a value that is kept secret', async () => {
    const one = await loadWith(settings('first'));
    const two = await loadWith(settings('second'));
    expect(one.files).not.toEqual(two.files);
    expect(configIdentity(one)).toBe(configIdentity(two));
    expect(configIdentity(one)).toMatch(/^[0-9a-f]{16}$/);
  });

  it('differs with any setting', async () => {
    const all = await Promise.all([settings('a'), settings('a', '6m')].map((one) => loadWith(one)));
    expect(new Set(all.map(configIdentity)).size).toBe(2);
  });
});
