import '../../src/backend/vault/client/status.ts';
import '../../src/backend/vault/source/advice.ts';
import '../../src/backend/vault/source/end.ts';
import '../../src/backend/vault/source/kv-missing.ts';
import { podShare } from '../../src/agent/output/pod-share.ts';
import { ReloadSlot } from '../../src/agent/output/reload-slot.ts';
import type { Want } from '../../src/backend/backend.ts';
import { protectionOf, spreadsFirstOf } from '../../src/backend/protection.ts';
import { createVaultMethod } from '../../src/backend/vault/auth/create-method.ts';
import { createSession } from '../../src/backend/vault/auth/session.ts';
import { createVaultBackend } from '../../src/backend/vault/backend.ts';
import { createVaultClient } from '../../src/backend/vault/client/create-client.ts';
import type { VaultBackendConfig } from '../../src/backend/vault/config/config.ts';
import type { VaultRequest } from '../../src/backend/vault/config/request.ts';
import type { Exchange } from '../../src/http/transport.ts';
import { LeaseManager } from '../../src/lease/manager.ts';
import type { SimTime } from './sim-clock.ts';
import type { SimServer } from './sim-server.ts';

export interface SimAgentOptions {
  readonly time: SimTime;
  readonly server: SimServer;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Name of its pod. */
  readonly pod: string;
  /** How many secrets of KV it has. */
  readonly polled: number;
  /** They are in one mount, not in two by turns. Absent or false: in two. */
  readonly oneMount?: boolean | undefined;
  readonly refreshMs: number;
  readonly startSpreadMs: number;
  readonly reloadSpreadMs: number;
  /** Called when the application would be told of another value. */
  readonly reloaded: () => void;
}

/**
 * One agent of a fleet with secrets of KV, in two mounts, and the credentials of a database: the lease manager, the
 * session, the client and the circuit breaker that `pannier run` has. Only sockets, files and the output loop are left
 * out. What the agent loads on need is loaded above: loading takes real time, and simulated time does not wait for it.
 */
export class SimAgent {
  readonly #manager: LeaseManager;
  readonly #backend: ReturnType<typeof createVaultBackend>;
  readonly #cancelReload: () => void;

  constructor(options: SimAgentOptions) {
    const { time, server, random, pod, polled, oneMount, refreshMs, startSpreadMs, reloadSpreadMs, reloaded } = options;
    const clock = time.clockAt(random() * 3_600_000);
    const emit = () => {};
    const auth = {
      ...({ method: 'approle', mount: 'approle', roleId: 'shop', revokeOnExit: false } as const),
      ...{ secretIdWrapped: false, removeSecretIdFile: false },
    };
    const config = {
      ...{ kind: 'vault', name: 'bao', address: 'http://bao.invalid:8200', timeoutMs: 10_000 },
      ...{ tls: { skipVerify: false }, requests: { startSpreadMs } },
      auth,
    } as unknown as VaultBackendConfig;
    const kept = new Map<string, never>();
    const context = { clock, random, emit, env: {}, version: 'simulated', kept, spreadsStart: true } as const;
    const protection = protectionOf(config, context);
    const exchange: Exchange = (request, stop) => server.answer(request, stop);
    const client = createVaultClient({ config, clock, emit, env: {}, protection, exchange });
    const method = createVaultMethod({ name: 'bao', auth }, { client, clock, emit, env: {}, kept });
    const spreadsFirst = spreadsFirstOf(config);
    const common = { client, clock, random, emit };
    const session = createSession({ ...common, method, revokeOnExit: false, backend: 'bao', spreadsFirst });
    const { onRecovered } = protection;
    this.#backend = { ...createVaultBackend(config, { ...common, session }), spreadsFirst, onRecovered };
    this.#manager = new LeaseManager({ clock, random, emit });

    const manager = this.#manager;
    const share = podShare({ POD_NAME: pod }, 'shop') ?? 0;
    const slot = new ReloadSlot({ spreadMs: reloadSpreadMs, share, manager, clock, names: () => manager.names() });
    slot.takenUp();
    this.#cancelReload = () => cancel();
    let cancel = () => {};
    manager.onEvent((_names, event) => {
      if (event !== 'changed') return;
      cancel();
      cancel = clock.after(slot.dueMonoMs(true) - clock.monoMs(), () => {
        slot.takenUp();
        reloaded();
      });
    });
    const wants = new Map<string, Want>();
    for (let nth = 0; nth < polled; nth++) {
      const path = oneMount === true || nth % 2 === 0 ? 'secret/shop/app' : 'team/shop/mail';
      const isPlain = nth < (oneMount === true ? 1 : 2);
      const name = isPlain ? path.replace(/.*\//, '') : `more-${nth}`;
      const own = isPlain ? path : `${path}-${nth}`;
      wants.set(name, wantOf(name, { kind: 'vault-kv', path: own }, refreshMs));
    }
    wants.set('db', wantOf('db', { kind: 'vault-read', path: 'database/creds/shop' }, refreshMs));
    manager.reconcile(wants, new Map([['bao', this.#backend]]));
  }

  /** What status says of the circuit breaker. */
  get circuit(): string | undefined {
    return this.#backend.circuit?.()?.state;
  }

  /** How many of its secrets are as they should be. */
  get fresh(): number {
    return [...this.#manager.entries()].filter(([, entry]) => entry?.state === 'fresh').length;
  }

  /** The pod ends. */
  end(): void {
    this.#cancelReload();
    void this.#manager[Symbol.asyncDispose]();
    void this.#backend[Symbol.asyncDispose]();
  }
}

function wantOf(name: string, request: VaultRequest, refreshMs: number): Want {
  return { id: name, backend: 'bao', request, place: `secrets.${name}`, refreshMs, optional: false };
}
