import type { Backend } from '../backend/backend.ts';
import { asFailure, type Failure, failure } from '../base/errors.ts';
import type { Emit, Fact } from '../base/fact.ts';
import { Releases } from '../base/releases.ts';
import { Subscribers } from '../base/subscribers.ts';
import { Supervisor } from '../base/supervisor.ts';
import type { BackendConfig, Config } from '../config/config.ts';
import type { Owners } from '../deliver/file/owners.ts';
import type { FindKept } from '../lease/attempts.ts';
import { LeaseManager } from '../lease/manager.ts';
import type { ReplacedValues } from '../lease/replaced/replaced-values.ts';
import type { Replaced } from '../lease/replaced.ts';
import { Backends } from './backends.ts';
import type { AgentContext } from './context.ts';
import type { Execution } from './execution.ts';
import { type CreateSink, OutputLoops } from './output/loops.ts';
import type { Plan } from './plan.ts';
import type { AgentView } from './serve/agent-view.ts';
import type { Listeners } from './serve/listeners.ts';
import type { FollowedState } from './state/followed-state.ts';
import { usedBackends } from './used-backends.ts';
import { WantedSecrets } from './wanted-secrets.ts';

/** How long the end of a process waits for logins and leases to be revoked. */
export const REVOKE_MS = 2_000;

export interface PipelineOptions {
  /** Where outputs go; absent: into their directories. */
  readonly createSink?: CreateSink;
  /** Of `exec`; its environment is one more output. */
  readonly execution?: Execution | undefined;
  /** Present: the listeners of the configuration are opened, and their services may ask for this. */
  readonly serve?: ServeOptions;
  /**
   * The pipeline ends when each output has come to an end: a value that came is not fetched again meanwhile, see
   * `LeaseManagerOptions.polls`.
   */
  readonly once?: boolean;
  /** What is known is kept in the state of the configuration, and taken from there. Absent: it has no state. */
  readonly keepsState?: boolean;
}

export type ServeOptions = Pick<AgentView, 'stop' | 'reloadConfig' | 'logLevel'>;

/**
 * The whole story: plan → backends (login, source) → lease → snapshot → render → publish → reload.
 *
 * `apply` opens the `Backends` that the plan uses (each logs in on first need), has the `LeaseManager` fetch the
 * `WantedSecrets`, and gives every output one of the `OutputLoops`, which renders, publishes and reloads when one of
 * its secrets changes; with `serve`, `Listeners` show the secrets to local clients. The first call starts it all; a
 * later one moves to another configuration, and what stays the same keeps its login, its lease and its files. `init`
 * and `run` use the same pipeline; `init` ends it when each output has come to an end, see `outcome.ts`.
 */
export class Pipeline implements AsyncDisposable {
  /** What it was made with; `emit` reaches the subscribers of the services too. */
  readonly context: AgentContext;
  /** What is fetched; only the pipeline says which secrets those are. */
  readonly secrets: Omit<LeaseManager, 'reconcile' | 'add' | typeof Symbol.asyncDispose>;
  readonly outputs: Omit<OutputLoops, 'replace' | 'wake'>;
  readonly #releases = new Releases();
  readonly #facts = new Subscribers<[fact: Fact]>();
  readonly #progress = new Subscribers<[output?: string]>();
  readonly #backends: Backends;
  readonly #manager: LeaseManager;
  readonly #isLasting: boolean;
  /** The directories of this agent; one that ends soon has none. */
  #owners: Owners | undefined;
  readonly #loops: OutputLoops;
  readonly #wanted: WantedSecrets;
  readonly #serve: ServeOptions | undefined;
  /** Made when the first plan is applied. */
  #listeners: Listeners | undefined;
  readonly #execution: Execution | undefined;
  #plan: Plan | undefined;
  readonly #keepsState: boolean;
  /** Absent until a configuration names a state. */
  #state: FollowedState | undefined;
  /** What becomes of leases and certificates that were replaced; undefined until one was. */
  #replaced: Promise<ReplacedValues> | undefined;
  #isApplied = false;
  #refusedConfig: readonly Failure[] = [];
  #hasEndedCredentials = false;

