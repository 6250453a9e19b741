import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KeptSecretIds } from '../../../../src/backend/vault/auth/secret-id.ts';
import type { VaultCall } from '../../../../src/backend/vault/client/client.ts';
import { answer, FakeVault, refuse, unreachable } from './fake-vault.ts';
import { auth, bodyOf, common, failureOf, methodOf } from './method.helpers.ts';

let dir: string;
let file: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pannier-auth-'));
  file = join(dir, 'secret-id');
});
afterEach(async () => {
  await chmod(dir, 0o700);
  await rm(dir, { recursive: true });
});

const PLACE = 'backends.bao.auth.secretIdFile';
const GOOD_PATH = 'auth/approle/role/shop/secret-id';
const text = (value: unknown) => (value as { exposeText(to: 'backend'): string }).exposeText('backend');

/** A server with wrapping tokens that can be unwrapped once, and an AppRole that accepts every secret id. */
class Wrapping extends FakeVault {
  readonly wraps = new Map<string, { path: string; data: object }>();

  constructor() {
    super();
    this.on('POST sys/wrapping/lookup', (call) => {
      const wrap = this.wraps.get(text(call.body?.['token'])) ?? invalid();
      return answer({ data: { creation_path: wrap.path, creation_ttl: 60 } });
    })
      .on('POST sys/wrapping/unwrap', (call) => answer({ data: this.take(call) }))
      .on('POST auth/approle/login', () => answer({ auth }));
  }

  wrap(token: string, secretId: unknown = `id-of-${token}`, path = GOOD_PATH): this {
    this.wraps.set(token, { path, data: { secret_id: secretId } });
    return this;
  }

  take(call: VaultCall): object {
    const token = text(call.token);
    const { data } = this.wraps.get(token) ?? invalid();
    this.wraps.delete(token);
    return data;
  }

  paths(): string[] {
    return this.calls.map(({ path }) => path.replace('sys/wrapping/', ''));
  }
}

const invalid = () => refuse(400, { errors: ['wrapping token is not valid or does not exist'] });

const config = (more: object = {}) => ({
  ...common,
  method: 'approle' as const,
  mount: 'approle',
  roleId: 'role-id',
  secretIdFile: file,
  secretIdWrapped: true,
  removeSecretIdFile: false,
  ...more,
});

const wrapped = (more: object = {}, kept?: KeptSecretIds) => {
  const server = new Wrapping();
  return { ...methodOf(config(more), server, kept), server };
};

