import type { Backend } from '../backend/backend.ts';
import type { KeyWrap } from '../backend/key-wrap.ts';
import type { BackendKind, OpeningContext } from '../backend/kind.ts';
import { BACKEND_KINDS } from '../backend/registry.ts';
import { isSamePlainData } from '../base/plain-data-equal.ts';
import type { BackendConfig, SecretRequest, WrappingKey } from '../config/config.ts';
import { kindOf } from '../config/sections/backends/kind.ts';
import type { AgentContext } from './context.ts';
import type { Plan } from './plan.ts';

interface Opened {
  readonly config: BackendConfig;
  readonly backend: Backend;
}

/** The open backends. A backend whose configuration stays the same is kept, with its login and its connections. */
export class Backends implements AsyncDisposable {
  readonly #context: OpeningContext;
  readonly #kinds: readonly BackendKind[];
  /** The process has just begun, and stays: its first requests may be spread. */
  #isStart: boolean;
  #opened: ReadonlyMap<string, Opened> = new Map();

  /**
   * @param takeLogin see `OpeningContext`.
   * @param plan the whole plan, from the first `replace` on.
   * @param once the process ends when its outputs have come to an end; else its first requests may be spread, see
   * `BackendContext.spreadsStart`.
   */
  constructor(
    context: AgentContext,
    takeLogin: NonNullable<OpeningContext['takeLogin']>,
    plan: () => Plan,
    once: boolean,
  ) {
    this.#isStart = !once;
    this.#context = {
      ...context,
      kept: new Map(),
      takeLogin,
      runCommand: async (command, signal) =>
        (await import('./run-backend-command.ts')).runBackendCommand(command, context, plan().config, signal),
      ...(once ? { askedOnce: (backend: string) => requestsOf(backend, plan()) } : {}),
    };
    this.#kinds = context.kinds ?? BACKEND_KINDS;
  }

  /** Opens the key of a configured backend that encrypts keys. */
  async openKeyWrap(key: WrappingKey, config: BackendConfig | undefined): Promise<KeyWrap> {
    const open = config && kindOf(this.#kinds, config).openKeyWrap;
    if (config === undefined || open === undefined) throw new TypeError(`${key.backend} wraps no keys`);
    return await open(config, key, this.#context);
  }

  byName(): ReadonlyMap<string, Backend> {
    return new Map([...this.#opened].map(([name, { backend }]) => [name, backend]));
  }

  /**
   * Opens the backends of `configs` beside the ones that are open, and then takes their place.
   * @returns closes the backends that are no longer used; to be called when no request to them is begun any more.
   * @throws PannierError of the backend that cannot be opened; then nothing has changed.
   */
  async replace(configs: Iterable<BackendConfig>): Promise<() => Promise<void>> {
    const next = new Map<string, Opened>();
    const opened: Backend[] = [];
    try {
      for (const config of configs) {
        const known = this.#opened.get(config.name);
        if (known !== undefined && isSamePlainData(known.config, config)) next.set(config.name, known);
        else {
          const context = this.#isStart ? { ...this.#context, spreadsStart: true as const } : this.#context;
          const backend = await kindOf(this.#kinds, config).open(config, context);
          opened.push(backend);
          next.set(config.name, { config, backend });
        }
      }
    } catch (error) {
      await dispose(opened);
      throw error;
    }
    const kept = new Set([...next.values()].map(({ backend }) => backend));
    const gone = [...this.#opened.values()].map(({ backend }) => backend).filter((backend) => !kept.has(backend));
    this.#opened = next;
    this.#isStart = false;
    return () => dispose(gone);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.replace([]))();
  }
}

/** What the outputs of a plan ask of one backend, beside paths that they compute. */
function requestsOf(name: string, { config, outputs }: Plan): readonly SecretRequest[] {
  const wanted = new Set(outputs.flatMap(({ renderer }) => [...renderer.wants]));
  const own = [...wanted].flatMap((one) => config.secrets.get(one) ?? []);
  return own.filter(({ backend }) => backend === name).map(({ request }) => request);
}

async function dispose(backends: readonly Backend[]): Promise<void> {
  await Promise.all(backends.map((backend) => backend[Symbol.asyncDispose]()));
}
