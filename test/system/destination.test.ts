import { spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, statfs, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Place } from './agent.helpers.ts';
import { outputsOf, writePassword } from './file-backend.helpers.ts';
import { failuresOf, published, useScene } from './openbao.helpers.ts';

const scene = useScene();
const NOBODY = { uid: 65_534, gid: 65_534 };
const isRoot = process.getuid?.() === 0;
const TMPFS = 0x01021994;

/** Mounts a tmpfs on a new directory of the place; undefined where that is not allowed. */
async function mountTmpfs({ dir }: Place, size: string): Promise<string | undefined> {
  const path = join(dir, 'mounted');
  await mkdir(path);
  if (mount('-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path) !== 0) return undefined;
  scene.keep({ [Symbol.asyncDispose]: async () => void spawnSync('umount', ['-l', path]) });
  return path;
}

function mount(...args: string[]): number | null {
  return spawnSync('mount', args).status;
}

async function placeWith(password: string): Promise<Place> {
  const place = await scene.place();
  await writePassword(place, password);
  return place;
}

describe('a destination that hinders publishing', () => {
  it("other entries with the names of Pannier's files are never replaced or followed; other outputs go on", async () => {
    const place = await placeWith('one');
    const { dir } = place;
    await writeFile(join(dir, 'theirs'), 'theirs');
    for (const name of ['file', 'link', 'data', 'elsewhere']) await mkdir(join(dir, name));
    await writeFile(join(dir, 'file/password'), 'theirs');
    await symlink('../theirs', join(dir, 'link/password'));
    await mkdir(join(dir, 'data/..data'));
    await symlink('elsewhere', join(dir, 'linked'));
    await writeFile(join(dir, 'plain'), 'theirs');
    const config = await place.config(
      outputsOf(dir, { file: {}, link: {}, data: {}, linked: {}, plain: {}, good: {} }),
    );

    const init = await scene.init(config, '1h');
    expect(init.status).toBe(1);
    const wanted = [
      { code: 'OUTPUT_OCCUPIED', place: 'outputs.data', seen: `${dir}/data/..data is not a symlink` },
      { code: 'OUTPUT_OCCUPIED', place: 'outputs.file', seen: `${dir}/file/password was not written by Pannier` },
      { code: 'OUTPUT_SYMLINK', place: 'outputs.link', seen: `${dir}/link/password is a symlink that leads elsewhere` },
      { code: 'OUTPUT_SYMLINK', place: 'outputs.linked', seen: `${dir}/linked is a symlink` },
      { code: 'OUTPUT_OCCUPIED', place: 'outputs.plain', seen: `${dir}/plain is not a directory` },
    ];
    const sorted = [...failuresOf(init)].sort((a, b) => (a.place < b.place ? -1 : 1));
    expect(sorted.map(({ code, place, seen }) => ({ code, place, seen }))).toEqual(wanted);
    for (const { hint } of sorted) expect(hint).toMatch(/^Remove/);
    expect(published(join(dir, 'good'))).toEqual({ password: 'one' });

    const agent = scene.run(config);
    await agent.waitFor('output-failed', { count: 5 });
    for (const name of ['file/password', 'link/password', 'data/..data', 'linked', 'plain']) {
      await rm(join(dir, name), { recursive: true });
    }
    await agent.waitFor('output-published', { count: 5 });
    for (const { code } of wanted) expect(agent.facts('output-failed').map((line) => line['code'])).toContain(code);
    expect(published(join(dir, 'link'))).toEqual({ password: 'one' });
    expect(await readFile(join(dir, 'theirs'), 'utf8')).toBe('theirs');
  });

  it('a directory of another user is reported, tried again, and published into when its owner has changed', async (context) => {
    context.skip(!isRoot, 'only root can start the agent as another user');
    const place = await placeWith('one');
    await chmod(place.dir, 0o755);
    const dir = join(place.dir, 'out');
    const config = await place.config(outputsOf(place.dir, { out: { mode: '0444', dirMode: '0755' } }));
    expect((await scene.init(config)).status).toBe(0);
    await writePassword(place, 'two');
    const init = await scene.init(config, '1h', NOBODY);
    const hint = 'Check its mount, owner and mode.';
    expect([init.status, failuresOf(init)]).toEqual([
      1,
      [{ code: 'OUTPUT_NOT_WRITABLE', place: 'outputs.out', seen: `cannot use ${dir} (EACCES)`, hint }],
    ]);
    const agent = scene.run(config, NOBODY);
    await agent.waitFor('output-failed', { count: 2 });
    for (const { retryInMs } of agent.facts('output-failed')) expect(retryInMs).toBeGreaterThanOrEqual(250);
    expect(published(dir)).toEqual({ password: 'one' });
    await chown(dir, NOBODY.uid, NOBODY.gid);
    await agent.waitFor('output-published');
    expect(published(dir)).toEqual({ password: 'two' });
  });

  it('a mount that is read-only: the files stay, and the next generation comes when it can be written', async (context) => {
    const place = await placeWith('one');
    const mounted = await mountTmpfs(place, '1m');
    if (mounted === undefined) return context.skip('nothing can be mounted here');
    const config = await place.config(outputsOf(mounted, { out: {} }));
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    expect(mount('-o', 'remount,ro', mounted)).toBe(0);
    await writePassword(place, 'two');
    const failed = await agent.waitFor('output-failed');
    expect(failed).toMatchObject({ code: 'OUTPUT_NOT_WRITABLE', place: 'outputs.out' });
    expect(failed['seen']).toMatch(/EROFS/);
    const init = await scene.init(config, '1h');
    expect([init.status, failuresOf(init).map(({ code }) => code)]).toEqual([1, ['OUTPUT_NOT_WRITABLE']]);
    expect(published(join(mounted, 'out'))).toEqual({ password: 'one' });
    expect(mount('-o', 'remount,rw', mounted)).toBe(0);
    await agent.waitFor('output-published', { count: 2 });
    expect(published(join(mounted, 'out'))).toEqual({ password: 'two' });
  });

  it('a volume that is full: the files stay whole, and a value that fits is published', async (context) => {
    const place = await placeWith('one');
    const mounted = await mountTmpfs(place, '64k');
    if (mounted === undefined) return context.skip('nothing can be mounted here');
    const config = await place.config(outputsOf(mounted, { out: {} }));
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    await writePassword(place, 'x'.repeat(200_000));
    const failed = await agent.waitFor('output-failed');
    expect(failed).toMatchObject({ code: 'OUTPUT_FULL', place: 'outputs.out', hint: 'Raise the size of the volume.' });
    expect(published(join(mounted, 'out'))).toEqual({ password: 'one' });
    await writePassword(place, 'two');
    await agent.waitFor('output-published', { count: 2 });
    expect(published(join(mounted, 'out'))).toEqual({ password: 'two' });
  });
});

describe('a destination that is not on tmpfs', () => {
  it('is a warning, and with requireTmpfs init and run refuse it with status 1', async (context) => {
    const disk = await mkdtemp(join(tmpdir(), 'pannier-disk-'));
    scene.keep({ [Symbol.asyncDispose]: () => rm(disk, { recursive: true }) });
    context.skip((await statfs(disk)).type === TMPFS, 'the temporary directory is on tmpfs');
    const place = await placeWith('one');
    const relaxed = await scene.init(await place.config(outputsOf(disk, { out: {} })));
    expect(relaxed.status).toBe(0);
    const [warning] = relaxed.facts('agent-warning');
    expect(warning).toMatchObject({ level: 'warn', code: 'OUTPUT_NOT_TMPFS', place: 'outputs.out.dir' });

    const strict = await place.config(outputsOf(disk, { out: { requireTmpfs: true } }));
    const init = await scene.init(strict, '1h');
    const run = scene.run(strict);
    expect([init.status, await run.ended]).toEqual([1, 1]);
    for (const agent of [init, run]) {
      expect(failuresOf(agent)).toEqual([
        {
          code: 'OUTPUT_NOT_TMPFS',
          place: 'outputs.out',
          seen: `${disk}/out is not on tmpfs`,
          hint: 'Put dir below /run, on a mount of type tmpfs, or in an emptyDir with medium: Memory.',
        },
      ]);
    }
    expect(published(join(disk, 'out'))).toEqual({ password: 'one' });
  });
});
