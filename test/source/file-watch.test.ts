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
import { systemClock } from '../../src/base/clock.ts';
import type { Fact } from '../../src/base/fact.ts';
import { Releases } from '../../src/base/releases.ts';
import { createFileBackend } from '../../src/source/file.ts';
import type { Want } from '../../src/source/source.ts';
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

/** Watches `path`; `next` resolves to true when a change is told within two seconds, `quiet` when none is in 300 ms. */
async function watching(path: string) {
  const facts: Fact[] = [];
  const backend = createFileBackend(
    { kind: 'file', name: 'l', path },
    { emit: (f) => facts.push(f), clock: systemClock },
  );
  releases.push(async () => backend[Symbol.asyncDispose]());
  const request = { kind: 'file', key: 'a' } as const;
  const want: Want = { id: 'a', backend: 'l', request, place: 'secrets.a', refreshMs: 1e6, optional: false };
  let told = 0;
  const watch = backend.source.watch?.(want, () => told++);
  for (let i = 0; i < 100 && told === 0; i++) await nap(20);
  expect(told, 'told once when the watch has begun').toBe(1);
  await nap(150);
  const next = async () => {
    const before = told;
    for (let i = 0; i < 100 && told === before; i++) await nap(20);
    const seen = told > before;
    await nap(150);
    return seen;
  };
  const quiet = async () => {
    const before = told;
    await nap(300);
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
  it('is told when it is written, renamed over, deleted and made again, each many times', async () => {
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

  it('is not told when another file of its directory changes', async () => {
    const dir = folder();
    writeFileSync(join(dir, 's.yaml'), 'a: 0\n');
    const { quiet } = await watching(join(dir, 's.yaml'));
    writeFileSync(join(dir, 'app.log'), 'x');
    appendFileSync(join(dir, 'app.log'), 'y');
    expect(await quiet()).toBe(true);
  });

  it('is told when it appears later', async () => {
    const dir = folder();
    const { next } = await watching(join(dir, 's.yaml'));
    writeFileSync(join(dir, 's.yaml'), 'a: 1\n');
    expect(await next()).toBe(true);
  });

  it('is told when the kubelet swaps ..data below it, again and again', async () => {
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

  it('is told when the target of its symlink changes in another directory', async () => {
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

describe('a watched folder', () => {
  it('is told of files, of subfolders and their files, and of deletions', async () => {
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

  it('is told when the kubelet swaps ..data in it, again and again', async () => {
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

it('a disposed watch tells nothing more', async () => {
  const path = join(folder(), 's.yaml');
  writeFileSync(path, 'a: 0\n');
  const { watch, quiet } = await watching(path);
  watch?.[Symbol.dispose]();
  writeFileSync(path, 'a: 1\n');
  expect(await quiet()).toBe(true);
});
