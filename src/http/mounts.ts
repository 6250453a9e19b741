/** So many paths must have failed in a row before the failures of paths count as one of the backend. */
const MIN_PATHS = 5;

/** A mount that was asked within this time would have shown by now that the backend is well, or that it hangs. */
const LATELY_MS = 60_000;

/** How many paths of a mount are remembered; one with more has shown enough. */
const MAX_PATHS = 64;

/** What the requests to one mount have shown. */
export interface Mount {
  /** The first part of the paths; `auth` and `sys` for logins and the server itself, which hold no secrets. */
  readonly name: string;
  readonly paths: Set<string>;
  /** The paths that have failed since the last answer of the backend. */
  readonly failing: Set<string>;
  askedMonoMs: number;
  /** How many requests are under way; `RequestLimiter` counts them. */
  running: number;
  /** When a request got no answer in time. */
  hungMonoMs: number;
  /** While requests hang: the paths that were answered all the same. */
  readonly well: Set<string>;
  /** The circuit opened for this mount, and then another one answered. So its trouble is its own, until it answers. */
  isAlone: boolean;
}

/** The first part of a path, as far as a mount is known by its path alone. */
export function mountNameOf(path: string): string {
  return /^\/?(?:v1\/)?([^/]*)/.exec(path)?.[1] ?? '';
}

/** What is known of the mounts of a backend: it tells the trouble of one mount from that of the whole backend. */
export class Mounts {
  readonly #all = new Map<string, Mount>();

  /** The mount of a request. */
  of(path: string): Mount {
    const name = mountNameOf(path);
    const known = this.#all.get(name);
    if (known !== undefined) return known;
    const never = Number.NEGATIVE_INFINITY;
    const made: Mount = {
      ...{ name, paths: new Set(), failing: new Set(), well: new Set() },
      ...{ askedMonoMs: never, running: 0, hungMonoMs: never, isAlone: false },
    };
    this.#all.set(name, made);
    return made;
  }

  /** How many mounts have failed since the last answer, without those whose trouble is their own. */
  get failing(): number {
    return this.#counted.filter((mount) => mount.failing.size > 0 && holdsSecrets(mount)).length;
  }

  /**
   * Whether all that was asked lately fails, so that the backend does. A mount that is asked once an hour, such as that
   * of a lease, cannot tell. One path alone is not all where others are known.
   */
  allFail(nowMonoMs: number): boolean {
    const counted = this.#counted;
    const well = counted.filter(({ failing, askedMonoMs }) => failing.size === 0 && isLate(askedMonoMs, nowMonoMs));
    const failing = counted.filter((mount) => mount.failing.size > 0);
    const paths = Math.max(pathsOf([...failing, ...well]), Math.min(2, pathsOf(counted)));
    const failed = sum(failing, (mount) => mount.failing.size);
    if (failed < Math.min(MIN_PATHS, paths)) return false;
    return this.failing > 1 || !well.some(holdsSecrets);
  }

  /** How many requests are under way of mounts that hang. */
  hanging(nowMonoMs: number): number {
    return sum([...this.#all.values()], (mount) => (isLate(mount.hungMonoMs, nowMonoMs) ? mount.running : 0));
  }

  /** The backend has answered: no failure counts any longer. */
  forget(): void {
    for (const { failing } of this.#all.values()) failing.clear();
  }

  /** What fails, fails alone: another mount has answered. */
  setAlone(): void {
    for (const mount of this.#all.values()) if (mount.failing.size > 0) mount.isAlone = true;
  }

  get #counted(): Mount[] {
    return [...this.#all.values()].filter(({ isAlone }) => !isAlone);
  }
}

function holdsSecrets({ name }: Mount): boolean {
  return name !== 'auth' && name !== 'sys';
}

/** Notes whether a path was answered in time. */
export function noteTime(mount: Mount, path: string, inTime: boolean, nowMonoMs: number): void {
  const { well } = mount;
  const hangs = isLate(mount.hungMonoMs, nowMonoMs);
  if (inTime) {
    if (hangs) well.add(plain(path));
    return;
  }
  if (hangs) well.delete(plain(path));
  else well.clear();
  mount.hungMonoMs = nowMonoMs;
}

/** Whether a path may hang as others of its mount do: it was not answered since. */
export function mayHang({ hungMonoMs, well }: Mount, path: string, nowMonoMs: number): boolean {
  return isLate(hungMonoMs, nowMonoMs) && !well.has(plain(path));
}

function plain(path: string): string {
  return path.replace(/^\/?(?:v1\/)?/, '');
}

/** Notes one more path. */
export function note(paths: Set<string>, path: string): void {
  if (paths.size < MAX_PATHS) paths.add(path);
}

function isLate(atMonoMs: number, nowMonoMs: number): boolean {
  return nowMonoMs - atMonoMs <= LATELY_MS;
}

function pathsOf(mounts: readonly Mount[]): number {
  return sum(mounts, ({ paths }) => paths.size);
}

function sum(mounts: readonly Mount[], of: (mount: Mount) => number): number {
  return mounts.reduce((total, mount) => total + of(mount), 0);
}