describe('a wrapped secret id', () => {
  test('is looked up, unwrapped with the token itself, and used', async () => {
    await writeFile(file, 'wrap-1\n');
    const { server, logIn } = wrapped();
    server.wrap('wrap-1');
    await logIn();
    expect(server.paths()).toEqual(['lookup', 'unwrap', 'auth/approle/login']);
    expect(server.calls.map(({ token }) => token && text(token))).toEqual([undefined, 'wrap-1', undefined]);
    expect(server.calls.map(({ idempotent }) => idempotent)).toEqual([true, false, false]);
    expect(bodyOf(server)).toEqual({ role_id: 'role-id', secret_id: 'id-of-wrap-1' });
    expect(existsSync(file)).toBe(true);
  });

  test('is kept for later logins, until the file holds another token', async () => {
    await writeFile(file, 'wrap-1');
    const { server, logIn } = wrapped();
    server.wrap('wrap-1').wrap('wrap-2');
    await logIn();
    await logIn();
    await rm(file);
    await logIn();
    expect(server.paths().filter((path) => path === 'unwrap')).toHaveLength(1);
    expect(bodyOf(server)).toMatchObject({ secret_id: 'id-of-wrap-1' });
    await writeFile(file, 'wrap-2');
    await logIn();
    expect(bodyOf(server)).toMatchObject({ secret_id: 'id-of-wrap-2' });
  });

  test('is kept when the login itself got no answer', async () => {
    await writeFile(file, 'wrap-1');
    const { server, logIn } = wrapped();
    server.wrap('wrap-1').on('POST auth/approle/login', unreachable);
    expect(await failureOf(logIn)).toMatchObject({ code: 'BACKEND_UNREACHABLE' });
    server.on('POST auth/approle/login', () => answer({ auth }));
    await logIn();
    expect(server.paths().slice(-1)).toEqual(['auth/approle/login']);
  });

  test.each([
    ['another mount', 'auth/other/role/shop/secret-id'],
    ['a mount that begins so', 'auth/approle2/role/shop/secret-id'],
    ['another path of the role', 'auth/approle/role/shop/role-id'],
    ['a part too much', 'auth/approle/role/shop/x/secret-id'],
    ['no role', 'auth/approle/role//secret-id'],
    ['somebody who wraps what he likes', 'sys/wrapping/wrap'],
    ['nobody', ''],
  ])('that comes of %s is refused before it is used up', async (_, path) => {
    await writeFile(file, 'wrap-1');
    const { server, logIn } = wrapped();
    server.wrap('wrap-1', 'x', path);
    const seen = `${file} holds a wrapping token that auth/approle/role/ROLE/secret-id did not make`;
    expect(await failureOf(logIn)).toMatchObject({ code: 'AUTH_WRAPPING_PATH', place: PLACE, seen });
    expect(server.paths()).toEqual(['lookup']);
  });

  test('may come of a mount with slashes', async () => {
    await writeFile(file, 'wrap-1');
    const { server, logIn } = wrapped({ mount: '/team/own/' });
    server
      .wrap('wrap-1', 'x', 'auth/team/own/role/shop/secret-id')
      .on('POST auth/team/own/login', () => answer({ auth }));
    await logIn();
  });

  test('that was unwrapped already fails with a warning that another party may have read it', async () => {
    await writeFile(file, 'wrap-1');
    const { logIn } = wrapped();
    expect(await failureOf(logIn)).toMatchObject({
      code: 'AUTH_WRAPPING_USED',
      place: PLACE,
      seen: `${file} holds a wrapping token that was used already or has ended`,
      hint: expect.stringMatching(/restart.*may have read/),
      retry: 'backoff',
    });
  });

  test('that is unwrapped between lookup and unwrapping fails in the same way', async () => {
    await writeFile(file, 'wrap-1');
    const { server, logIn } = wrapped();
    server.wrap('wrap-1').on('POST sys/wrapping/unwrap', invalid);
    expect(await failureOf(logIn)).toMatchObject({ code: 'AUTH_WRAPPING_USED' });
  });

  test('whose unwrapping got no answer may be used up by the agent itself, and the hint says so', async () => {
    await writeFile(file, 'wrap-1');
    const { server, logIn } = wrapped();
    server.wrap('wrap-1').on('POST sys/wrapping/unwrap', (call) => {
      server.take(call);
      return unreachable();
    });
    expect(await failureOf(logIn)).toMatchObject({ code: 'BACKEND_UNREACHABLE' });
    expect(await failureOf(logIn)).toMatchObject({
      code: 'AUTH_WRAPPING_USED',
      hint: expect.stringMatching(/the unwrapping by this agent was lost/),
    });
  });

  test.each([
    ['nothing', {}],
    ['an empty one', { secret_id: '' }],
    ['a number', { secret_id: 1 }],
    ['a map', { secret_id: {} }],
  ])('of which there is %s in the answer is unusable', async (_, data) => {
    await writeFile(file, 'wrap-1');
    const { server, logIn } = wrapped();
    server.wrap('wrap-1').on('POST sys/wrapping/unwrap', () => answer({ data }));
    expect(await failureOf(logIn)).toMatchObject({ code: 'AUTH_UNUSABLE', place: PLACE });
  });

  test('that is refused says whether it came from memory', async () => {
    await writeFile(file, 'wrap-1');
    const { server, logIn } = wrapped();
    server.wrap('wrap-1').on('POST auth/approle/login', () => refuse(400, { errors: ['invalid secret id'] }));
    expect((await failureOf(logIn)).hint).toContain('Check the role');
    expect(await failureOf(logIn)).toMatchObject({ code: 'AUTH_DENIED', hint: expect.stringContaining('in memory') });
  });

  test('outlives the method, for the same server, mount and file only', async () => {
    await writeFile(file, 'wrap-1');
    const first = wrapped();
    first.server.wrap('wrap-1');
    await first.logIn();
    await wrapped({}, first.kept).logIn();
    expect(await failureOf(wrapped({ mount: 'other' }, first.kept).logIn)).toMatchObject({
      code: 'AUTH_WRAPPING_USED',
    });
    await rm(file);
    expect(await failureOf(wrapped({ secretIdFile: `${file}2` }, first.kept).logIn)).toMatchObject({
      code: 'AUTH_CREDENTIAL_UNREADABLE',
    });
  });
});

