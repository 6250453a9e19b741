import type { Backend } from '../../backend/backend.ts';
import type { KeptLogin } from '../../backend/kept-login.ts';
import type { KeyWrap } from '../../backend/key-wrap.ts';
import type { Clock } from '../../base/clock.ts';
import { asFailure, fail } from '../../base/errors.ts';
import type { Emit, Fact } from '../../base/fact.ts';
import type { StateConfig } from '../../config/config.ts';
import type { Environment } from '../../config/environment.ts';
import type { EarlierValues } from '../../lease/earlier.ts';
import { createEarlierValues } from '../../lease/earlier-values.ts';
import type { LeaseManager } from '../../lease/manager.ts';
import { type Clocks, encodeContents } from '../../state/contents.ts';
import { EarlierState } from '../../state/earlier-state.ts';
import { type OpenedState, openState } from '../../state/open-state.ts';
import { type SealKey, seal } from '../../state/seal.ts';
import { createStateFolder, MAX_BYTES, type ReplacedState, type StateFolder } from '../../state/state-file.ts';
import { type CollectedSecrets, collectLogins, collectSecrets, withLogins } from './collect.ts';

export interface StateKeeperDeps {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly env: Environment;
  readonly manager: Pick<LeaseManager, 'entries' | 'onEvent' | 'entryOf' | 'standByEarlier'>;
  /** The backends that are open. */
  readonly backends: () => Iterable<Backend>;
}

/** A change is written this much later, so that what changes together is written once. */
const GATHER_MS = 100;
/** The shortest time between two writes. */
const MIN_GAP_MS = 1_000;
/** Writing takes at most this share of the time, however large the state is. */
const GAP_PER_WRITE = 20;
/** That a value is still the same, or a lease was renewed, is written after a tenth of its life, at the latest then. */
const MAX_WAIT_MS = 60_000;

/**
 * Keeps what the agent knows in the state of a configuration, for its next start, and gives out what an earlier process
 * kept there. Trouble with the disk or the key is told as a warning and holds nothing up: then nothing is given out, or
 * nothing is written.
 *
 * - `#dueMonoMs` is when the next write is due, and has a timer; undefined: nothing is to be written.
 * - One write runs at a time. What changes meanwhile makes another one due.
 * - After `freeze` the secrets are written as they were then; the logins are looked at once more at the end.
 */
export class StateKeeper {
  readonly values: EarlierValues;
  readonly #config: StateConfig;
  readonly #deps: StateKeeperDeps;
  readonly #folder: StateFolder;
  readonly #key: SealKey;
  readonly #earlier: EarlierState;
  readonly #listening: Disposable;
  #replaced: ReplacedState;
  #frozen: CollectedSecrets | undefined;
  #dueMonoMs: number | undefined;
  #cancel = () => {};
  #writing: Promise<void> | undefined;
  #notBeforeMonoMs = Number.NEGATIVE_INFINITY;
  #told: string | undefined;
  readonly #keyMadeWallMs: number | undefined;
  #login: MadeLogin | undefined;