  constructor(
    context: AgentContext,
    { createSink, execution, serve, once = false, keepsState = false }: PipelineOptions = {},
  ) {
    const { clock, random } = context;
    const emit: Emit = (fact) => {
      context.emit(fact);
      context.tracing?.hear(fact);
      this.#facts.tell(fact);
      this.#state?.keeper?.hear(fact);
      if (fact.kind === 'login-failed') this.#progress.tell();
    };
    this.context = { ...context, emit };
    this.#execution = execution;
    execution?.emitTo(emit);
    context.tracing?.emitTo(emit);
    context.log?.emitTo(emit);
    this.#releases.push(() => context.tracing?.close());

    this.#keepsState = keepsState;
    const takeLogin = (backend: string, identity: string) => this.#state?.keeper?.takeLogin(backend, identity);
    const backends = new Backends(this.context, takeLogin, () => this.#plan as Plan, once);
    this.#backends = backends;
    this.#releases.push(() => backends[Symbol.asyncDispose]());

    this.#isLasting = !once;
    this.#releases.push(async () => this.#owners?.[Symbol.asyncDispose]());

    let loading: Promise<FindKept> | undefined;
    const kept: FindKept = async (item) => {
      loading ??= import('./kept-certificates.ts').then(({ findKeptIn }) => findKeptIn(() => this.#plan, emit));
      return await (await loading)(item);
    };
    const onReplaced = (replaced: Replaced) => void this.#followReplaced().then((values) => values.add(replaced));
    const earlier = keepsState ? () => this.#state?.keeper?.values : undefined;
    const manager = new LeaseManager({
      ...{ clock, random, emit, kept, onReplaced, tracing: context.tracing },
      polls: !once,
      ...(earlier && { earlier }),
    });
    this.#manager = manager;
    this.secrets = manager;
    this.#releases.push(() => manager[Symbol.asyncDispose]());
    this.#releases.push(async () => (await this.#replaced)?.[Symbol.dispose]());
    this.#releases.push(() => this.endCredentials());
    this.#releases.push(async () => this.#state?.[Symbol.asyncDispose]());

    const supervisor = new Supervisor((task, error) => {
      emit({ kind: 'task-crashed', task, failure: asFailure(error, task) });
    });
    const loops = new OutputLoops({
      context: this.context,
      manager,
      supervisor,
      owners: () => this.#owners,
      ...(createSink === undefined ? {} : { createSink }),
      execution,
      looksAgain: !once,
      spreadsReloads: !once,
      onState: (output) => {
        this.#progress.tell(output);
        void this.#replaced?.then((values) => values.look());
      },
      onNeeds: () => this.#wanted.updateSoon(),
    });
    this.#loops = loops;
    this.outputs = loops;
    this.#releases.push(() => supervisor.stop());
    manager.onEvent((names, what) => loops.wake(names, what !== 'settled'));
    this.#wanted = new WantedSecrets({ manager, loops, backends, isServing: serve !== undefined, polls: !once });

    this.#serve = serve;
    this.#releases.push(async () => this.#listeners?.[Symbol.asyncDispose]());
  }

  /**
   * Moves to `plan`. All or nothing: when a listener or a backend cannot be opened the present plan stays.
   * @throws PannierError of what could not be opened.
   */
  async apply(plan: Plan): Promise<void> {
    const kind = this.#isApplied ? 'configuration' : 'start';
    return this.context.tracing?.within({ kind }, () => this.#apply(plan)) ?? this.#apply(plan);
  }

  async #apply(plan: Plan): Promise<void> {
    if (this.#isLasting) this.#owners ??= await this.#makeOwners();
    const serve = this.#serve;
    if (serve !== undefined) this.#listeners ??= await this.#makeListeners(serve);
    const isServing = serve !== undefined;
    const used = usedBackends(plan, { withEnvironment: this.#execution !== undefined, isServing });
    if (this.#keepsState) await this.#followState(plan.config, used);
    await this.#loops.prepare(plan);
    this.#plan ??= plan; // listeners answer as soon as they are open
    const listeners = await this.#listeners?.prepareFor(plan.config);
    const closeOld = await this.#backends.replace(used).catch(async (error: unknown) => {
      await listeners?.discard();
      throw error;
    });

    this.#plan = plan;
    this.#refusedConfig = [];
    this.#loops.replace(plan);
    this.#wanted.follow(plan);
    this.#isApplied = true;
    await listeners?.commit();
    await closeOld();
  }

  /** Tells that a later configuration was not good; the present one stays. */
  refuse(failures: readonly Failure[]): void {
    this.#refusedConfig = failures;
    for (const [i, failure] of failures.entries()) {
      this.context.emit({ kind: 'config-rejected', failure, problem: i + 1, problems: failures.length });
    }
  }

  /** Why a secret that has no entry yet has none: its backend's trouble, or that no answer came so far. */
  reasonMissing(name: string): Failure {
    const backend = this.#backendToWaitFor(name);
    const from = backend === undefined ? '' : ` from ${backend.where}, backend ${backend.name}`;
    const place = this.#plan?.config.secrets.get(name)?.place ?? `secrets.${name}`;
    return backend?.trouble?.() ?? failure('SECRET_NEVER_FETCHED', place, `no answer has come yet${from}`);
  }

  /** The trouble of the backend that a secret without an entry waits for; undefined: it is in none. */
  troubleOf(name: string): Failure | undefined {
    return this.#backendToWaitFor(name)?.trouble?.();
  }

  /** Undefined for an optional secret: it counts as absent a moment later. */
  #backendToWaitFor(name: string): Backend | undefined {
    const secret = this.#plan?.config.secrets.get(name);
    return secret?.optional === true ? undefined : this.#backends.byName().get(secret?.backend ?? '');
  }

  /** Calls `heard` when an output may have changed state, with its name, and when a login failed. */
  onProgress(heard: (output?: string) => void): Disposable {
    return this.#progress.add(heard);
  }

  /** Stops fetching and revokes every login: what a failed `init` does. Bounded by `signal`. */
  async revokeLogins(signal: AbortSignal): Promise<void> {
    this.#state?.keeper?.freeze();
    await this.#manager[Symbol.asyncDispose](); // else a fetch that waits for a login would fail for want of one
    await Promise.all([...this.#backends.byName().values()].map((backend) => backend.revokeLogin?.(signal)));
  }

  /**
   * Ends the credentials that end with the process (`revokeOnExit`), within two seconds. `exec` calls it as soon as its
   * child has ended; otherwise it is done when the outputs have stopped. Nothing is fetched any more after that.
   */
  async endCredentials(): Promise<void> {
    const backends = [...this.#backends.byName().values()].filter(({ revokesOnExit }) => revokesOnExit === true);
    if (backends.length === 0 || this.#hasEndedCredentials) return;
    this.#hasEndedCredentials = true;
    this.#state?.keeper?.freeze();
    const replaced = await this.#replaced;
    const { endCredentials } = await import('./end-credentials.ts');
    const { clock, emit } = this.context;
    const ending = { backends, manager: this.#manager, replaced: [...(replaced?.list() ?? [])], clock, emit };
    replaced?.[Symbol.dispose]();
    await endCredentials(ending, AbortSignal.timeout(REVOKE_MS));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#progress.clear();
    this.#wanted[Symbol.dispose]();
    await this.#releases.releaseAll();
  }

  /** Loads what looks after replaced values, which only agents with leases need. */
  #followReplaced(): Promise<ReplacedValues> {
    this.#replaced ??= import('../lease/replaced/replaced-values.ts').then(({ ReplacedValues }) => {
      const { clock, random, emit } = this.context;
      const uses = (wantId: string, version: string) => this.#loops.uses(wantId, version);
      return new ReplacedValues({ clock, random, emit, manager: this.#manager, uses });
    });
    return this.#replaced;
  }

  async #followState(config: Config, used: readonly BackendConfig[]): Promise<void> {
    if (config.state === undefined && this.#state === undefined) return;
    if (this.#state === undefined) {
      const { FollowedState } = await import('./state/followed-state.ts');
      this.#state = new FollowedState({
        context: this.context,
        manager: this.#manager,
        backends: this.#backends,
        owners: () => this.#owners,
        isApplied: () => this.#isApplied,
      });
    }
    await this.#state.follow(config, used);
  }

  async #makeOwners(): Promise<Owners> {
    const { clock, emit } = this.context;
    const startedWallMs = clock.wallMs();
    const { Owners } = await import('../deliver/file/owners.ts');
    return new Owners({
      emit,
      tell: () => ({ configuration: this.#plan?.config.files.join(', ') ?? '', startedWallMs }),
    });
  }

  async #makeListeners(serve: ServeOptions): Promise<Listeners> {
    const { Listeners } = await import('./serve/listeners.ts');
    return new Listeners(this.#view(serve));
  }

  #view({ stop, reloadConfig, logLevel }: ServeOptions): AgentView {
    const { clock, random, emit, version, tracing } = this.context;
    const startedWallMs = clock.wallMs();
    return {
      clock,
      random,
      emit,
      tracing,
      version,
      startedWallMs,
      bootId: bootIdOf(startedWallMs, random),
      secrets: this.#manager,
      outputs: this.#loops,
      backends: this.#backends,
      plan: () => this.#plan as Plan, // nothing listens before the first apply
      isApplied: () => this.#isApplied,
      refusedConfig: () => this.#refusedConfig,
      reasonMissing: (name) => this.reasonMissing(name),
      listeners: () => this.#listeners?.list() ?? [],
      onProgress: (heard) => this.#progress.add(heard),
      onFact: (heard) => this.#facts.add(heard),
      atEnd: (release) => this.#releases.push(release),
      wantAlso: (secrets, added) => this.#wanted.alsoWant(secrets, added),
      sds: {},
      awsOnDemand: new Map(),
      stop,
      reloadConfig,
      logLevel,
    };
  }
}

/** The time of the start and 32 random bits: two starts of an agent hardly ever have the same. */
function bootIdOf(startedWallMs: number, random: () => number): string {
  return `${Math.floor(startedWallMs).toString(36)}${Math.floor(random() * 2 ** 32).toString(36)}`;
}
