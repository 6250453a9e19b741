import { asFailure, type Failure, failure } from '../base/errors.ts';
import type { Emit } from '../base/fact.ts';
import { Releases } from '../base/releases.ts';
import { Supervisor } from '../base/supervisor.ts';
import type { Config } from '../config/config.ts';
import type { OutputState } from '../deliver/output-state.ts';
import { LeaseManager } from '../lease/manager.ts';
import { refreshTogether } from '../lease/refresh-together.ts';
import type { SecretEntry } from '../lease/snapshot.ts';
import type { Renderer } from '../render/render.ts';
import { Backends } from './backends.ts';
import type { AgentContext } from './context.ts';
import type { Execution } from './execution.ts';
import { type CreateSink, OutputLoops } from './output/loops.ts';
import { namesTogether, wantsOf } from './output/wants.ts';
import type { Plan } from './plan.ts';
import type { AgentView } from './serve/agent-view.ts';
import { Listeners } from './serve/listeners.ts';
import { servedBackends, servedSecrets, servicesOf } from './serve/services.ts';

export interface PipelineOptions {
  /** Where outputs go; their directories when absent. */
  readonly createSink?: CreateSink;
  /** Of `exec`; its environment is one more output. */
  readonly execution?: Execution | undefined;
  /** Present: the listeners of the configuration are opened, and can ask for this. */
  readonly serve?: ServeOptions;
  /**
   * It ends when each output has come to an end: what came is not asked for again meanwhile, see
   * `LeaseManagerOptions.polls`.
   */
  readonly once?: boolean;
}

/** @param output whose state changed; absent: anything may have. */
export type HeardProgress = (output?: string) => void;

export type ServeOptions = Pick<AgentView, 'stop' | 'reloadConfig'>;

/**
 * The whole story: config → auth → source → lease → snapshot → render → publish → reload.
 *
 * `apply` opens the backends (each logs in on first need), tells the lease manager what is wanted, and gives every
 * output a loop that renders, publishes and reloads when one of its secrets changes. The first call starts it all; a
 * later one moves to another configuration, and what stays the same keeps its login, its lease and its files. `init`
 * and `run` use the same pipeline; `init` ends it when each output has come to an end, see `outcome.ts`.
 */
export class Pipeline implements AsyncDisposable {
  /** What it was made with; services hear the facts that are emitted here. */
  readonly context: AgentContext;
  readonly #releases = new Releases();
  readonly #backends: Backends;
  readonly #manager: LeaseManager;
  readonly #loops: OutputLoops;
  readonly #execution: Execution | undefined;
  readonly #heard = new Set<HeardProgress>();
  readonly #hearFacts = new Set<Emit>();
  readonly #listeners: Listeners | undefined;
  #plan: Plan | undefined;
  #isApplied = false;
  #together: Disposable | undefined;
  #reconciling: NodeJS.Immediate | undefined;
  #isEnding = false;
  #refusedConfig: readonly Failure[] = [];

  constructor(context: AgentContext, { createSink, execution, serve, once = false }: PipelineOptions = {}) {
    const { clock, random } = context;
    const emit: Emit = (fact) => {
      context.emit(fact);
      for (const hear of this.#hearFacts) hear(fact);
      if (fact.kind === 'login-failed') this.#tell();
    };
    this.context = { ...context, emit };
    this.#execution = execution;
    execution?.emitTo(emit);

    const backends = new Backends(this.context);
    this.#backends = backends;
    this.#releases.push(() => backends[Symbol.asyncDispose]());

    const manager = new LeaseManager({ clock, random, emit, polls: !once });
    this.#manager = manager;
    this.#releases.push(() => manager[Symbol.asyncDispose]());

    const supervisor = new Supervisor((task, error) => {
      emit({ kind: 'task-crashed', task, failure: asFailure(error, task) });
    });
    this.#loops = new OutputLoops({
      context: this.context,
      manager,
      supervisor,
      ...(createSink === undefined ? {} : { createSink }),
      execution,
      onState: (output) => this.#tell(output),
      onNeeds: () => this.#reconcileSoon(),
    });
    this.#releases.push(() => supervisor.stop());

    manager.onEvent((names, what) => {
      this.#loops.wake(names, what !== 'settled');
    });

    if (serve !== undefined) {
      const listeners = new Listeners(this.#view(serve));
      this.#listeners = listeners;
      this.#releases.push(() => listeners[Symbol.asyncDispose]());
    }
  }

  /**
   * Moves to `plan`. All or nothing: when a listener or a backend cannot be opened the present plan stays.
   * @throws PannierError of what could not be opened.
   */
  async apply(plan: Plan): Promise<void> {
    const { config } = plan;
    this.#plan ??= plan; // listeners answer as soon as they are open
    const listeners = await this.#listeners?.prepare(servicesOf(config));
    const env = this.#execution === undefined || plan.env === undefined ? [] : [plan.env];
    const used = new Set([...plan.outputs, ...env].flatMap(({ renderer }) => [...backendsOf(renderer, config)]));
    for (const name of this.#served(config)) used.add(config.secrets.get(name)?.backend);
    if (listeners !== undefined) for (const name of servedBackends(config)) used.add(name);
    const wanted = [...config.backends.values()].filter(({ name }) => used.has(name));
    const closeOld = await this.#backends.replace(wanted).catch(async (error: unknown) => {
      await listeners?.discard();
      throw error;
    });

    this.#plan = plan;
    this.#refusedConfig = [];
    this.#loops.replace(plan);
    this.#reconcile();
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

  /** `run`: from now on backends that can push changes do. */
  startWatching(): void {
    this.#manager.startWatching();
  }

