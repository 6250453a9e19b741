import type { Backend } from '../backend/backend.ts';
import type { BackendKind, OpeningContext } from '../backend/kind.ts';
import { BACKEND_KINDS } from '../backend/registry.ts';
import { isSamePlainData } from '../base/plain-data-equal.ts';
import type { BackendConfig, Config } from '../config/config.ts';
import { kindOf } from '../config/sections/backends/kind.ts';
import type { AgentContext } from './context.ts';

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
   * @param config the whole configuration, from the first `replace` on.
   * @param stays the first requests may be spread, see `BackendContext.spreadsStart`.
   */
  constructor(
    context: AgentContext,
    takeLogin: NonNullable<OpeningContext['takeLogin']>,
    config: () => Config,
    stays = false,
  ) {
    this.#isStart = stays;
    this.#context = {
      ...context,
      kept: new Map(),
      takeLogin,
      runCommand: async (command, signal) =>
        (await import('./run-backend-command.ts')).runBackendCommand(command, context, config(), signal),
    };
    this.#kinds = context.kinds ?? BACKEND_KINDS;
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

async function dispose(backends: readonly Backend[]): Promise<void> {
  await Promise.all(backends.map((backend) => backend[Symbol.asyncDispose]()));
}
