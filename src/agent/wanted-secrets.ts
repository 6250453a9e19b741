import type { LeaseManager } from '../lease/manager.ts';
import { refreshTogether } from '../lease/refresh-together.ts';
import type { ComputedByName } from '../render/render.ts';
import type { Backends } from './backends.ts';
import type { OutputLoops } from './output/loops.ts';
import { namesTogether, wantOfComputed, wantsOf } from './output/wants.ts';
import type { Plan } from './plan.ts';
import { servedSecrets } from './serve/served.ts';

export interface WantedSecretsDeps {
  readonly manager: LeaseManager;
  readonly loops: OutputLoops;
  readonly backends: Backends;
  /** Secrets are fetched for the listeners of the configuration too; `init` opens none. */
  readonly isServing: boolean;
  /** False, for `init`: no change of a secret brings the fetch of another forward, see `LeaseManagerOptions`. */
  readonly polls: boolean;
}

/** Has the lease manager fetch what the outputs and the listeners of the present plan need, and nothing else. */
export class WantedSecrets implements Disposable {
  readonly #deps: WantedSecretsDeps;
  #plan: Plan | undefined;
  /** What listeners were asked for beside the secrets that the configuration names. */
  #asked: ComputedByName = new Map();
  #together: Disposable | undefined;
  #updating: NodeJS.Immediate | undefined;
  #hasEnded = false;

  constructor(deps: WantedSecretsDeps) {
    this.#deps = deps;
  }

  /** Goes over to `plan`, whose backends are open and whose loops are in place. */
  follow(plan: Plan): void {
    this.#plan = plan;
    this.#update();
  }

  /**
   * Has these secrets fetched too. The map may change later: then this is called again.
   * @param added the only one that is new: it is fetched at once, and the others cost nothing.
   */
  alsoWant(secrets: ComputedByName, added?: string): void {
    this.#asked = secrets;
    const secret = added === undefined ? undefined : secrets.get(added);
    const { manager, backends } = this.#deps;
    const backend = secret && backends.byName().get(secret.backend);
    if (added === undefined || secret === undefined || backend === undefined || this.#hasEnded) this.updateSoon();
    else manager.add(added, wantOfComputed(secret, backend.identity), backend);
  }

  /**
   * What the outputs need has changed. Many outputs that compute their paths at one time cause one reconciling of
   * everything.
   */
  updateSoon(): void {
    if (this.#updating !== undefined || this.#hasEnded) return;
    this.#updating = setImmediate(() => {
      this.#updating = undefined;
      this.#update();
    });
  }

  [Symbol.dispose](): void {
    this.#hasEnded = true;
    clearImmediate(this.#updating);
    this.#together?.[Symbol.dispose]();
  }

  #update(): void {
    if (this.#plan === undefined) return;
    const { manager, loops, isServing, polls } = this.#deps;
    const { config } = this.#plan;
    const backends = this.#deps.backends.byName();
    const needs = loops.needs();
    this.#together?.[Symbol.dispose]();
    const served = isServing ? [{ names: servedSecrets(config), computed: this.#asked }] : [];
    manager.reconcile(wantsOf(config, backends, [...needs, ...served]), backends);
    if (polls) this.#together = refreshTogether(manager, namesTogether(needs));
  }
}
