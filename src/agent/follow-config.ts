import { type Failure, failure, failuresOf } from '../base/errors.ts';
import type { ServiceManager } from '../process/service-manager.ts';
import type { Pipeline } from './pipeline.ts';
import type { Plan } from './plan.ts';
import { PlanFiles } from './plan-files.ts';
import { tellWarnings } from './tell-warnings.ts';

/** Where configurations come from. */
export interface ConfigSource {
  /** Reads and checks the configuration anew. @throws ProblemsError or PannierError when it is not good. */
  load(): Promise<Plan>;
  /** Calls `asked` each time the user asks to read the configuration again (SIGHUP). */
  onAsked(asked: () => void): Disposable;
  /** Called after a new configuration was taken. */
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

/** Changes of several files within this time are one. */
const GATHER_MS = 100;

/**
 * Takes a new configuration when its files or its templates change, at SIGHUP, and when `request` asks for it. The new
 * configuration is read, checked and built beside the running one, and taken if it is good; else the running one stays.
 * One is read at a time, and a change or request that comes meanwhile has it read once more.
 */
export function followConfig(options: FollowOptions): ConfigFollower {
  return new Follower(options);
}

export interface ConfigFollower extends AsyncDisposable {
  /** Reads the configuration again soon, as SIGHUP does. Resolves with what was wrong: nothing when it was taken. */
  request(): Promise<readonly Failure[]>;
}

class Follower implements ConfigFollower {
  readonly #options: FollowOptions;
  readonly #files: PlanFiles;
  readonly #asking: Disposable;
  /** Cancels the reading that is planned. */
  #cancel: (() => void) | undefined;
  /** The reading that goes on. */
  #reading: Promise<void> | undefined;
  #mustReadAgain = false;
  /** Requests that are answered by the next reading that ends. */
  readonly #requests: ((failures: readonly Failure[]) => void)[] = [];

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#asking = options.source.onAsked(() => this.#readIn(0));
    this.#files = new PlanFiles(options.pipeline.context.clock, () => this.#readIn(GATHER_MS));
    this.#files.follow(options.plan);
  }

  request(): Promise<readonly Failure[]> {
    return new Promise((resolve) => {
      this.#requests.push(resolve);
      if (this.#reading === undefined) this.#readIn(0);
      else this.#mustReadAgain = true;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancel?.();
    this.#asking[Symbol.dispose]();
    await this.#files[Symbol.asyncDispose]();
    await this.#reading;
    this.#answer([failure('CANCELLED', 'configuration', 'ended because the agent stops')]);
  }

  #readIn(ms: number): void {
    if (this.#cancel !== undefined || this.#options.signal.aborted) return;
    this.#cancel = this.#options.pipeline.context.clock.after(ms, () => {
      this.#cancel = undefined;
      if (this.#reading !== undefined) this.#mustReadAgain = true;
      else this.#reading = this.#read();
    });
  }

  async #read(): Promise<void> {
    const { signal, manager } = this.#options;
    manager?.reloading();
    do {
      this.#mustReadAgain = false;
      const failures = await this.#readOnce();
      if (failures === undefined) break;
      // A request that came during this reading is answered by the next one.
      if (!this.#mustReadAgain) this.#answer(failures);
    } while (this.#mustReadAgain && !signal.aborted);
    if (!signal.aborted) manager?.reloaded();
    this.#reading = undefined;
  }

  /** @returns what was wrong; undefined when the agent stops. */
  async #readOnce(): Promise<readonly Failure[] | undefined> {
    const { pipeline, source, signal } = this.#options;
    try {
      const plan = await source.load();
      if (signal.aborted) return undefined;
      await pipeline.apply(plan);
      await source.onApplied(plan);
      this.#files.follow(plan);
      const { secrets, outputs } = plan.config;
      pipeline.context.emit({ kind: 'config-applied', secrets: secrets.size, outputs: outputs.size });
      tellWarnings(plan, pipeline.context.emit);
      return [];
    } catch (error) {
      const failures = failuresOf(error, 'configuration');
      pipeline.refuse(failures);
      return failures;
    }
  }

  #answer(failures: readonly Failure[]): void {
    for (const answer of this.#requests.splice(0)) answer(failures);
  }
}