  constructor(config: StateConfig, deps: StateKeeperDeps, opened: OpenedFolder) {
    this.#config = config;
    this.#deps = deps;
    this.#folder = opened.folder;
    this.#key = opened.key;
    this.#replaced = { setAside: opened.setAside, takenUp: opened.takenUp };
    this.#keyMadeWallMs = opened.keyMadeWallMs;
    this.#login = opened.login;
    this.#earlier = new EarlierState(opened.contents, config.maxAgeMs, () => this.#now());
    this.values = createEarlierValues((want) => this.#earlier.find(want));
    this.#listening = deps.manager.onEvent((names, event) => {
      if (event !== 'settled') this.#writeIn(GATHER_MS);
      else this.#writeIn(this.#patience(names));
    });
  }

  /** Reads the state. Undefined when its key or its directory cannot be used: then none is kept. Never rejects. */
  static async open(config: StateConfig, deps: StateKeeperDeps): Promise<StateKeeper | undefined> {
    const folder = createStateFolder(config.path, config.place);
    const result = await openState(config, folder, deps.env).catch((error) => asFailure(error, config.place));
    const warning = 'code' in result ? result : result.warning;
    if (warning !== undefined) deps.emit({ kind: 'agent-warning', warning });
    return 'code' in result ? undefined : new StateKeeper(config, deps, { ...result, folder });
  }

  /** See `BackendContext.takeLogin`. */
  takeLogin(backend: string, identity: string): KeptLogin | undefined {
    const earlier = this.#earlier.takeLogin(backend, identity);
    if (earlier !== undefined || this.#login?.backend !== backend) return earlier;
    const { wrap } = this.#login;
    return wrap.identity === identity ? wrap.takeLogin() : undefined;
  }

  /**
   * To be called when backends were in use before the state was opened: their logins are the ones that count, and what
   * is kept serves the secrets that have no value yet.
   */
  joinLate(): void {
    for (const { name, loginToKeep } of this.#deps.backends()) {
      if (loginToKeep?.() !== undefined) this.#earlier.decided(name);
    }
    this.#deps.manager.standByEarlier();
    this.writeSoon();
  }

  /** Writes what is known already, for a state that a running agent begins to keep. */
  writeSoon(): void {
    this.#writeIn(GATHER_MS);
  }

  /** To be called with every fact. */
  hear(fact: Fact): void {
    if (fact.kind === 'login-resumed') this.#earlier.decided(fact.backend, fact.login);
    if (fact.kind === 'login-made') this.#earlier.decided(fact.backend);
    if (fact.kind === 'login-made') this.#writeIn(GATHER_MS);
    else if (fact.kind === 'login-renewed') this.#writeIn(patienceOf(fact.ttlMs));
  }

  /** Keeps the secrets as they are now: the lease manager is about to end. */
  freeze(): void {
    this.#frozen ??= collectSecrets(this.#deps.manager, this.#now());
  }

  /** Ends without writing. */
  discard(): void {
    this.#listening[Symbol.dispose]();
    this.#cancel();
    this.#dueMonoMs = undefined;
  }

  /** Writes a last time. To be called before the logins that end with the process are revoked. */
  async end(): Promise<void> {
    this.freeze();
    this.#listening[Symbol.dispose]();
    this.#cancel();
    this.#dueMonoMs = undefined;
    await this.#writing;
    await this.#write(true);
    await this.#login?.wrap[Symbol.asyncDispose]();
  }

  /** How long it may take until the state says that these secrets are as good as they were. */
  #patience(names: ReadonlySet<string>): number {
    const [name = ''] = names;
    const entry = this.#deps.manager.entryOf(name);
    const life = entry === undefined || entry.state === 'absent' ? undefined : entry.value.life;
    return patienceOf(life?.kind === 'lease' ? life.ttlMs : Number.POSITIVE_INFINITY);
  }

  #writeIn(ms: number): void {
    if (this.#frozen !== undefined) return;
    const dueMonoMs = Math.max(this.#deps.clock.monoMs() + ms, this.#notBeforeMonoMs);
    if (this.#dueMonoMs !== undefined && this.#dueMonoMs <= dueMonoMs) return;
    this.#dueMonoMs = dueMonoMs;
    this.#wait();
  }

  #wait(): void {
    this.#cancel();
    const { clock } = this.#deps;
    const dueMonoMs = this.#dueMonoMs;
    if (dueMonoMs === undefined) return;
    this.#cancel = clock.after(dueMonoMs - clock.monoMs(), () => {
      if (this.#writing !== undefined) return; // the end of that write waits again
      if (clock.monoMs() < dueMonoMs) return this.#wait();
      this.#dueMonoMs = undefined;
      this.#writing = this.#write(false).finally(() => {
        this.#writing = undefined;
        if (this.#frozen === undefined) this.#wait();
      });
    });
  }

  async #write(isLast: boolean): Promise<void> {
    const { clock, emit } = this.#deps;
    const startedMonoMs = clock.monoMs();
    try {
      const bytes = this.#seal(isLast);
      if (bytes.length > MAX_BYTES) {
        const seen = `it would have ${bytes.length} bytes; the limit is ${MAX_BYTES / 2 ** 20} MiB`;
        throw fail('STATE_NOT_WRITABLE', this.#config.place, seen, { hint: 'Keep fewer or smaller secrets.' });
      }
      await this.#folder.write(bytes, this.#replaced);
      this.#replaced = { setAside: false };
      this.#told = undefined;
    } catch (error) {
      const warning = asFailure(error, this.#config.place);
      if (this.#told !== warning.seen) emit({ kind: 'agent-warning', warning });
      this.#told = warning.seen;
      if (!isLast) this.#dueMonoMs ??= clock.monoMs() + MAX_WAIT_MS;
    }
    const tookMs = clock.monoMs() - startedMonoMs;
    this.#notBeforeMonoMs = startedMonoMs + Math.max(MIN_GAP_MS, tookMs * GAP_PER_WRITE);
    if (this.#dueMonoMs !== undefined) this.#dueMonoMs = Math.max(this.#dueMonoMs, this.#notBeforeMonoMs);
  }

  #seal(isLast: boolean): Buffer {
    const clocks = this.#now();
    const { secrets, known } = this.#frozen ?? collectSecrets(this.#deps.manager, clocks);
    const inUse = collectLogins(this.#deps.backends(), clocks, isLast);
    const logins = [...inUse, ...this.#earlier.unusedLogins()];
    const unused = this.#earlier.unused((id) => known.has(id));
    const kept = withLogins([...secrets, ...unused], logins);
    return seal(
      encodeContents({ savedWallMs: clocks.wallMs, keyMadeWallMs: this.#keyMadeWallMs, secrets: kept, logins }),
      this.#key,
    );
  }

  #now(): Clocks {
    const { clock } = this.#deps;
    return { wallMs: clock.wallMs(), monoMs: clock.monoMs() };
  }
}

/** A state that was opened, with its directory. */
export interface OpenedFolder extends OpenedState {
  readonly folder: StateFolder;
  /** The login that decrypted the key. It is given out, or else revoked at the end. */
  readonly login?: MadeLogin;
}

interface MadeLogin {
  readonly backend: string;
  readonly wrap: KeyWrap;
}

const patienceOf = (ttlMs: number | 'forever'): number =>
  ttlMs === 'forever' ? MAX_WAIT_MS : Math.min(MAX_WAIT_MS, Math.max(MIN_GAP_MS, ttlMs / 10));