describe('removeSecretIdFile', () => {
  const removing = (more: object = {}) => wrapped({ secretIdWrapped: false, removeSecretIdFile: true, ...more });

  test('removes the file after a login, and logs in from memory then', async () => {
    await writeFile(file, 'plain');
    const { server, logIn, facts } = removing();
    await logIn();
    expect(existsSync(file)).toBe(false);
    await logIn();
    expect(bodyOf(server)).toMatchObject({ secret_id: 'plain' });
    await writeFile(file, 'next');
    await logIn();
    expect([bodyOf(server)['secret_id'], existsSync(file), facts]).toEqual(['next', false, []]);
  });

  test('removes a wrapping token too', async () => {
    await writeFile(file, 'wrap-1');
    const { server, logIn } = removing({ secretIdWrapped: true });
    server.wrap('wrap-1');
    await logIn();
    expect(existsSync(file)).toBe(false);
    await logIn();
    expect(server.paths().slice(-2)).toEqual(['auth/approle/login', 'auth/approle/login']);
  });

  test('keeps the file while no login was made with it', async () => {
    await writeFile(file, 'plain');
    const { server, logIn } = removing();
    server.on('POST auth/approle/login', () => refuse(400));
    await failureOf(logIn);
    expect(existsSync(file)).toBe(true);
  });

  test('keeps a file that was delivered while the login was under way', async () => {
    await writeFile(file, 'plain');
    const { server, logIn } = removing();
    server.on('POST auth/approle/login', async () => {
      await writeFile(file, 'newer');
      return answer({ auth });
    });
    await logIn();
    expect(existsSync(file)).toBe(true);
    await logIn();
    expect(bodyOf(server)).toMatchObject({ secret_id: 'newer' });
  });

  test('of a file that is missing says that a restart needs a new one', async () => {
    const { logIn } = removing();
    expect(await failureOf(logIn)).toMatchObject({
      code: 'AUTH_CREDENTIAL_UNREADABLE',
      place: PLACE,
      hint: expect.stringMatching(/removeSecretIdFile.*each start/),
    });
  });

  test('warns once of a link, which it does not remove, and logs in', async () => {
    await writeFile(join(dir, 'target'), 'plain');
    await symlink('target', file);
    const { logIn, facts } = removing();
    await logIn();
    await logIn();
    expect(existsSync(join(dir, 'target'))).toBe(true);
    const seen = `${file} is a symbolic link, which is not removed`;
    const warning = expect.objectContaining({ code: 'AUTH_CREDENTIAL_LEFT', place: PLACE, seen });
    expect(facts).toEqual([{ kind: 'agent-warning', warning }]);
  });

  test.skipIf(process.getuid?.() === 0)('warns of a directory that may not be written', async () => {
    await writeFile(file, 'plain');
    await chmod(dir, 0o500);
    const { logIn, facts } = removing();
    await logIn();
    expect(facts).toMatchObject([
      { warning: { code: 'AUTH_CREDENTIAL_LEFT', seen: `${file} cannot be removed (EACCES)` } },
    ]);
  });

  test('does nothing when it is off', async () => {
    await writeFile(file, 'plain');
    const { kept, logIn } = wrapped({ secretIdWrapped: false });
    await logIn();
    expect([existsSync(file), kept.size]).toEqual([true, 0]);
    await rm(file);
    await mkdir(file);
    expect((await failureOf(logIn)).hint).toBe('Check that the file is mounted, and its owner and mode.');
  });
});
