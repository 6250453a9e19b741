import { readdir, readFile, readlink, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { accessIssue } from '../../base/access-issue.ts';
import { errnoOf } from '../../base/errno.ts';
import { type Failure, fail, failure } from '../../base/errors.ts';
import type { Examination } from '../../base/examination.ts';
import { type HeldFolder, holdFolder, isMemory, mayOthersWrite } from '../../base/held-folder.ts';
import type { OutputConfig } from '../../config/config.ts';
import type { PublishedFiles } from '../../deliver/file/published.ts';

/** What the sink of an output looks at its directory with. */
const loadSink = () => import('../../deliver/file/file-sink.ts');

/** A volume with less room is nearly full. */
const LITTLE_BYTES = 1024 * 1024;

/** Looks at the directory of an output as a start does, and makes nothing. */
export async function checkDestination(examination: Examination, output: OutputConfig): Promise<void> {
  const { dir, name } = output;
  const place = `outputs.${name}`;
  let isMissing = false;
  let at = dir;
  const isUsable = await examination.run('destination', `${place}.dir`, async () => {
    try {
      const { openVolume } = await loadSink();
      const { held } = await openVolume(output, dir, `${place}.dir`, false);
      await using folder = held;
      await refuseKernelFiles(dir, dir, `${place}.dir`);
      return describeFolder(folder, dir, `${place}.dir`);
    } catch (error) {
      if (!(await isAbsent(dir))) throw error;
      isMissing = true;
      at = await nearestFolder(dir, `${place}.dir`);
      return `${dir} does not exist; it can be made in ${at}`;
    }
  });
  const rest = ['tmpfs', 'owner', 'space', 'leftovers'];
  if (!isUsable) {
    for (const check of rest) examination.skip(check, place, 'the directory cannot be used');
    return;
  }
  await examination.run('tmpfs', `${place}.dir`, () => checkMemory(at, output, `${place}.dir`));
  await examination.run('owner', place, () => checkOwner(output, place));
  await examination.run('space', `${place}.dir`, () => checkSpace(at, `${place}.dir`));
  if (!isMissing) await examination.run('leftovers', `${place}.dir`, () => checkContent(output, `${place}.dir`));
}

function describeFolder(folder: HeldFolder, dir: string, place: string): string | Failure {
  const { mode } = folder.stats;
  const bits = (mode & 0o7777).toString(8).padStart(4, '0');
  if (!mayOthersWrite(folder.stats) || (mode & 0o1000) !== 0) return `${dir} can be written (mode ${bits})`;
  const hint = 'Let only the user of the agent write there; readers need r and x.';
  return failure('CONFIG_DIR_MODE', place, `other users can write in ${dir} (mode ${bits})`, { hint });
}

const isAbsent = async (path: string): Promise<boolean> => {
  try {
    await readlink(path);
    return false;
  } catch (error) {
    return errnoOf(error) === 'ENOENT';
  }
};

/** File systems by which the kernel shows itself, by their numbers in statfs(2): nobody can make a file there. */
const OF_KERNEL: ReadonlyMap<number, string> = new Map([
  [0x9fa0, 'proc'],
  [0x62656572, 'sysfs'],
  [0x27e0eb, 'cgroup'],
  [0x63677270, 'cgroup2'],
  [0x64626720, 'debugfs'],
  [0x74726163, 'tracefs'],
  [0x73636673, 'securityfs'],
  [0x1cd1, 'devpts'],
]);

/** @throws PannierError OUTPUT_NOT_WRITABLE when `at` is on a file system of the kernel. */
async function refuseKernelFiles(at: string, dir: string, place: string): Promise<void> {
  const name = process.platform === 'linux' ? OF_KERNEL.get((await statfs(at)).type) : undefined;
  if (name === undefined) return;
  throw fail(
    'OUTPUT_NOT_WRITABLE',
    place,
    `${dir} is in ${at}, where the kernel shows itself (${name}): no file can be made there`,
  );
}

/**
 * The folder in which the missing part of the path would be made.
 * @throws PannierError OUTPUT_NOT_WRITABLE when it cannot be made there.
 */
async function nearestFolder(dir: string, place: string): Promise<string> {
  let at = dirname(dir);
  while (at !== '/' && (await isAbsent(at))) at = dirname(at);
  await refuseKernelFiles(at, dir, place);
  await using held = await holdFolder(at);
  const why = await accessIssue(held.at);
  if (why === undefined) return at;
  throw fail('OUTPUT_NOT_WRITABLE', place, `${dir} does not exist, and cannot be made in ${at}: ${why}`);
}

async function checkMemory(at: string, { requireTmpfs }: OutputConfig, place: string): Promise<string | Failure> {
  if (process.platform !== 'linux') return 'only Linux tells whether it is on tmpfs';
  if (isMemory((await statfs(at)).type)) return `${at} is on tmpfs`;
  if (requireTmpfs) throw fail('OUTPUT_NOT_TMPFS', place, `${at} is not on tmpfs, which requireTmpfs asks for`);
  return failure('OUTPUT_NOT_TMPFS', place, `${at} is not on tmpfs: secrets are written to a disk`);
}

/** Whether files can get the configured owners: root may set any, other users only their own groups. */
async function checkOwner(output: OutputConfig, place: string): Promise<string> {
  const own = process.geteuid?.();
  if (own === undefined) return 'this system has no owners';
  const wanted = [output, ...output.files.values()];
  const groups = new Set([process.getegid?.(), ...(process.getgroups?.() ?? [])]);
  if (await mayChown()) return `files can get any owner (user ${own})`;
  for (const { uid, gid } of wanted) {
    if (uid !== undefined && uid !== own) {
      const hint = 'Run the agent as that user, or give it CAP_CHOWN.';
      throw fail('OUTPUT_OWNER', place, `user ${own} cannot give files to user ${uid}`, { hint });
    }
    if (gid !== undefined && !groups.has(gid)) {
      const hint = 'Run the agent with that group (supplementalGroups), or give it CAP_CHOWN.';
      throw fail('OUTPUT_OWNER', place, `user ${own} is not in the group ${gid}`, { hint });
    }
  }
  return `files belong to user ${own}`;
}

/** Bit 0 of the effective capabilities: capabilities(7). */
async function mayChown(): Promise<boolean> {
  const status = await readFile('/proc/self/status', 'latin1').catch(() => '');
  const hex = /^CapEff:\t([0-9a-f]+)$/m.exec(status)?.[1];
  return hex === undefined ? process.geteuid?.() === 0 : (BigInt(`0x${hex}`) & 1n) === 1n;
}

async function checkSpace(at: string, place: string): Promise<string | Failure> {
  const { blocks, bavail, bsize, files, ffree } = await statfs(at);
  if (blocks === 0) return `the file system at ${at} does not say how much room is left`;
  const bytes = bavail * bsize;
  if (bytes === 0) throw fail('OUTPUT_FULL', place, `no space is left at ${at}`);
  if (files > 0 && ffree === 0) throw fail('OUTPUT_FULL', place, `no more files can be made at ${at}`);
  const left = `${Math.floor(bytes / 1024 ** 2)} MiB`;
  return bytes < LITTLE_BYTES ? failure('OUTPUT_FULL', place, `less than 1 MiB is left at ${at}`) : `${left} are left`;
}

/** What is in the directory: names that are taken, and what another program or a killed agent left. */
async function checkContent(output: OutputConfig, place: string): Promise<string | Failure> {
  const { dir } = output;
  const { Folder, generationName, generationNumber, openVolume, planLinks, readMark, readPublished } = await loadSink();
  const { volume, held } = await openVolume(output, dir, place, false);
  await using kept = held;
  const folder = new Folder(kept.at, { path: dir, place, disk: volume.disk, stats: kept.stats });
  const names = new Set(await readdir(kept.at));
  const tops = new Set([...output.files.keys()].map((name) => name.split('/', 1)[0] ?? ''));
  await planLinks(volume.disk, folder, tops, place, { present: names });
  const published = await readPublished(volume.disk, folder, place, names);
  if (published.state === 'foreign') {
    const hint = 'Unmount what is there (a Secret volume of Kubernetes?), or name another directory.';
    return failure('OUTPUT_OCCUPIED', place, `${await shownData(dir, kept.at)} was made by another program`, {
      hint,
    });
  }
  const left = [...names].filter((name) => isLeftover(name, generationNumber(name), published));
  const foreign = [...names].filter((name) => !name.startsWith('..') && !output.files.has(name));
  const state =
    published.state === 'there' ? `generation ${published.generation} is published` : 'nothing is published yet';
  const mark = await readMark(volume.disk, folder);
  const taken = mark?.held;
  if (taken !== undefined && names.has(generationName(taken)) && published.state === 'there') {
    const seen = `${state}; generation ${taken} was taken back, and is held back since`;
    if (taken !== published.generation) return failure('OUTPUT_HELD', `outputs.${output.name}`, seen);
  }
  const others = foreign.length === 0 ? '' : `; ${foreign.length} other names are there and stay`;
  if (left.length === 0) return `${state}${others}`;
  const hint = 'Nothing to do: the next start removes it, unless an agent is publishing right now.';
  return failure('OUTPUT_OCCUPIED', place, `${state}; a killed agent left ${left.slice(0, 5).join(', ')}`, { hint });
}

/** Where the `..data` of another program leads. */
async function shownData(dir: string, at: string): Promise<string> {
  const target = await readlink(`${at}/..data`).catch(() => undefined);
  const shown = target?.replace(/[^\x20-\x7e]/g, '?').slice(0, 100);
  return `${dir}/..data, which ${shown === undefined ? 'is not a symlink' : `leads to ${shown}`},`;
}

/** Whether a kill left it: a temporary name, or a generation that was never published. */
function isLeftover(name: string, generation: number | undefined, published: PublishedFiles): boolean {
  if (generation === undefined) return /^\.\.(owner_.*|.*_tmp)$/.test(name);
  return published.state === 'there' ? generation > published.generation : true;
}
