import { asFailure, fail, type PannierError } from '../../base/errors.ts';
import { isSamePlainData } from '../../base/plain-data-equal.ts';
import type { Config, ListenConfig } from '../../config/config.ts';
import { nameOfListen } from '../../deliver/http/listening.ts';
import type { Listener, Service } from '../../deliver/service.ts';
import type { AgentView } from './agent-view.ts';
import type { ListenerView } from './listener-view.ts';
import type { ServicePlan } from './service-plan.ts';
import { servicesOf } from './services.ts';

interface OpenListener {
  readonly plan: ServicePlan;
  readonly listener: Listener;
  readonly service: Service;
}

/** The listeners of a new configuration, made beside the open ones. */
export interface PreparedListeners {
  /** The new listeners and services serve from now on. Resolves when the old ones are closed. */
  commit(): Promise<void>;
  /** Closes what was made; the open listeners go on. */
  discard(): Promise<void>;
}

/**
 * The local listeners. A listener whose place stays the same keeps its socket and its connections, and gets the service
 * of the new configuration; the others are opened and closed.
 */
export class Listeners implements AsyncDisposable {
  readonly #view: AgentView;
  #open: ReadonlyMap<string, OpenListener> = new Map();

  constructor(view: AgentView) {
    this.#view = view;
  }

  /** See `prepare`: with every service of a configuration. */
  async prepareFor(config: Config): Promise<PreparedListeners> {
    return await this.prepare(servicesOf(config));
  }

  /**
   * Makes every service of `plans` and opens the listeners that are new.
   * @throws PannierError of the first listener that cannot be opened; then nothing has changed.
   */
  async prepare(plans: readonly ServicePlan[]): Promise<PreparedListeners> {
    const before = this.#open;
    const next = new Map<string, OpenListener>();
    const made: AsyncDisposable[] = [];
    const all = plans.map(({ where }) => where);
    try {
      for (const plan of plans) {
        const name = nameOfListen(plan.where);
        const old = before.get(name);
        const service = await plan.create(this.#view);
        made.push(service);
        const isInPlace = (await old?.listener.isInPlace()) ?? false;
        const isSame = old?.listener.protocol === service.protocol && isSamePlainData(old.plan.where, plan.where);
        if (old !== undefined && isInPlace && isSame) {
          next.set(name, { plan, listener: old.listener, service });
          continue;
        }
        const { where, place } = plan;
        const listener = await service.listen({ where, place, replaces: isInPlace, all }).catch((error: unknown) => {
          throw asFailure(error, place).code === 'LISTEN_IN_USE' ? (portOfThisAgent(plan, before) ?? error) : error;
        });
        made[made.length - 1] = listener; // disposing it disposes its service
        next.set(name, { plan, listener, service });
      }
    } catch (error) {
      await disposeAll(made);
      throw error;
    }
    return { commit: () => this.#commit(next), discard: () => disposeAll(made) };
  }

  /** The open listeners. */
  list(): readonly ListenerView[] {
    return [...this.#open].map(([where, { plan, listener }]) => ({ service: plan.service, where, listener }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#commit(new Map());
  }

  async #commit(next: ReadonlyMap<string, OpenListener>): Promise<void> {
    const before = this.#open;
    this.#open = next;
    const unused: AsyncDisposable[] = [];
    const starts: (Promise<void> | undefined)[] = [];
    for (const [name, { listener, service, plan }] of before) {
      if (next.get(name)?.listener === listener) unused.push(service);
      else {
        unused.push(listener);
        this.#tell('listener-closed', plan);
      }
    }
    for (const [name, { listener, service, plan }] of next) {
      starts.push(service.start?.());
      if (before.get(name)?.listener === listener) service.takeListener(listener);
      else this.#tell('listener-opened', plan);
    }
    await Promise.all(starts);
    for (const { listener } of next.values()) {
      await listener.takePlace().catch((error: unknown) => {
        this.#view.emit({ kind: 'agent-warning', warning: asFailure(error, 'listeners') });
      });
    }
    await disposeAll(unused);
  }

  #tell(kind: 'listener-opened' | 'listener-closed', { service, where }: { service: string; where: ListenConfig }) {
    this.#view.emit({ kind, service, where: nameOfListen(where) });
  }
}

/** The failure to bind a port that this agent has at another address; undefined when another process has the port. */
function portOfThisAgent(
  { where, place }: ServicePlan,
  before: ReadonlyMap<string, OpenListener>,
): PannierError | undefined {
  if (where.kind !== 'tcp') return undefined;
  for (const { plan } of before.values()) {
    if (plan.where.kind !== 'tcp' || plan.where.port !== where.port) continue;
    const seen = `this agent listens on ${nameOfListen(plan.where)} with the configuration before`;
    return fail('LISTEN_IN_USE', place, seen, { hint: 'Restart the agent, or apply another port in between.' });
  }
  return undefined;
}

async function disposeAll(things: readonly AsyncDisposable[]): Promise<void> {
  await Promise.all(things.map((thing) => thing[Symbol.asyncDispose]()));
}
