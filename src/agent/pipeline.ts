import { asFailure, type Failure, failure } from '../base/errors.ts';
import type { Emit } from '../base/fact.ts';
import { Releases } from '../base/releases.ts';
import { Secret } from '../base/secret.ts';
import { Supervisor } from '../base/supervisor.ts';
import type { Config } from '../config/config.ts';
import { createFileSink } from '../deliver/file/file-sink.ts';
import { LeaseManager } from '../lease/manager.ts';
import type { Snapshot } from '../lease/snapshot.ts';
import { refreshTogether } from '../lease/together.ts';
import { createReload } from '../reload/create-reload.ts';
import type { Backend } from '../source/source.ts';
import { OutputLoop, type OutputState } from './output-loop.ts';
import { namesTogether, type PlannedOutput, wantedNames } from './plan.ts';
import { openBackend, type Surroundings } from './registry.ts';
import { wantsOf } from './wants.ts';

/**
 * The whole story: config → auth → source → lease → snapshot → render → publish → reload.
 *
 * `start` opens the backends (each logs in on first need), tells the lease manager what is wanted, and gives every
 * output a loop that renders, publishes and reloads when one of its secrets changes. `init` and `run` use the same
 * pipeline; `init` ends it when each output has come to an end, see `outcome.ts`.
 */
export class Pipeline implements AsyncDisposable {
  readonly #config: Config;
  readonly #planned: readonly PlannedOutput[];
  readonly #around: Surroundings;
  readonly #releases = new Releases();
  readonly #backends = new Map<string, Backend>();
  readonly #loops = new Map<string, OutputLoop>();
  readonly #heard = new Set<() => void>();
  #manager: LeaseManager | undefined;

  /** @param planned from `planOutputs(config)`. */
  constructor(config: Config, planned: readonly PlannedOutput[], around: Surroundings) {
    this.#config = config;
    this.#planned = planned;
    const emit: Emit = (fact) => {
      around.emit(fact);
      if (fact.kind === 'login-failed') this.#tell();
    };
    this.#around = { ...around, emit };
  }

  /** @param stay `run`: also let backends push changes. */
  async start({ stay }: { readonly stay: boolean }): Promise<void> {
    const { clock, random, emit } = this.#around;

    const names = wantedNames(this.#planned);
    await this.#openBackends(names);

    const manager = new LeaseManager({ backends: this.#backends, clock, random, emit });
    this.#manager = manager;
    this.#releases.push(() => manager[Symbol.asyncDispose]());

    const loops = new Supervisor((task, error) => {
      emit({ kind: 'task-crashed', task, failure: asFailure(error, task) });
    });
    this.#releases.push(() => loops.stop());
    const loopsByName = this.#createLoops(manager);
    manager.onEvent((changed, what) => {
      const woken = new Set([...changed].flatMap((name) => loopsByName.get(name) ?? []));
      for (const loop of woken) loop.wake(what !== 'settled');
      this.#tell();
    });
    refreshTogether(manager, namesTogether(this.#planned));

    manager.reconcile(wantsOf(this.#config, this.#backends, names));
    for (const [name, loop] of this.#loops) loops.start(`output ${name}`, (signal) => loop.run(signal));
    if (stay) manager.startWatching();
  }

  /** Every secret as it is now; empty before `start`. */
  snapshot(): Snapshot {
    return this.#manager?.snapshot() ?? { number: 0, get: () => undefined, names: () => [] };
  }

  /** Where each output stands, by name. */
  outputs(): ReadonlyMap<string, OutputState> {
    return new Map([...this.#loops].map(([name, loop]) => [name, loop.state]));
  }

  /**
   * Why a secret that has no entry yet has none: its backend's trouble, or that no answer came so far. An optional one
   * is in no trouble: it counts as absent a moment later.
   */
  silence(name: string): Failure {
    const secret = this.#config.secrets.get(name);
    const trouble = secret?.optional === true ? undefined : this.#backends.get(secret?.backend ?? '')?.trouble?.();
    return trouble ?? failure('SECRET_NEVER_FETCHED', secret?.place ?? `secrets.${name}`, 'no answer has come yet');
  }

  /** Calls `heard` whenever a secret or an output may have changed state. */
  onProgress(heard: () => void): void {
    this.#heard.add(heard);
  }

  /** Stops fetching and gives back every login: what a failed `init` does. Bounded by `signal`. */
  async revokeLogins(signal: AbortSignal): Promise<void> {
    await this.#manager?.[Symbol.asyncDispose](); // else what waits for a login would fail for want of one
    await Promise.all([...this.#backends.values()].map((backend) => backend.revokeLogin?.(signal)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#heard.clear();
    await this.#releases.releaseAll();
  }

  async #openBackends(names: ReadonlySet<string>): Promise<void> {
    const used = new Set([...names].map((name) => this.#config.secrets.get(name)?.backend));
    for (const config of this.#config.backends.values()) {
      if (!used.has(config.name)) continue;
      const backend = await openBackend(config, this.#around);
      this.#backends.set(config.name, backend);
      this.#releases.push(async () => backend[Symbol.asyncDispose]());
    }
  }

  #createLoops(manager: LeaseManager): ReadonlyMap<string, readonly OutputLoop[]> {
    const { clock, random, emit } = this.#around;
    const env = this.#commandEnvironment();
    const byName = new Map<string, OutputLoop[]>();
    for (const { output, renderer } of this.#planned) {
      const sink = createFileSink(output, clock);
      const reloads = output.reload.map((step) => createReload(step, output, env));
      const onState = () => this.#tell();
      const loop = new OutputLoop({ output, renderer, sink, reloads, manager, clock, random, emit, onState });
      this.#loops.set(output.name, loop);
      for (const name of renderer.wants) {
        const loops = byName.get(name);
        if (loops === undefined) byName.set(name, [loop]);
        else loops.push(loop);
      }
    }
    return byName;
  }

  /** What commands inherit: not a token that the configuration took from a variable of any name. */
  #commandEnvironment(): Surroundings['env'] {
    const tokens = [...this.#config.backends.values()].flatMap((backend) =>
      backend.kind === 'vault' && backend.auth.method === 'token' && backend.auth.token !== undefined
        ? [backend.auth.token]
        : [],
    );
    const isToken = (text = '') => tokens.some((token) => token.equals(Secret.text(text)));
    return Object.fromEntries(Object.entries(this.#around.env).filter(([, text]) => !isToken(text)));
  }

  #tell(): void {
    for (const heard of this.#heard) heard();
  }
}
