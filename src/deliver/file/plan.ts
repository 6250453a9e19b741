import type { OutputConfig } from '../../config/config.ts';
import { firstComponent } from './names.ts';

const NOTHING = new Uint8Array();

/** The owner of a file or folder. An undefined id stays as the file system sets it. */
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

/** What a generation shall be on disk. */
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
 * Mode and owner of an output's directory when it has to be made: `dirMode`, else 0700, with the output's owner. A
 * configured `gid` with a group-readable mode says who shall read, and 0700 would lock that group out, so it gets r and
 * x (0750); likewise the mode is 0711 when a file has an owner of its own. A mode alone (0440, 0444) opens nothing:
 * that is what `dirMode` is for.
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

/** A folder's owner. Without a `gid` of the output it is the group of all group-readable files, if they share one. */
function folderOwner(output: OutputConfig, files: readonly PlannedFile[]): FileOwner {
  const groups = new Set(files.filter(({ mode }) => mode & 0o040).map(({ owner }) => owner.gid));
  const [only] = groups;
  return { uid: output.uid, gid: output.gid ?? (groups.size === 1 ? only : undefined) };
}

/**
 * Lets every user who may read a file reach it: the folder has x (and r, to list) wherever a file has r, and always for
 * its owner. A reader of a file whose owner or group differs from the folder's is "other" there, or in its group by
 * chance: both classes get x, which opens a known name and lists nothing.
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
