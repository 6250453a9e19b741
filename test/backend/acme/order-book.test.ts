import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OrderBook } from '../../../src/backend/acme/order-book.ts';
import type { Failure } from '../../../src/base/errors.ts';
import { useAcme } from './acme.helpers.ts';

const DAY_MS = 24 * 3_600_000;
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const acme = useAcme();

/** A book of an agent whose clock is set. */
function open(dir = join(acme.folder(), 'account.key.orders')) {
  const warnings: Failure[] = [];
  const now = { wallMs: Date.UTC(2027, 0, 1) };
  const book = new OrderBook({
    clock: { wallMs: () => now.wallMs },
    dir,
    place: 'backends.ca.accountKeyFile',
    emit: (fact) => void (fact.kind === 'agent-warning' && warnings.push(fact.warning)),
    accountKey: async () => privateKey,
  });
  return { book, dir, warnings, now };
}

const certificate = (now: { wallMs: number }, days: number) => {
  const endsWallMs = now.wallMs + days * DAY_MS;
  return { certificate: { certificate: 'c', privateKey: 'k', chain: [], cameWallMs: now.wallMs, endsWallMs } };
};
const failed = {
  failed: { failures: 3, untilWallMs: 0, asked: false, code: 'CERTIFICATE_REFUSED', seen: 'no' },
} as const;

describe('the folder of orders that cannot be written', () => {
  it('is told once until a write succeeds again', async () => {
    const { book, dir, warnings, now } = open();
    await book.write('a', certificate(now, 90));
    const [name = ''] = readdirSync(dir);
    rmSync(join(dir, name));
    mkdirSync(join(dir, name));
    await book.write('a', certificate(now, 90));
    await book.write('a', certificate(now, 90));
    expect(warnings).toEqual([
      expect.objectContaining({
        code: 'STATE_NOT_WRITABLE',
        place: 'backends.ca.accountKeyFile',
        seen: `a start orders again what is not published yet: ${join(dir, name)} is a directory`,
        hint: 'Move away what is there.',
      }),
    ]);
    await book.write('b', certificate(now, 90));
    await book.write('a', certificate(now, 90));
    expect(warnings).toHaveLength(2);
    expect(readdirSync(dir)).toHaveLength(2); // nothing half written is left
  });

  it('is told when a file is in its place', async () => {
    const { book, dir, warnings, now } = open();
    writeFileSync(dir, '');
    await book.write('a', certificate(now, 90));
    expect(warnings).toMatchObject([{ seen: expect.stringContaining(`${dir} is not a directory`) }]);
  });
});

describe('the folder of orders', () => {
  it('forgets a certificate a month after its end, however long its life is, and a failure after a month', async () => {
    const { book, now } = open();
    await book.write('long', certificate(now, 365));
    await book.write('short', certificate(now, 6));
    await book.write('refused', failed);
    await book.write('both', { ...certificate(now, 365), ...failed });
    const known = async () => {
      await book.write('new', certificate(now, 1)); // what has ended is removed with each write
      const of = ['long', 'short', 'refused', 'both'].map(async (id) => Object.keys(await book.read(id)).join());
      return await Promise.all(of);
    };
    now.wallMs += 29 * DAY_MS;
    expect(await known()).toEqual(['certificate', 'certificate', 'failed', 'certificate,failed']);
    now.wallMs += 2 * DAY_MS;
    expect(await known()).toEqual(['certificate', 'certificate', '', 'certificate,failed']);
    now.wallMs += 6 * DAY_MS;
    expect(await known()).toEqual(['certificate', '', '', 'certificate,failed']);
    now.wallMs += (365 + 30 - 38) * DAY_MS;
    expect(await known()).toEqual(['certificate', '', '', 'certificate,failed']);
    now.wallMs += 2 * DAY_MS;
    expect(await known()).toEqual(['', '', '', '']);
  });

  it('has only files of its own removed, also behind a symlink, and what a kill has left half written', async () => {
    const real = acme.folder();
    const link = join(acme.folder(), 'account.key.orders');
    symlinkSync(real, link);
    const own = 'A'.repeat(43);
    const others = ['precious.txt', own.slice(1), `${own}.txt`, `${own}.0123456789aB`, `${own}.0123456789abc`];
    for (const name of [...others, `${own}.0123456789ab`, own]) {
      writeFileSync(join(real, name), '');
      utimesSync(join(real, name), 0, 0);
    }
    const [linked, folder] = [`${'-'.repeat(43)}`, `${'_'.repeat(43)}`];
    symlinkSync('precious.txt', join(real, linked));
    mkdirSync(join(real, folder));
    utimesSync(join(real, folder), 0, 0);
    const { book, now, warnings } = open(link);
    await book.write('a', certificate(now, 1));
    for (const name of [...others, linked, folder]) expect(existsSync(join(real, name)), name).toBe(true);
    expect(readdirSync(real)).toHaveLength(others.length + 3);
    expect(warnings).toEqual([]);
  });
});
