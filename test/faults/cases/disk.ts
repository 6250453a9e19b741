/** What the files are published on. */
import { spawnSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { eventually } from '../../system/agent.helpers.ts';
import type { FaultCase, Prepared, Scene, Setup } from '../case.ts';

const group = 'The volume of the files';
const on = 'OpenBao';
const mount = (...args: string[]) => spawnSync('mount', args).status === 0;

const placeOf = ({ dir }: Pick<Scene, 'dir'>) => join(dir, 'mounted');

/** An own tmpfs for the output. */
const onTmpfs = (options: string): Setup => ({
  out: 'mounted/out',
  prepare: async (scene: Prepared) => {
    await mkdir(placeOf(scene));
    mountAt(scene, options);
    scene.after(() => spawnSync('umount', ['-l', placeOf(scene)]));
    return {};
  },
});

function mountAt(scene: Pick<Scene, 'dir'>, options: string): void {
  if (!mount('-t', 'tmpfs', '-o', options, 'tmpfs', placeOf(scene))) throw new Error('tmpfs cannot be mounted');
}

async function fill(scene: Scene): Promise<void> {
  await writeFile(join(placeOf(scene), 'filler'), Buffer.alloc(1024 * 1024)).catch(() => undefined);
}

async function takeInodes(scene: Scene): Promise<void> {
  const folder = join(placeOf(scene), 'fillers');
  await mkdir(folder);
  for (let at = 0; ; at++) {
    try {
      await writeFile(join(folder, String(at)), '');
    } catch {
      return;
    }
  }
}

const full = { secret: 'fresh', output: 'failed', codes: ['OUTPUT_FULL'], ready: false } as const;

export const DISK: readonly FaultCase[] = [
  {
    id: 'volume-full',
    group,
    fault: 'the tmpfs is full',
    on,
    needs: 'mount',
    setup: onTmpfs('size=128k'),
    inject: fill,
    heal: (scene) => rm(join(placeOf(scene), 'filler')),
    expect: full,
  },
  {
    id: 'volume-out-of-inodes',
    group,
    fault: 'the tmpfs has no inodes left',
    on,
    needs: 'mount',
    setup: onTmpfs('size=1m,nr_inodes=60'),
    inject: takeInodes,
    heal: (scene) => rm(join(placeOf(scene), 'fillers'), { recursive: true }),
    expect: full,
  },
  {
    id: 'volume-read-only',
    group,
    fault: 'the tmpfs is read-only',
    on,
    needs: 'mount',
    setup: onTmpfs('size=1m'),
    inject: (scene) => expect(mount('-o', 'remount,ro', placeOf(scene))).toBe(true),
    heal: (scene) => expect(mount('-o', 'remount,rw', placeOf(scene))).toBe(true),
    expect: { ...full, codes: ['OUTPUT_NOT_WRITABLE'] },
  },
  {
    id: 'directory-removed',
    group,
    fault: 'the directory of the output is removed',
    on,
    inject: ({ out }) => rm(out, { recursive: true }),
    heal: () => undefined,
    recovers: ({ files, ...scene }) => eventually(() => expect(files.seen.last).toBe(scene.api.seen.last)),
    expect: { secret: 'fresh', rotated: 'in the fault', filesGo: true },
  },
  {
    id: 'volume-mounted-anew',
    group,
    fault: 'the tmpfs is unmounted, and an empty one is mounted',
    on,
    needs: 'mount',
    setup: onTmpfs('size=1m'),
    inject: (scene) => {
      spawnSync('umount', ['-l', placeOf(scene)]);
      mountAt(scene, 'size=1m');
    },
    heal: () => undefined,
    recovers: ({ files, ...scene }) => eventually(() => expect(files.seen.last).toBe(scene.api.seen.last)),
    expect: { secret: 'fresh', rotated: 'in the fault', filesGo: true },
  },
];
