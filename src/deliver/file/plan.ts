import type { OutputConfig } from '../../config/config.ts';
import { firstComponent } from './names.ts';

const NOTHING = new Uint8Array();

/** Absent ids are what the file system gives by itself. */
export interface FileOwner {
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

export interface PlannedFile {
  /** Relative to the generation. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly mode: number;
  readonly owner: FileOwner;
}

export interface PlannedFolder {
  /** Relative to the generation; empty for the generation's directory itself. */
  readonly name: string;
  readonly mode: number;
  readonly owner: FileOwner;
}

/** One generation as it shall stand on disk. */
export interface GenerationPlan {
  readonly files: readonly PlannedFile[];
  /** Parents before children; the first is the generation's directory. */
  readonly folders: readonly PlannedFolder[];
  /** First components of the names: the top-level links. */
  readonly links: ReadonlySet<string>;
}

/** @throws TypeError for a name that the configuration would have refused. */
export function planGeneration(output: OutputConfig, files: ReadonlyMap<string, Uint8Array>): GenerationPlan {
  const planned: PlannedFile[] = [];
  for (const [name, bytes] of files) {
    checkName(name);
    const own = output.files.get(name);
    const owner = { uid: own?.uid ?? output.uid, gid: own?.gid ?? output.gid };
    planned.push({ name, bytes, mode: own?.mode ?? output.mode, owner });
  }
  return {
    files: planned,
    folders: planFolders(output, planned),
    links: new Set(planned.map(({ name }) => firstComponent(name))),
  };
}

/**
 * An output's directory when it has to be made: `dirMode`, else 0700, with the output's owner. A `gid` in the
 * configuration beside a group-readable mode says who shall read, and 0700 would lock exactly them out, so that class
 * gets r and x too (0750); likewise 0711 when a single file has an owner of its own. A mode alone (0440, 0444) opens
 * nothing: that is what `dirMode` is for.
 */
export function planNewDir(output: OutputConfig): Omit<PlannedFolder, 'name'> {
  const shared = [...output.files].map(([name, own]) => {
    const owner = { uid: own.uid ?? output.uid, gid: own.gid ?? output.gid };
    const mode = (own.mode ?? output.mode) & (owner.gid === undefined ? 0o700 : 0o770);
    return { name, bytes: NOTHING, mode, owner };
  });
  const owner = folderOwner(output, shared);
  return { mode: output.dirMode ?? folderMode(shared, owner), owner };
}

function planFolders(output: OutputConfig, files: readonly PlannedFile[]): PlannedFolder[] {
  const below = new Map<string, PlannedFile[]>([['', [...files]]]);
  for (const file of files) {
    for (let slash = file.name.indexOf('/'); slash !== -1; slash = file.name.indexOf('/', slash + 1)) {
      const folder = file.name.slice(0, slash);
      const inside = below.get(folder);
      if (inside === undefined) below.set(folder, [file]);
      else inside.push(file);
    }
  }
  return [...below].map(([name, inside]) => {
    const owner = folderOwner(output, inside);
    return { name, owner, mode: folderMode(inside, owner) };
  });
}

/** Without a gid of the output: the one group that all group-readable files name, if they do. */
function folderOwner(output: OutputConfig, files: readonly PlannedFile[]): FileOwner {
  const groups = new Set(files.filter(({ mode }) => mode & 0o040).map(({ owner }) => owner.gid));
  const [only] = groups;
  return { uid: output.uid, gid: output.gid ?? (groups.size === 1 ? only : undefined) };
}

/**
 * Whoever may read a file may reach it: x (and r, to list) wherever a file has r, for the owner always. A reader by
 * another owner or group than the folder's is "other" there, or in its group by chance: both get x, which opens a name
 * that is known and lists nothing.
 */
function folderMode(files: readonly PlannedFile[], folder: FileOwner): number {
  let mode = 0o700;
  for (const file of files) {
    if (file.mode & 0o040) mode |= file.owner.gid === folder.gid ? 0o050 : 0o011;
    if (file.mode & 0o004) mode |= 0o005;
    if (file.mode & 0o400 && file.owner.uid !== folder.uid) mode |= 0o011;
  }
  return mode;
}

function checkName(name: string): void {
  const parts = name.split('/');
  const bad = parts.some((part) => part === '' || part === '.' || part === '..');
  if (bad || name.startsWith('..') || name.includes('\0')) throw new TypeError('not a name for an output file');
}
