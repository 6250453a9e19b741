import fs, { constants, type PathLike, type Stats } from 'node:fs';
import {
  access,
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  rename,
  rmdir,
  statfs,
  symlink,
  unlink,
} from 'node:fs/promises';
import { errnoOf } from '../../base/errno.ts';

/** An implementation may answer at once or later; callers await. */
type Late<T> = T | Promise<T>;

/** An open file or folder. */
export interface DiskHandle {
  readonly fd: number;
  read(into: Uint8Array, offset: number, length: number, position: number | null): Late<{ readonly bytesRead: number }>;
  chmod(mode: number): Late<void>;
  chown(uid: number, gid: number): Late<void>;
  stat(): Late<Stats>;
  sync(): Late<void>;
  close(): Late<void>;
}

/** What a new file is to be. */
export interface NewFile {
  readonly bytes: Uint8Array;
  readonly mode: number;
  /** An undefined id stays as the file system sets it. */
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** Syncs the bytes to the disk. */
  readonly sync: boolean;
}

/**
 * The calls to the file system that an output needs. Each does what its namesake in node:fs/promises does, where it has
 * one.
 */
export interface Disk {
  /**
   * Makes a file where nothing is yet: bytes, then owner, then mode, so that no user can read the file before its owner
   * and mode are right. The umask does not limit the mode.
   */
  create(path: string, file: NewFile): Late<void>;
  access(path: PathLike, mode: number): Late<void>;
  open(path: PathLike, flags: number, mode?: number): Late<DiskHandle>;
  lstat(path: PathLike): Late<Stats>;
  mkdir(path: PathLike, options: { readonly mode: number }): Late<unknown>;
  readdir(path: PathLike): Late<string[]>;
  /** As `readdir` with file types. */
  entries(path: PathLike): Late<fs.Dirent[]>;
  readlink(path: PathLike): Late<string>;
  symlink(target: string, path: PathLike): Late<void>;
  rename(from: PathLike, to: PathLike): Late<void>;
  unlink(path: PathLike): Late<void>;
  rmdir(path: PathLike): Late<void>;
  statfs(path: PathLike): Late<{ readonly type: number }>;
}

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
const CREATE = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;

/** Makes every call in Node's thread pool, since a disk may be slow and a network file system may hang. */
export const slowDisk: Disk = {
  create: async (path, { bytes, mode, uid, gid, sync }) => {
    const file = await open(path, CREATE, 0o600);
    try {
      await file.writeFile(bytes);
      if (uid !== undefined || gid !== undefined) await file.chown(uid ?? -1, gid ?? -1);
      await file.chmod(mode);
      if (sync) await syncOf(file);
    } finally {
      await file.close();
    }
  },
  access: (path, mode) => access(path, mode),
  open: (path, flags, mode) => open(path, flags, mode),
  lstat: (path) => lstat(path),
  mkdir: (path, options) => mkdir(path, options),
  readdir: (path) => readdir(path),
  entries: (path) => readdir(path, { withFileTypes: true }),
  readlink: (path) => readlink(path),
  symlink: (target, path) => symlink(target, path),
  rename: (from, to) => rename(from, to),
  unlink: (path) => unlink(path),
  rmdir: (path) => rmdir(path),
  statfs: (path) => statfs(path),
};

/**
 * Makes every call synchronously, for tmpfs: memory answers within microseconds, and the thread pool adds a hundred.
 * Publishing 1,000 files took 60 to 123 ms with the pool and takes 23 to 41 ms without it.
 */
export const memoryDisk: Disk = {
  create: (path, { bytes, mode, uid, gid }) => {
    const fd = fs.openSync(path, CREATE, 0o600);
    try {
      fs.writeFileSync(fd, bytes);
      if (uid !== undefined || gid !== undefined) fs.fchownSync(fd, uid ?? -1, gid ?? -1);
      fs.fchmodSync(fd, mode);
    } finally {
      fs.closeSync(fd);
    }
  },
  access: (path, mode) => fs.accessSync(path, mode),
  open: (path, flags, mode) => new MemoryHandle(fs.openSync(path, flags, mode)),
  lstat: (path) => fs.lstatSync(path),
  mkdir: (path, options) => fs.mkdirSync(path, options),
  readdir: (path) => fs.readdirSync(path),
  entries: (path) => fs.readdirSync(path, { withFileTypes: true }),
  readlink: (path) => fs.readlinkSync(path),
  symlink: (target, path) => fs.symlinkSync(target, path),
  rename: (from, to) => fs.renameSync(from, to),
  unlink: (path) => fs.unlinkSync(path),
  rmdir: (path) => fs.rmdirSync(path),
  statfs: (path) => fs.statfsSync(path),
};

/** Calls fsync; does nothing where the file system does not support it. */
export async function syncOf(handle: Pick<DiskHandle, 'sync'>): Promise<void> {
  try {
    await handle.sync();
  } catch (error) {
    if (errnoOf(error) !== 'EINVAL') throw error;
  }
}

class MemoryHandle implements DiskHandle {
  readonly fd: number;

  constructor(fd: number) {
    this.fd = fd;
  }

  read(into: Uint8Array, offset: number, length: number, position: number | null) {
    return { bytesRead: fs.readSync(this.fd, into, offset, length, position) };
  }

  chmod(mode: number): void {
    fs.fchmodSync(this.fd, mode);
  }

  chown(uid: number, gid: number): void {
    fs.fchownSync(this.fd, uid, gid);
  }

  stat(): Stats {
    return fs.fstatSync(this.fd);
  }

  sync(): void {
    fs.fsyncSync(this.fd);
  }

  close(): void {
    fs.closeSync(this.fd);
  }
}