  /** By how much the next deadline of a secret is past; more than a moment means that no work goes on. */
  lateMs(): number {
    return this.#manager.lateMs();
  }

  /** What is known of a secret now. */
  entryOf(name: string): SecretEntry | undefined {
    return this.#manager.entryOf(name);
  }

  /** Where each output stands, by name. As it is: the map changes with them. */
  outputs(): ReadonlyMap<string, OutputState> {
    return this.#loops.states();
  }

  /** Whether the very first answer for a secret is still to come. */
  isStarting(): boolean {
    for (const name of this.#manager.names()) if (this.#manager.isAwaited(name)) return true;
    return false;
  }

  /** Whether a change of a secret is still to be published somewhere. */
  isBehind(): boolean {
    return this.#loops.areBehind();
  }

  /**
   * Why a secret that has no entry yet has none: its backend's trouble, or that no answer came so far. An optional one
   * is in no trouble: it counts as absent a moment later.
   */
  reasonMissing(name: string): Failure {
    const secret = this.#plan?.config.secrets.get(name);
    const backend = secret?.optional === true ? undefined : this.#backends.byName().get(secret?.backend ?? '');
    const trouble = backend?.trouble?.();
    const from = backend === undefined ? '' : ` from ${backend.where}, backend ${backend.name}`;
    const seen = `no answer has come yet${from}`;
    return trouble ?? failure('SECRET_NEVER_FETCHED', secret?.place ?? `secrets.${name}`, seen);
  }

  /** Calls `heard` when an output may have changed state, with its name, and when a login failed. */
  onProgress(heard: HeardProgress): Disposable {
    this.#heard.add(heard);
    return { [Symbol.dispose]: () => void this.#heard.delete(heard) };
  }

  /** Stops fetching and gives back every login: what a failed `init` does. Bounded by `signal`. */
  async revokeLogins(signal: AbortSignal): Promise<void> {
    await this.#manager[Symbol.asyncDispose](); // else what waits for a login would fail for want of one
    await Promise.all([...this.#backends.byName().values()].map((backend) => backend.revokeLogin?.(signal)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#heard.clear();
    this.#isEnding = true;
    clearImmediate(this.#reconciling);
    this.#together?.[Symbol.dispose]();
    await this.#releases.releaseAll();
  }

  /** Many outputs that work their paths out at one time ask for them with one reconciling of everything. */
  #reconcileSoon(): void {
    if (this.#reconciling !== undefined || this.#isEnding) return;
    this.#reconciling = setImmediate(() => {
      this.#reconciling = undefined;
      this.#reconcile();
    });
  }

  /** Tells the lease manager what the outputs need now. */
  #reconcile(): void {
    if (this.#plan === undefined) return;
    const backends = this.#backends.byName();
    const needs = this.#loops.needs();
    this.#together?.[Symbol.dispose]();
    const served = { names: this.#served(this.#plan.config), computed: new Map() };
    this.#manager.reconcile(wantsOf(this.#plan.config, backends, [...needs, served]), backends);
    this.#together = refreshTogether(this.#manager, namesTogether(needs));
  }

  /** What is fetched for listeners; `init` has none. */
  #served(config: Config): ReadonlySet<string> {
    return this.#listeners === undefined ? new Set() : servedSecrets(config);
  }

  #view({ stop, reloadConfig }: ServeOptions): AgentView {
    const { clock, random, emit, version } = this.context;
    const startedWallMs = clock.wallMs();
    return {
      clock,
      random,
      emit,
      version,
      startedWallMs,
      bootId: bootIdOf(startedWallMs, random),
      plan: () => this.#plan as Plan, // nothing listens before the first apply
      isApplied: () => this.#isApplied,
      wanted: () => this.#manager.names(),
      computed: () => this.#loops.computed(),
      reasonMissing: (name) => this.reasonMissing(name),
      oldestAttempts: () => this.#manager.oldestAttempts(),
      snapshot: (names) => this.#manager.snapshot(names),
      entryOf: (name) => this.#manager.entryOf(name),
      nextMonoMs: (name) => this.#manager.nextMonoMs(name),
      endsMonoMs: (name) => this.#manager.endsMonoMs(name),
      onEvent: (heard) => this.#manager.onEvent(heard),
      refresh: (name) => this.#manager.refresh(name),
      outputs: () => this.outputs(),
      outputsDue: () => this.#loops.due(),
      onProgress: (heard) => this.onProgress(heard),
      backends: () => this.#backends.byName(),
      listeners: () => this.#listeners?.list() ?? [],
      onFact: (hear) => {
        this.#hearFacts.add(hear);
        return { [Symbol.dispose]: () => void this.#hearFacts.delete(hear) };
      },
      lateMs: () => this.lateMs(),
      reloadOutput: (name) => this.#loops.reload(name),
      reloadConfig,
      refusedConfig: () => this.#refusedConfig,
      stop,
      atEnd: (release) => this.#releases.push(release),
    };
  }

  #tell(output?: string): void {
    for (const heard of this.#heard) heard(output);
  }
}

/** As unlike that of any other start as its time and 32 random bits make it. */
function bootIdOf(startedWallMs: number, random: () => number): string {
  return `${Math.floor(startedWallMs).toString(36)}${Math.floor(random() * 2 ** 32).toString(36)}`;
}

/** The backends that an output may ask: those of its secrets, and those of its computed paths. */
function backendsOf({ wants, asks }: Renderer, { secrets }: Config): readonly (string | undefined)[] {
  return [...[...wants].map((name) => secrets.get(name)?.backend), ...asks];
}
