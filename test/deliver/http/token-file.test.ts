import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { TokenFile } from '../../../src/deliver/http/token-file.ts';
import { FakeClock } from '../../fake-clock.ts';
import { place } from './listener.helpers.ts';

it('tokens of any length and content are compared in constant time', async () => {
  const path = join(place(), 'token');
  writeFileSync(path, 'correct-horse\n');
  const token = new TokenFile(path, 'api.tokenFile', new FakeClock());
  const compared = vi.spyOn(process.getBuiltinModule('node:crypto'), 'timingSafeEqual');
  try {
    const given = ['correct-horse', 'correct-horsf', 'c', '', 'x'.repeat(10_000), 'correct-horse\n'];
    expect(await Promise.all(given.map((one) => token.accepts(one)))).toEqual([
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
    expect(compared.mock.calls.length).toBeGreaterThanOrEqual(given.length);
    // Digests are compared, whose length says nothing about the token.
    for (const [a, b] of compared.mock.calls) expect([a.byteLength, b.byteLength]).toEqual([32, 32]);
  } finally {
    compared.mockRestore();
  }
});

it.each([
  ['a pipe without a writer', (path: string) => execFileSync('mkfifo', [path]), 'it is not a regular file'],
  ['a link to itself', (path: string) => symlinkSync(path, path), 'cannot be read (ELOOP)'],
  ['a directory of it that is a file', (path: string) => symlinkSync('/dev/null/x', path), 'cannot be read (ENOTDIR)'],
])('%s in place of the token file refuses every request, and is reported', async (_t, put, why) => {
  const path = join(place(), 'token');
  const clock = new FakeClock();
  writeFileSync(path, 'correct-horse\n');
  const token = new TokenFile(path, 'api.tokenFile', clock);
  expect(await token.accepts('correct-horse')).toBe(true);
  rmSync(path);
  put(path);
  const wrong = async () => await token.accepts('wrong');
  for (const asked of [wrong, async () => await token.accepts('correct-horse'), () => token.check()]) {
    await expect(asked()).rejects.toMatchObject({ failure: { code: 'API_TOKEN_FILE' } });
    await expect(asked()).rejects.toThrow(why);
  }
});

it.each([
  [0o644, 'correct-horse-battery', /every user of the machine has access to the file$/],
  [0o600, 'correct-horse', /fewer than 16 characters$/],
  [0o640, 'correct-horse-battery', undefined],
])('a weak token is a warning: mode %o, %s', async (mode, text, seen) => {
  const path = join(place(), 'token');
  writeFileSync(path, text);
  chmodSync(path, mode);
  const weakness = await new TokenFile(path, 'api.tokenFile', new FakeClock()).check();
  if (seen === undefined) expect(weakness).toBeUndefined();
  else expect(weakness).toMatchObject({ code: 'API_TOKEN_FILE', seen: expect.stringMatching(seen) });
});
