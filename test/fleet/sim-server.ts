import type { CallCancellation } from '../../src/http/call-cancellation.ts';
import type { WireAnswer, WireRequest } from '../../src/http/exchange.ts';
import { WireError } from '../../src/http/wire-error.ts';
import type { SimTime } from './sim-clock.ts';

export type RequestKind = 'login' | 'renewal' | 'fetch' | 'other';

export interface ServerOptions {
  readonly time: SimTime;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** The requests that are answered in one second; further ones get 503 or 429. */
  readonly perSecond: number;
  readonly loginTtlS: number;
  readonly leaseTtlS: number;
  /** Called for each request that comes, also while the server is down. */
  readonly seen: (kind: RequestKind, refused: boolean, path: string) => void;
}

/**
 * A Vault of limited capacity, as far as the fleet of a simulation asks it: an AppRole login, its renewal, two mounts
 * of KV 2, a database role and the renewal of its leases. Answers have the form of the real server's, and take 5 to 15
 * ms.
 */
export class SimServer {
  readonly #options: ServerOptions;
  #second = 0;
  #inSecond = 0;
  #serial = 0;
  /** Nothing listens: connections are refused. */
  isDown = false;
  /** What happens to each request whose path this is: no answer comes, or 503. */
  trouble: { readonly paths: RegExp; readonly is: 'hang' | 'unavailable' } | undefined;
  /** One of two mounts of KV is gone: each read of it is answered with 404. */
  isKvGone = false;
  /** The version of every KV secret. */
  version = 1;

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  async answer({ method, path, body }: WireRequest, stop: CallCancellation): Promise<WireAnswer> {
    const { time, random, seen } = this.#options;
    const kind = kindOf(path);
    const isRefused = !this.isDown && !this.#hasCapacity();
    seen(kind, this.isDown || isRefused, path);
    await new Promise<void>((resolve) => time.after(this.isDown ? 1 : 5 + 10 * random(), resolve));
    if (this.isDown) throw new WireError({ code: 'ECONNREFUSED' }, { stale: false, midway: false });
    const trouble = this.trouble?.paths.test(path) === true ? this.trouble.is : undefined;
    if (trouble === 'hang') return await new Promise((_, reject) => stop.listen(() => reject(stop.reason)));
    if (trouble === 'unavailable') return json(503, { errors: ['Vault is sealed'] });
    if (isRefused) return json(random() < 0.5 ? 503 : 429, { errors: ['too many requests'] });
    return this.#reply(`${method} ${path.replace(/(?<=\/shop\/(?:app|mail))-\d+$/, '')}`, body);
  }

  #hasCapacity(): boolean {
    const second = Math.floor(this.#options.time.nowMs / 1000);
    if (second !== this.#second) this.#inSecond = 0;
    this.#second = second;
    return ++this.#inSecond <= this.#options.perSecond;
  }

  #reply(call: string, body: Uint8Array | undefined): WireAnswer {
    const { loginTtlS, leaseTtlS } = this.#options;
    const auth = { client_token: `s.${++this.#serial}`, accessor: 'a', lease_duration: loginTtlS, renewable: true };
    switch (call) {
      case 'POST /v1/auth/approle/login':
        return json(200, { auth });
      case 'POST /v1/auth/token/renew-self':
        return json(200, { auth });
      case 'GET /v1/auth/token/lookup-self':
        return json(200, { data: { ttl: loginTtlS, renewable: true } });
      case 'GET /v1/sys/internal/ui/mounts/secret/shop/app':
        if (this.isKvGone) return json(403, { errors: ['preflight capability check returned 403'] });
        return mountAt('secret/');
      case 'GET /v1/sys/internal/ui/mounts/team/shop/mail':
        return mountAt('team/');
      case 'GET /v1/sys/internal/ui/mounts': {
        const kv = { 'secret/': { type: 'kv', options: { version: '2' } } };
        const secret = { ...(this.isKvGone ? {} : kv), 'database/': { type: 'database' } };
        return json(200, { data: { secret, auth: {} } });
      }
      case 'GET /v1/team/data/shop/mail':
        return this.#kv();
      case 'GET /v1/secret/data/shop/app':
        if (this.isKvGone) return json(404, { errors: ['no handler for route "secret/data/shop/app"'] });
        return this.#kv();
      case 'GET /v1/database/creds/shop': {
        const data = { username: `v-${++this.#serial}`, password: 'p' };
        const lease = { lease_id: `database/creds/shop/${this.#serial}`, lease_duration: leaseTtlS, renewable: true };
        return json(200, { ...lease, data });
      }
      case 'PUT /v1/sys/leases/renew': {
        const { lease_id } = JSON.parse(Buffer.from(body ?? []).toString()) as { lease_id: string };
        return json(200, { lease_id, lease_duration: leaseTtlS, renewable: true });
      }
      default:
        return json(403, { errors: ['1 error occurred:\n\t* permission denied\n\n'] });
    }
  }

  #kv(): WireAnswer {
    const metadata = { version: this.version, created_time: '2026-01-01T00:00:00Z', deletion_time: '' };
    return json(200, { data: { data: { password: `p${this.version}` }, metadata } });
  }
}

function mountAt(path: string): WireAnswer {
  return json(200, { data: { path, type: 'kv', options: { version: '2' } } });
}

function kindOf(path: string): RequestKind {
  if (path.endsWith('/login')) return 'login';
  if (/\/(?:renew-self|leases\/renew)$/.test(path)) return 'renewal';
  return /^\/v1\/(?:secret|team|database)\//.test(path) ? 'fetch' : 'other';
}

function json(status: number, body: unknown): WireAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(body)) };
}
