import { asFailure, fail, type PannierError } from '../../base/errors.ts';
import { isSamePlainData } from '../../base/plain-data-equal.ts';
import type { ListenConfig } from '../../config/config.ts';
import { nameOfListen } from '../../deliver/http/listening.ts';
import type { Listener, Service } from '../../deliver/service.ts';
import type { AgentView } from './agent-view.ts';
import type { ListenerView } from './listener-view.ts';
import type { ServicePlan } from './service-plan.ts';

interface OpenListener {
  readonly plan: ServicePlan;
  readonly listener: Listener;
  readonly service: Service;
}

/** What a new configuration listens on, made beside what listens now. */
export interface PreparedListeners {
  /** From now on the new ones serve; the promise is of the old ones being closed. */
  commit(): Promise<void>;
  /** Closes what was made. */
  discard(): Promise<void>;
}

/**
 * The local listeners. One whose place stays keeps its socket and its connections and gets the new configuration's
 * service; the others are opened and closed.
 */
export class Listeners implements AsyncDisposable {
  readonly #view: AgentView;
  #open: ReadonlyMap<string, OpenListener> = new Map();

  constructor(view: AgentView) {
    this.#view = view;
  }

  /**
   * Makes every service of `plans` and opens the listeners that are new.
   * @throws PannierError of the first that cannot be opened; then nothing has changed.
   */
  async prepare(plans: readonly ServicePlan[]): Promise<PreparedListeners> {
    const before = this.#open;
    const next = new Map<string, OpenListener>();
    const made: AsyncDisposable[] = [];
    try {
      for (const plan of plans) {
        const name = nameOfListen(plan.where);
        const there = before.get(name);
        const service = await plan.create(this.#view);
        made.push(service);
        const isThere = (await there?.listener.isInPlace()) ?? false;
        const isSame = there?.listener.protocol === service.protocol && isSamePlainData(there.plan.where, plan.where);
        if (there !== undefined && isThere && isSame) {
          next.set(name, { plan, listener: there.listener, service });
          continue;
        }
        const { where, place } = plan;
        const listener = await service.listen({ where, place, replaces: isThere }).catch((error: unknown) => {
          throw asFailure(error, place).code === 'LISTEN_IN_USE' ? (ownPort(plan, before) ?? error) : error;
        });
        made[made.length - 1] = listener; // it disposes its service
        next.set(name, { plan, listener, service });
      }
    } catch (error) {
      await disposeAll(made);
      throw error;
    }
    return { commit: () => this.#commit(next), discard: () => disposeAll(made) };
  }

  /** Those that serve now. */
  list(): readonly ListenerView[] {
    return [...this.#open].map(([where, { plan, listener }]) => ({ service: plan.service, where, listener }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#commit(new Map());
  }

  async #commit(next: ReadonlyMap<string, OpenListener>): Promise<void> {
    const before = this.#open;
    this.#open = next;
    const gone: AsyncDisposable[] = [];
    const starting: (Promise<void> | undefined)[] = [];
    for (const [name, { listener, service, plan }] of before) {
      if (next.get(name)?.listener === listener) gone.push(service);
      else {
        gone.push(listener);
        this.#tell('listener-closed', plan);
      }
    }
    for (const [name, { listener, service, plan }] of next) {
      starting.push(service.start?.());
      if (before.get(name)?.listener === listener) service.takeListener(listener);
      else this.#tell('listener-opened', plan);
    }
    await Promise.all(starting);
    for (const { listener } of next.values()) {
      await listener.takePlace().catch((error: unknown) => {
        this.#view.emit({ kind: 'agent-warning', warning: asFailure(error, 'listeners') });
      });
    }
    await disposeAll(gone);
  }

  #tell(kind: 'listener-opened' | 'listener-closed', { service, where }: { service: string; where: ListenConfig }) {
    this.#view.emit({ kind, service, where: nameOfListen(where) });
  }
}

/** A port cannot be taken by another address while this agent listens on it; that would not be "another process". */
function ownPort({ where, place }: ServicePlan, before: ReadonlyMap<string, OpenListener>): PannierError | undefined {
  if (where.kind !== 'tcp') return undefined;
  for (const { plan } of before.values()) {
    if (plan.where.kind !== 'tcp' || plan.where.port !== where.port) continue;
    const seen = `this agent listens on ${nameOfListen(plan.where)} with the configuration before`;
    return fail('LISTEN_IN_USE', place, seen, { hint: 'Restart it, or take another port in between.' });
  }
  return undefined;
}

async function disposeAll(made: readonly AsyncDisposable[]): Promise<void> {
  await Promise.all(made.map((one) => one[Symbol.asyncDispose]()));
}
