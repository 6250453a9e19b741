import { basename, dirname } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { fileStamp } from '../base/file-stamp.ts';
import { FileWatch } from '../base/file-watch.ts';
import { statInTime } from '../base/read-file.ts';
import { filesOfFolder } from '../config/load/find-files.ts';
import type { Plan } from './plan.ts';

/** Watches the files that a plan was read from: configuration files, their folders, and templates. */
export class PlanFiles implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #onChanged: () => void;
  readonly #watches = new Map<string, FileWatch>();

  /** @param onChanged called each time a file is another one than was read. */
  constructor(clock: Clock, onChanged: () => void) {
    this.#clock = clock;
    this.#onChanged = onChanged;
  }

  /** Watches the files of this plan from now on, and the files of the plan before no longer. */
  follow({ config, readAtWallMs }: Plan): void {
    const folders = new Set(config.folders);
    const paths = new Set([...config.files, ...templatesOf(config), ...folders]);
    for (const [path, watch] of this.#watches) {
      if (paths.has(path)) continue;
      this.#watches.delete(path);
      void watch[Symbol.asyncDispose]();
    }
    for (const path of paths) {
      if (this.#watches.has(path)) continue;
      const read = config.files.filter((file) => dirname(file) === path).map((file) => basename(file));
      const watch = folders.has(path)
        ? this.#watch(path, true, Promise.resolve(read.sort().join()), () => namesIn(path))
        : this.#watch(path, false, stampSince(path, readAtWallMs), () => stampSince(path, Number.POSITIVE_INFINITY));
      this.#watches.set(path, watch);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#watches.values()].map((watch) => watch[Symbol.asyncDispose]()));
  }

  /**
   * @param stamp of what the plan was read from.
   * @param stampNow stamp of what is there; another one tells of a change.
   */
  #watch(path: string, folder: boolean, stamp: Promise<string>, stampNow: () => Promise<string>): FileWatch {
    let last = stamp;
    const changed = () => {
      last = last.then(async (before) => {
        const now = await stampNow();
        if (now !== before) this.#onChanged();
        return now;
      });
    };
    return new FileWatch({ path, folder, clock: this.#clock, changed, lost: () => {} });
  }
}

/** File systems stamp with the kernel's tick, some milliseconds behind. */
const TICK_MS = 20;

/** The stamp of a file; empty when the file was written after `wallMs`, so that an older content may have been read. */
async function stampSince(path: string, wallMs: number): Promise<string> {
  const stats = await statInTime(path).catch(() => undefined);
  if (stats === undefined) return 'none';
  return stats.mtimeMs > wallMs - TICK_MS ? '' : fileStamp(stats);
}

/** The stamp of a folder: the names of its files, since each file is watched by itself. */
async function namesIn(folder: string): Promise<string> {
  try {
    return (await filesOfFolder(folder)).join();
  } catch {
    return 'none';
  }
}

function templatesOf({ outputs }: Plan['config']): readonly string[] {
  return [...outputs.values()].flatMap(({ files }) =>
    [...files.values()].flatMap(({ content }) => (content.kind === 'template' ? [content.path] : [])),
  );
}
