import { basename, dirname } from 'node:path';
import { type Failure, failure, failuresOf } from '../base/errors.ts';
import { FileWatch } from '../base/file-watch.ts';
import { statInTime } from '../base/read-file.ts';
import { filesOfFolder } from '../config/load/find-files.ts';
import type { ServiceManager } from '../process/service-manager.ts';
import type { Pipeline } from './pipeline.ts';
import type { Plan } from './plan.ts';

/** Where a configuration comes from, again and again. */
export interface ConfigSource {
  /** Reads and checks it anew. @throws ProblemsError or PannierError when it is not good. */
  load(): Promise<Plan>;
  /** Calls `asked` when somebody asks to read it again (SIGHUP). */
  onAsked(asked: () => void): Disposable;
  /** Told after a new configuration was taken. */
  onApplied(plan: Plan): void | Promise<void>;
}

export interface FollowOptions {
  readonly pipeline: Pipeline;
  /** The plan that is applied now. */
  readonly plan: Plan;
  readonly source: ConfigSource;
  readonly signal: AbortSignal;
  /** Told before a new configuration is read, and after it was taken or refused. */
  readonly manager?: Pick<ServiceManager, 'reloading' | 'reloaded'> | undefined;
}

/** Changes of several files within this long are one. */
const GATHER_MS = 100;

/**
 * Takes a new configuration when its files, its templates or somebody (SIGHUP) say so: read, checked and built beside
 * the running one, taken if it is good, and the running one kept if it is not. One at a time; a wish that comes
 * meanwhile is fulfilled afterwards.
 */
export function followConfig(options: FollowOptions): ConfigFollower {
  const follower = new Follower(options);
  return { request: () => follower.ask(), [Symbol.asyncDispose]: () => follower.stop() };
}

export interface ConfigFollower extends AsyncDisposable {
  /** Reads the configuration again soon, as SIGHUP does. Resolves with what was wrong: nothing when it was taken. */
  request(): Promise<readonly Failure[]>;
}

class Follower {
  readonly #options: FollowOptions;
  readonly #watches = new Map<string, FileWatch>();
  readonly #asking: Disposable;
  #cancel: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  readonly #waiting: ((failures: readonly Failure[]) => void)[] = [];

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#asking = options.source.onAsked(() => this.request(true));
    this.#watch(options.plan);
  }

  async stop(): Promise<void> {
    this.#cancel?.();
    this.#asking[Symbol.dispose]();
    await Promise.all([...this.#watches.values()].map((watch) => watch[Symbol.asyncDispose]()));
    await this.#running;
    this.#answer([failure('CANCELLED', 'configuration', 'ended because the agent stops')]);
  }

  ask(): Promise<readonly Failure[]> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#running === undefined) this.request(true);
      else this.#again = true;
    });
  }

  /** @param asked says so in the log also when nothing has changed. */
  request(asked: boolean): void {
    if (this.#cancel !== undefined || this.#options.signal.aborted) return;
    this.#cancel = this.#options.pipeline.context.clock.after(asked ? 0 : GATHER_MS, () => {
      this.#cancel = undefined;
      if (this.#running !== undefined) this.#again = true;
      else this.#running = this.#reload();
    });
  }

  async #reload(): Promise<void> {
    const { pipeline, source, signal, manager } = this.#options;
    const { emit } = pipeline.context;
    manager?.reloading();
    do {
      this.#again = false;
      let failures: readonly Failure[] = [];
      try {
        const plan = await source.load();
        if (signal.aborted) break;
        await pipeline.apply(plan);
        await source.onApplied(plan);
        this.#watch(plan);
        const { secrets, outputs } = plan.config;
        emit({ kind: 'config-applied', secrets: secrets.size, outputs: outputs.size });
      } catch (error) {
        failures = failuresOf(error, 'configuration');
        pipeline.refuse(failures);
      }
      // What was asked for while this one was read is answered by the next one.
      if (!this.#again) this.#answer(failures);
    } while (this.#again && !signal.aborted);
    if (!signal.aborted) manager?.reloaded();
    this.#running = undefined;
  }

  #answer(failures: readonly Failure[]): void {
    for (const answer of this.#waiting.splice(0)) answer(failures);
  }

  /** Watches the files of this plan, and no others any more. */
  #watch({ config, readAtWallMs }: Plan): void {
    const folders = new Set(config.folders);
    const paths = new Set([...config.files, ...templatesOf(config), ...folders]);
    for (const [path, watch] of this.#watches) {
      if (paths.has(path)) continue;
      this.#watches.delete(path);
      void watch[Symbol.asyncDispose]();
    }
    for (const path of paths) {
      if (this.#watches.has(path)) continue;
      const folder = folders.has(path);
      const read = config.files.filter((file) => dirname(file) === path).map((file) => basename(file));
      let looked = folder ? Promise.resolve(read.sort().join()) : stampSince(path, readAtWallMs);
      const changed = () => {
        looked = looked.then(async (seen) => {
          const now = await (folder ? namesIn(path) : stampSince(path, Number.POSITIVE_INFINITY));
          if (now !== seen) this.request(false);
          return now;
        });
      };
      const { clock } = this.#options.pipeline.context;
      this.#watches.set(path, new FileWatch({ path, folder, clock, changed, lost: () => {} }));
    }
  }
}

/** File systems stamp with the kernel's tick, some milliseconds behind. */
const TICK_MS = 20;

/** What a file looks like; empty when it was written after `wallMs`, so that what was read may be older. */
async function stampSince(path: string, wallMs: number): Promise<string> {
  const stat = await statInTime(path).catch(() => undefined);
  if (stat === undefined) return 'none';
  return stat.mtimeMs > wallMs - TICK_MS ? '' : `${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}`;
}

/** A directory counts by what it holds: its files are watched each by itself. */
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
