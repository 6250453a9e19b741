import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Want } from '../../src/backend/backend.ts';
import { createFileBackend } from '../../src/backend/file/backend.ts';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import type { Fact } from '../../src/base/fact.ts';
import { Releases } from '../../src/base/releases.ts';
import { FakeClock } from '../fake-clock.ts';
import { expectNoLeaks } from '../faults/leaks.ts';

const releases = new Releases();
expectNoLeaks();
afterEach(() => releases.releaseAll());

const nap = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'pannier-watch-'));
  releases.push(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Watches `path`; `next` is true when a change is reported within two seconds, `quiet` when none is within 300 ms. */
async function watching(path: string, clock: Clock = systemClock) {
  const facts: Fact[] = [];
  const backend = createFileBackend({ kind: 'file', name: 'l', path }, { emit: (f) => facts.push(f), clock });
  releases.push(async () => backend[Symbol.asyncDispose]());
  const request = { kind: 'file', key: 'a' } as const;
  const want: Want = { id: 'a', backend: 'l', request, place: 'secrets.a', refreshMs: 1e6, optional: false };
  let told = 0;
  const watch = backend.source.watch?.(want, {
    changed: () => void told++,
    written: () => {},
    replaceAt: () => {},
    covered: () => {},
  });
  const pause = async (ms: number) => {
    await nap(ms);
    if (clock instanceof FakeClock) await clock.advance(ms);
  };
  for (let i = 0; i < 100 && told === 0; i++) await pause(20);
  expect(told, 'told once when the watch has begun').toBe(1);
  await pause(150);
  let seenLast = told;
  const next = async () => {
    for (let i = 0; i < 100 && told === seenLast; i++) await pause(20);
    const seen = told > seenLast;
    await pause(150);
    seenLast = told;
    return seen;
  };
  const quiet = async () => {
    const before = told;
    await pause(300);
    return told === before;
  };
  return { next, quiet, facts, watch };
}

function swap(dir: string, name: string, files: Record<string, string>): void {
  mkdirSync(join(dir, name));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(dir, name, file), text);
  symlinkSync(name, join(dir, '..data_tmp'));
  renameSync(join(dir, '..data_tmp'), join(dir, '..data'));
}

describe('a watched file', () => {
  it('is reported each time it is written, replaced by a rename, deleted or made again', async () => {
    const dir = folder();
    const path = join(dir, 's.yaml');
    writeFileSync(path, 'a: 0\n');
    const { next, quiet } = await watching(path);
    for (let i = 0; i < 3; i++) {
      writeFileSync(path, `a: ${i} written\n`);
      expect(await next(), `written ${i}`).toBe(true);
      writeFileSync(`${path}.tmp`, `a: ${i} renamed\n`);
      renameSync(`${path}.tmp`, path);
      expect(await next(), `renamed ${i}`).toBe(true);
      unlinkSync(path);
      expect(await next(), `deleted ${i}`).toBe(true);
      writeFileSync(path, `a: ${i} again\n`);
      expect(await next(), `again ${i}`).toBe(true);
      appendFileSync(path, 'b: 1\n');
      expect(await next(), `appended ${i}`).toBe(true);
    }
    expect(await quiet()).toBe(true);
  });

  it('is not reported when another file of its directory changes', async () => {
    const dir = folder();
    writeFileSync(join(dir, 's.yaml'), 'a: 0\n');
    const { quiet } = await watching(join(dir, 's.yaml'));
    writeFileSync(join(dir, 'app.log'), 'x');
    appendFileSync(join(dir, 'app.log'), 'y');
    expect(await quiet()).toBe(true);
  });

  it('is reported when it appears later', async () => {
    const dir = folder();
    const { next } = await watching(join(dir, 's.yaml'));
    writeFileSync(join(dir, 's.yaml'), 'a: 1\n');
    expect(await next()).toBe(true);
  });

  it('is reported each time the kubelet swaps ..data below it', async () => {
    const dir = folder();
    swap(dir, '..0', { 's.yaml': 'a: 0\n' });
    symlinkSync('..data/s.yaml', join(dir, 's.yaml'));
    const { next } = await watching(join(dir, 's.yaml'));
    for (let i = 1; i < 5; i++) {
      swap(dir, `..${i}`, { 's.yaml': `a: ${i}\n` });
      rmSync(join(dir, `..${i - 1}`), { recursive: true });
      expect(await next(), `swap ${i}`).toBe(true);
    }
  });

  it('is reported when the target of its symlink changes in another directory', async () => {
    const [dir, other, third] = [folder(), folder(), folder()];
    writeFileSync(join(other, 'real.yaml'), 'a: 0\n');
    writeFileSync(join(third, 'real.yaml'), 'a: other\n');
    symlinkSync(join(other, 'real.yaml'), join(dir, 's.yaml'));
    const { next } = await watching(join(dir, 's.yaml'));
    writeFileSync(join(other, 'real.yaml'), 'a: 1\n');
    expect(await next(), 'target written').toBe(true);
    symlinkSync(join(third, 'real.yaml'), join(dir, 'tmp'));
    renameSync(join(dir, 'tmp'), join(dir, 's.yaml'));
    expect(await next(), 'link moved').toBe(true);
    writeFileSync(join(third, 'real.yaml'), 'a: 2\n');
    expect(await next(), 'new target written').toBe(true);
  });
});

