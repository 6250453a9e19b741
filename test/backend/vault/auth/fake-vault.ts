import type { VaultAnswer, VaultCall, VaultClient } from '../../../../src/backend/vault/client/client.ts';
import { statusError } from '../../../../src/backend/vault/client/status.ts';
import type { Clock } from '../../../../src/base/clock.ts';
import { fail } from '../../../../src/base/errors.ts';
import { parseJson } from '../../../../src/base/json.ts';
import { Secret } from '../../../../src/base/secret.ts';
import type { Fields } from '../../../../src/base/value.ts';

export type Handler = (call: VaultCall, signal: AbortSignal) => VaultAnswer | Promise<VaultAnswer>;

/** The most calls of one test: an endless loop of calls fails the test instead of hanging it. */
const MAX_CALLS = 5000;

/** A client whose server is a table of handlers by `METHOD path`; other paths are answered 404. It counts calls. */
export class FakeVault implements VaultClient {
  readonly backend = 'bao';
  readonly address = 'https://bao.test:8200';
  readonly namespace = undefined;
  readonly calls: VaultCall[] = [];
  readonly routes = new Map<string, Handler>();
  disposed = 0;

  on(route: string, handler: Handler): this {
    this.routes.set(route, handler);
    return this;
  }

  /** The number of calls to paths with this beginning. */
  count(path: string): number {
    return this.calls.filter((call) => call.path.startsWith(path)).length;
  }

  async call(call: VaultCall, signal: AbortSignal): Promise<VaultAnswer> {
    if (signal.aborted) throw fail('CANCELLED', call.place, 'cancelled');
    this.calls.push(call);
    if (this.calls.length > MAX_CALLS) return silence(signal);
    const handler = this.routes.get(`${call.method} ${call.path}`);
    return handler === undefined ? refuse(404) : handler(call, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disposed++;
  }
}

export function answer(body: unknown, status = 200, headers: Record<string, string> = {}): VaultAnswer {
  return { status, headers, body: parseJson(JSON.stringify(body)) as Fields };
}

/** Throws the error that the real client throws for that status. */
export function refuse(status: number, body: unknown = { errors: [] }, headers: Record<string, string> = {}): never {
  const fields = parseJson(JSON.stringify(body)) as Fields;
  throw statusError({
    status,
    headers,
    body: fields,
    address: 'https://bao.test:8200',
    call: 'GET path',
    place: 'here',
    nowMs: 0,
  });
}

export function unreachable(): never {
  throw fail('BACKEND_UNREACHABLE', 'here', 'connection refused');
}

/** An answer that never comes; the call ends when it is cancelled. */
export function silence(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(fail('CANCELLED', 'here', 'cancelled')), { once: true });
  });
}

export interface TokenRules {
  ttlS: number;
  /** The longest life of a token, counted from its login. */
  maxTtlS: number;
  renewable: boolean;
  uses: number;
}

/**
 * The token part of a server, on a fake clock: logins at `auth/kubernetes/login`, renew-self, lookup-self, revoke-self,
 * and `secret/denied` (403 to all) and `secret/open` (200 to live tokens). A dead token is answered as OpenBao does.
 */
export class FakeTokens extends FakeVault {
  readonly rules: TokenRules = { ttlS: 60, maxTtlS: 86_400 * 3650, renewable: true, uses: 0 };
  readonly #clock: Clock;
  readonly #tokens = new Map<string, { madeMs: number; endsMs: number; uses: number }>();
  #made = 0;

  constructor(clock: Clock) {
    super();
    this.#clock = clock;
    this.on('POST auth/kubernetes/login', () => this.#logIn())
      .on('POST auth/token/renew-self', (call) => this.#renew(call))
      .on('GET auth/token/lookup-self', (call) => this.#known(call, answer({ data: { ttl: 1 } })))
      .on('POST auth/token/revoke-self', (call) => {
        this.#check(call);
        this.revoke();
        return answer({}, 204);
      })
      .on('GET secret/open', (call) => this.#known(call, answer({ data: { a: 1 } })))
      .on('GET secret/denied', () => refuse(403, { errors: ['permission denied'] }));
  }

  /** Revokes all tokens. */
  revoke(): void {
    this.#tokens.clear();
  }

  /** Answers a route with `handler` from now on; returns a function that restores the answer before. */
  swap(route: string, handler: Handler): () => void {
    const before = this.routes.get(route) as Handler;
    this.on(route, handler);
    return () => void this.on(route, before);
  }

  #logIn(): VaultAnswer {
    const { ttlS, renewable, uses } = this.rules;
    const client_token = `token-${++this.#made}`;
    const madeMs = this.#clock.monoMs();
    const endsMs = ttlS === 0 ? Number.POSITIVE_INFINITY : madeMs + ttlS * 1000;
    this.#tokens.set(client_token, { madeMs, endsMs, uses: uses || Number.POSITIVE_INFINITY });
    return answer({ auth: { client_token, lease_duration: ttlS, renewable, num_uses: uses } });
  }

  #renew(call: VaultCall): VaultAnswer {
    const client_token = this.#check(call);
    const token = this.#tokens.get(client_token) ?? refuse(403);
    const now = this.#clock.monoMs();
    token.endsMs = Math.min(now + this.rules.ttlS * 1000, token.madeMs + this.rules.maxTtlS * 1000);
    const lease_duration = Math.floor((token.endsMs - now) / 1000 + 1e-6);
    return answer({ auth: { client_token, lease_duration, renewable: this.rules.renewable } });
  }

  #known(call: VaultCall, given: VaultAnswer): VaultAnswer {
    this.#check(call);
    return given;
  }

  #check({ token }: VaultCall): string {
    const text = (token ?? Secret.text('')).exposeText('backend');
    const known = this.#tokens.get(text);
    if (known === undefined || known.endsMs <= this.#clock.monoMs() || known.uses-- <= 0) {
      return refuse(403, { errors: ['permission denied'] });
    }
    return text;
  }
}
