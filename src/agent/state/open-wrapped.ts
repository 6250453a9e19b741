import type { KeyWrap } from '../../backend/key-wrap.ts';
import { isOutage } from '../../backend/outage.ts';
import { type BackoffBounds, backoffMs } from '../../base/backoff.ts';
import { asFailure, type Failure, failure } from '../../base/errors.ts';
import type { StateConfig, WrappingKey } from '../../config/config.ts';
import { openWrappedState } from '../../state/open-state.ts';
import { createStateFolder } from '../../state/state-file.ts';
import { StateKeeper, type StateKeeperDeps } from './keeper.ts';
import type { OpeningHooks, StateOpening } from './opening.ts';

type WrappedStateDeps = StateKeeperDeps & { readonly random: () => number };

/** How long a start waits for the backend that decrypts the key; the tries go on after it. */
const UNWRAP_MS = 2_000;
const RETRY: BackoffBounds = { floorMs: 1_000, baseMs: 2_000, capMs: 300_000 };

/**
 * Opens a state whose key a backend decrypts. While that backend does not, the agent works without the state, and this
 * tries again until it does: what is kept then serves secrets that have no value yet, and what is known is kept.
 */
export class WrappedStateOpening implements StateOpening {
  readonly first: Promise<StateKeeper | undefined>;
  readonly #config: StateConfig;
  readonly #key: WrappingKey;
  readonly #deps: WrappedStateDeps;
  readonly #hooks: OpeningHooks;
  readonly #stop = new AbortController();
  readonly #trying: Promise<void>;
  /** Ends of keys that are no longer needed, which revoke a login. */
  readonly #ending = new Set<Promise<void>>();
  #isLate = false;
  #told: string | undefined;

  constructor(config: StateConfig, key: WrappingKey, deps: WrappedStateDeps, hooks: OpeningHooks) {
    this.#config = config;
    this.#key = key;
    this.#deps = deps;
    this.#hooks = hooks;
    const first = Promise.withResolvers<StateKeeper | undefined>();
    this.first = first.promise;
    const cancel = deps.clock.after(UNWRAP_MS, () => {
      const seen = `${this.#keyName} was not answered for within ${UNWRAP_MS} ms`;
      this.#tell(failure('STATE_KEY', key.place, seen, { hint: GOES_ON }));
      first.resolve(undefined);
    });
    void this.first.then(() => {
      this.#isLate = true;
      cancel();
    });
    this.#trying = this.#openAtLast(first.resolve);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#trying;
    await Promise.all(this.#ending);
  }

  get #keyName(): string {
    return `the key ${this.#key.name} of ${this.#key.backend}`;
  }

  async #openAtLast(settle: (keeper: StateKeeper | undefined) => void): Promise<void> {
    const { clock, random } = this.#deps;
    const stop = this.#stop.signal;
    for (let failures = 1; !stop.aborted; failures++) {
      try {
        const keeper = await this.#open();
        if (!this.#isLate) settle(keeper);
        else if (keeper !== undefined) this.#hooks.late(keeper);
        return;
      } catch (error) {
        if (stop.aborted) break;
        const why = asFailure(error, this.#key.place);
        const isOfState = why.code.startsWith('STATE_');
        this.#tell(isOfState ? why : this.#notUsable(why));
        settle(undefined);
        if (isOfState) return; // the directory, which another try finds as it is
        await clock.sleep(backoffMs(failures, random, why.retryAfterMs, RETRY), stop);
      }
    }
    settle(undefined);
  }

  async #open(): Promise<StateKeeper | undefined> {
    const { clock } = this.#deps;
    const { goesOn, openWrap } = this.#hooks;
    const config = this.#config;
    const folder = createStateFolder(config.path, config.place);
    const wrap = await openWrap(this.#key);
    let isHandedOver = false;
    try {
      const options = { wrap, nowWallMs: clock.wallMs(), signal: this.#stop.signal };
      const opened = await openWrappedState(config, folder, options);
      if (this.#stop.signal.aborted) return undefined;
      if (opened.warning !== undefined) this.#tell(opened.warning);
      const { backend } = this.#key;
      const isKnown = opened.contents.logins.some((one) => one.backend === backend && one.identity === wrap.identity);
      isHandedOver = !this.#isLate && !isKnown && goesOn(backend);
      return new StateKeeper(config, this.#deps, {
        ...opened,
        folder,
        ...(isHandedOver ? { login: { backend, wrap } } : {}),
      });
    } finally {
      if (!isHandedOver) this.#end(wrap);
    }
  }

  #end(wrap: KeyWrap): void {
    const ended = Promise.resolve(wrap[Symbol.asyncDispose]());
    this.#ending.add(ended);
    void ended.finally(() => this.#ending.delete(ended));
  }

  #notUsable(why: Failure): Failure {
    const seen = `${this.#keyName} cannot be used: ${why.seen}`;
    return failure('STATE_KEY', this.#key.place, seen, { hint: isOutage(why) ? GOES_ON : `${why.hint} ${GOES_ON}` });
  }

  #tell(warning: Failure): void {
    if (this.#told !== warning.seen) this.#deps.emit({ kind: 'agent-warning', warning });
    this.#told = warning.seen;
  }
}

const GOES_ON = 'The agent works without a state until then.';