describe('a watched directory', () => {
  const again: readonly [string, (dir: string) => void][] = [
    [
      'is removed and made again',
      (dir) => {
        rmSync(dir, { recursive: true });
        mkdirSync(dir);
      },
    ],
    [
      'is renamed and made again',
      (dir) => {
        renameSync(dir, `${dir}.old`);
        mkdirSync(dir);
      },
    ],
    [
      'is exchanged for one that was made beside it',
      (dir) => {
        mkdirSync(`${dir}.new`);
        renameSync(dir, `${dir}.old`);
        renameSync(`${dir}.new`, dir);
      },
    ],
  ];

  it.each(again)('that %s is watched again, when it holds a watched file', async (_title, replace) => {
    const base = folder();
    const dir = join(base, 'in');
    mkdirSync(dir);
    writeFileSync(join(dir, 's.yaml'), 'a: 0\n');
    const { next, quiet } = await watching(join(dir, 's.yaml'));
    replace(dir);
    expect(await next(), 'gone').toBe(true);
    for (let i = 1; i < 4; i++) {
      writeFileSync(join(dir, 's.yaml'), `a: ${i}${'x'.repeat(i)}\n`);
      expect(await next(), `written ${i}`).toBe(true);
    }
    expect(await quiet()).toBe(true);
  });

  it.each(again)('that %s is watched again, when it is a folder of secrets', async (_title, replace) => {
    const base = folder();
    const dir = join(base, 'in');
    mkdirSync(dir);
    writeFileSync(join(dir, 'a'), '0');
    const { next, quiet } = await watching(dir);
    replace(dir);
    expect(await next(), 'gone').toBe(true);
    for (let i = 1; i < 4; i++) {
      writeFileSync(join(dir, 'a'), String(i));
      expect(await next(), `written ${i}`).toBe(true);
    }
    expect(await quiet()).toBe(true);
  });

  it('that was gone for long, with its parent, is watched when it is back', async () => {
    const base = folder();
    const dir = join(base, 'outer', 'in');
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 's.yaml'), 'a: 0\n');
    const { next } = await watching(join(dir, 's.yaml'));
    rmSync(join(base, 'outer'), { recursive: true });
    expect(await next(), 'gone').toBe(true);
    await nap(1_500);
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 's.yaml'), 'a: 1\n');
    expect(await next(), 'back').toBe(true);
    writeFileSync(join(dir, 's.yaml'), 'a: 22\n');
    expect(await next(), 'written').toBe(true);
  });

  it('that was replaced by renaming a directory above it is noticed at the next check', async () => {
    const base = folder();
    const make = (name: string, text: string) => {
      mkdirSync(join(base, name, 'in'), { recursive: true });
      writeFileSync(join(base, name, 'in', 's.yaml'), text);
    };
    make('outer', 'a: 0\n');
    make('new', 'a: 1\n');
    const clock = new FakeClock();
    const { next } = await watching(join(base, 'outer', 'in', 's.yaml'), clock);
    renameSync(join(base, 'outer'), join(base, 'old'));
    renameSync(join(base, 'new'), join(base, 'outer'));
    await clock.advance(30_000);
    expect(await next(), 'exchanged').toBe(true);
    writeFileSync(join(base, 'outer', 'in', 's.yaml'), 'a: 222\n');
    expect(await next(), 'written').toBe(true);
  });

  it('that is the target of a symlink is watched again after it was made again', async () => {
    const [dir, base] = [folder(), folder()];
    const real = join(base, 'real');
    mkdirSync(real);
    writeFileSync(join(real, 's.yaml'), 'a: 0\n');
    symlinkSync(join(real, 's.yaml'), join(dir, 's.yaml'));
    const { next } = await watching(join(dir, 's.yaml'));
    rmSync(real, { recursive: true });
    expect(await next(), 'gone').toBe(true);
    mkdirSync(real);
    writeFileSync(join(real, 's.yaml'), 'a: 1\n');
    expect(await next(), 'back').toBe(true);
    writeFileSync(join(real, 's.yaml'), 'a: 22\n');
    expect(await next(), 'written').toBe(true);
  });
});

describe('a watched folder', () => {
  it('is reported for its files, its subfolders and their files, and for deletions', async () => {
    const dir = folder();
    const { next, quiet } = await watching(dir);
    writeFileSync(join(dir, 'token'), 'x');
    expect(await next(), 'file').toBe(true);
    mkdirSync(join(dir, 'db'));
    expect(await next(), 'subfolder').toBe(true);
    writeFileSync(join(dir, 'db', 'user'), 'u');
    expect(await next(), 'file in it').toBe(true);
    writeFileSync(join(dir, 'db', 'user'), 'v');
    expect(await next(), 'written').toBe(true);
    rmSync(join(dir, 'db'), { recursive: true });
    expect(await next(), 'gone').toBe(true);
    expect(await quiet()).toBe(true);
  });

  it('is reported each time the kubelet swaps ..data in it', async () => {
    const dir = folder();
    swap(dir, '..0', { user: '0' });
    symlinkSync('..data/user', join(dir, 'user'));
    const { next } = await watching(dir);
    for (let i = 1; i < 5; i++) {
      swap(dir, `..${i}`, { user: String(i) });
      rmSync(join(dir, `..${i - 1}`), { recursive: true });
      expect(await next(), `swap ${i}`).toBe(true);
    }
  });
});

it('a disposed watch reports nothing more', async () => {
  const path = join(folder(), 's.yaml');
  writeFileSync(path, 'a: 0\n');
  const { watch, quiet } = await watching(path);
  watch?.[Symbol.dispose]();
  writeFileSync(path, 'a: 1\n');
  expect(await quiet()).toBe(true);
});
