import { describe, expect, it } from 'vitest';
import { readLine } from '../../src/feed/change.ts';

const entry = (operation: string, path: string, more: object = {}, namespace: object = { id: 'root' }) =>
  JSON.stringify({
    time: '2026-11-30T17:40:33Z',
    type: 'response',
    auth: { client_token: 'hmac-sha256:00', accessor: 'a' },
    request: { id: '1', operation, mount_point: 'secret/', mount_type: 'kv', namespace, path },
    response: {},
    ...more,
  });

describe('readLine', () => {
  it.each(['create', 'update', 'patch', 'delete'])('takes the answer to a %s for a change', (operation) => {
    expect(readLine(entry(operation, 'secret/data/shop/app'))).toEqual({
      namespace: '',
      path: 'secret/data/shop/app',
      reach: 'path',
    });
  });

  it('names the namespace of the request', () => {
    const line = entry('update', 'secret/shop', {}, { id: 'x', path: 'team-a/' });
    expect(readLine(line)).toEqual({ namespace: 'team-a/', path: 'secret/shop', reach: 'path' });
  });

  it.each([
    ['the request itself, which is not carried out yet', entry('update', 'secret/a', { type: 'request' })],
    ['a read', entry('read', 'secret/data/a')],
    ['a list', entry('list', 'secret/metadata/')],
    ['a write that was denied', entry('update', 'secret/a', { error: '1 error occurred:\n\t* permission denied\n\n' })],
    ['a write that did not fit', entry('update', 'secret/a', { error: '1 error occurred:\n\t* invalid request\n\n' })],
    ['a login', entry('update', 'auth/approle/login')],
    ['a wrapping', entry('update', 'sys/wrapping/unwrap')],
    [
      'a read with the words of a write in its data',
      entry('read', 'a', { response: { data: { operation: 'update' } } }),
    ],
  ])('takes %s for no change', (_, line) => {
    expect(readLine(line)).toBe('no-change');
  });

  it('takes a write that failed otherwise for a change, since it may have come about', () => {
    expect(readLine(entry('update', 'secret/a', { error: 'context deadline exceeded' }))).toMatchObject({
      path: 'secret/a',
    });
  });

  it.each([
    ['sys/policies/acl/shop', { path: '', reach: 'namespace' }],
    ['sys/policy/shop', { path: '', reach: 'namespace' }],
    ['sys/remount', { path: '', reach: 'namespace' }],
    ['sys/storage/raft/snapshot-force', { path: '', reach: 'namespace' }],
    ['sys/namespaces/team-a', { path: '', reach: 'namespace' }],
    ['sys/mounts/secret', { path: 'secret', reach: 'below' }],
    ['sys/mounts/deep/secret/tune', { path: 'deep/secret', reach: 'below' }],
  ])('says how far a change of %s reaches', (path, expected) => {
    expect(readLine(entry('update', path))).toEqual({ namespace: '', ...expected });
  });

  it('takes the test entry of a server that starts for a change of everything', () => {
    expect(readLine(entry('update', 'sys/audit/test', { type: 'request' }))).toMatchObject({ reach: 'namespace' });
  });

  it('reads an entry behind the prefix of the device', () => {
    expect(readLine(`@cee: ${entry('delete', 'secret/a')}`)).toMatchObject({ path: 'secret/a' });
  });

  it.each([
    '',
    'hello',
    '{',
    '{"time":"',
    `${entry('update', 'secret/a').slice(0, -9)}`,
    '{"operation":"update"}',
    'null',
  ])('says that %j is no entry', (line) => {
    expect(readLine(line)).toBe('no-entry');
  });
});
