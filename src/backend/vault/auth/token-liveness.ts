import type { Clock } from '../../../base/clock.ts';
import { failure } from '../../../base/errors.ts';
import type { Emit } from '../../../base/fact.ts';
import { SingleFlight } from '../../../base/single-flight.ts';
import { type VaultClient, VaultStatusError } from '../client/client.ts';
import type { LiveLogin, Login } from './method.ts';
import { lookUpSelf } from './token-self.ts';

/**
 * How long an answer that a login is alive is remembered: a path that is denied at each poll asks once in this time,
 * and a login revoked right after the question is noticed this much later. Short, since a client of the proxy may poll
 * a denied path all day, and all that time it would hide a dead login from those who read what they may.
 */
export const ALIVE_MEMORY_MS = 1_000;

/**
 * Tells a denied path from a dead login. OpenBao answers both with 403 `permission denied`; only what
 * `auth/token/lookup-self` answers differs: 200 for a live token, 403 for a dead one.
 *
 * A token without the `default` policy is refused lookup-self as well, and would look dead each time a path is denied.
 * So the first verdict "dead" of a session is checked on its replacement: when a token that was just made is refused
 * too (`prove`), lookup-self says nothing here: every later 403 counts as a denied path, unless the server itself calls
 * the token invalid (Vault does, OpenBao does not), and a dead login is noticed at its renewal only. A warning says so.
 */
export class TokenLiveness {
  /** `unproven` until lookup-self told a live token; `denied` once it refused a token that was surely alive. */
  #lookup: 'unproven' | 'answers' | 'denied' = 'unproven';
  #alive: { readonly id: number; readonly atMs: number } | undefined;
  readonly #flights = new SingleFlight<number, 'alive' | 'dead'>();
  readonly #client: VaultClient;
  readonly #clock: Clock;
  readonly #emit: Emit;
  readonly #place: string;

  constructor(deps: {
    readonly client: VaultClient;
    readonly clock: Clock;
    readonly emit: Emit;
    readonly place: string;
  }) {
    this.#client = deps.client;
    this.#clock = deps.clock;
    this.#emit = deps.emit;
    this.#place = deps.place;
  }

  /** One question for all who ask about a login at once. No answer (network, 5xx) is no proof of death: `alive`. */
  async ask(login: LiveLogin, signal: AbortSignal, said?: 'invalid'): Promise<'alive' | 'dead'> {
    if (this.#lookup === 'denied') return said === 'invalid' ? 'dead' : 'alive';
    const known = this.#alive;
    if (known?.id === login.id && this.#clock.monoMs() - known.atMs < ALIVE_MEMORY_MS) return 'alive';
    return this.#flights.run(login.id, async () => {
      const refused = await this.#isRefused(login, signal);
      if (refused === true) return 'dead';
      if (refused === false) this.#lookup = 'answers';
      this.#alive = { id: login.id, atMs: this.#clock.monoMs() };
      return 'alive';
    });
  }

  /** To be called with the login made in place of one that `ask` called dead, before it is used. */
  async calibrate(fresh: Login, signal: AbortSignal): Promise<void> {
    if (this.#lookup !== 'unproven' || fresh.usesLeft !== 'unlimited') return;
    const refused = await this.#isRefused(fresh, signal);
    if (refused === undefined) return;
    this.#lookup = refused ? 'denied' : 'answers';
    if (!refused) return;
    const seen = 'the policy of this login does not allow auth/token/lookup-self';
    const hint = 'Allow it (the default policy does): without it a revoked login is noticed at its renewal only.';
    this.#emit({ kind: 'agent-warning', warning: failure('AUTH_UNUSABLE', this.#place, seen, { hint }) });
  }

  /** Undefined when nobody answered the question. */
  async #isRefused({ token }: Login, signal: AbortSignal): Promise<boolean | undefined> {
    try {
      await lookUpSelf({ client: this.#client, token, place: this.#place }, signal);
      return false;
    } catch (error) {
      return error instanceof VaultStatusError && error.status === 403 ? true : undefined;
    }
  }
}
