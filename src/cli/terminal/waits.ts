import { formatDuration } from '../../base/duration.ts';
import type { Fact } from '../../base/fact.ts';
import type { Config } from '../../config/config.ts';

/** What a request waits for. */
export type Phase = 'a connection' | 'the name look-up' | 'the connection' | 'the TLS handshake' | 'the answer';

/** A request that is under way. */
export interface Asked {
  /** `HOST:PORT`, or the path of a unix socket. */
  readonly where: string;
  readonly path: string;
}

/** What is waited for is told when it has taken this long. */
export const PATIENCE_MS = 1_000;

interface Wait extends Asked {
  readonly sinceMs: number;
  phase: Phase;
}

interface Trouble {
  readonly backend: string;
  readonly seen: string;
  readonly sinceMs: number;
  readonly nextMs: number;
}

/** Knows what a command waits for, and puts it into words. It shows names, addresses and numbers, and no paths. */
export class Waits {
  readonly #requests = new Map<object, Wait>();
  readonly #troubles = new Map<string, Trouble>();
  /** Outputs whose reload is under way. */
  readonly #reloads = new Map<string, number>();
  #config: Config | undefined;
  #doing: { readonly text: string; readonly sinceMs: number } | undefined;

  /** From now on names are those of this configuration. */
  know(config: Config): void {
    this.#config = config;
  }

  /** What is done while no request is under way. */
  begin(text: string, nowMs: number): void {
    this.#doing = { text, sinceMs: nowMs };
  }

  ask(request: object, asked: Asked, nowMs: number): void {
    this.#requests.set(request, { ...asked, sinceMs: nowMs, phase: 'a connection' });
  }

  reach(request: object, phase: Phase): void {
    const wait = this.#requests.get(request);
    if (wait !== undefined) wait.phase = phase;
  }

  end(request: object): void {
    this.#requests.delete(request);
  }

  hear(fact: Fact, nowMs: number): void {
    switch (fact.kind) {
      case 'login-failed':
        this.#fail(fact.backend, fact.failure.seen, fact.retryInMs, nowMs);
        break;
      case 'secret-failed': {
        const backend = this.#config?.secrets.get(fact.secrets[0] ?? '')?.backend;
        if (backend !== undefined) this.#fail(backend, fact.failure.seen, fact.retryInMs, nowMs);
        break;
      }
      case 'login-made':
        this.#troubles.delete(fact.backend);
        break;
      case 'secret-changed':
        this.#troubles.delete(this.#config?.secrets.get(fact.secrets[0] ?? '')?.backend ?? '');
        break;
      case 'output-published':
        this.#reloads.set(fact.output, nowMs);
        break;
      case 'reload-done':
      case 'reload-failed':
      case 'reload-skipped':
        this.#reloads.delete(fact.output);
        break;
    }
  }

  /** One line about what has been waited for longest; empty while nothing has taken long. */
  text(nowMs: number): string {
    const waits = [...this.#requests.values()].filter(({ sinceMs }) => nowMs - sinceMs >= PATIENCE_MS);
    const [oldest] = waits;
    if (oldest !== undefined) return this.#ofRequest(oldest, waits.length - 1, nowMs);
    if (this.#requests.size > 0) return '';
    for (const trouble of this.#troubles.values()) {
      if (nowMs - trouble.sinceMs < PATIENCE_MS) continue;
      const next = seconds(Math.max(0, trouble.nextMs - nowMs));
      return `${seconds(nowMs - trouble.sinceMs)}: ${this.#named(trouble.backend)}: ${trouble.seen}; next try in ${next}`;
    }
    for (const [output, sinceMs] of this.#reloads) {
      if (nowMs - sinceMs >= PATIENCE_MS) return `${seconds(nowMs - sinceMs)}: waiting for the reload of ${output}`;
    }
    if (this.#doing === undefined || nowMs - this.#doing.sinceMs < PATIENCE_MS) return '';
    return `${seconds(nowMs - this.#doing.sinceMs)}: ${this.#doing.text}`;
  }

  #ofRequest({ where, path, sinceMs, phase }: Wait, others: number, nowMs: number): string {
    const backend = this.#backendAt(where);
    const who = backend === undefined ? where : `${backend} (${where})`;
    const more = others === 0 ? '' : ` (and for ${others} more)`;
    return `${seconds(nowMs - sinceMs)}: waiting for ${who}: ${this.#whatOf(path)}, ${phase}${more}`;
  }

  #fail(backend: string, seen: string, retryInMs: number, nowMs: number): void {
    const sinceMs = this.#troubles.get(backend)?.sinceMs ?? nowMs;
    this.#troubles.set(backend, { backend, seen, sinceMs, nextMs: nowMs + retryInMs });
  }

  #named(name: string): string {
    const backend = this.#config?.backends.get(name);
    return backend !== undefined && 'address' in backend ? `${name} (${String(backend.address)})` : name;
  }

  #backendAt(where: string): string | undefined {
    for (const backend of this.#config?.backends.values() ?? []) {
      if ('address' in backend && whereOf(String(backend.address)) === where) return backend.name;
    }
    return undefined;
  }

  /** What a request is for, by its path; the path itself may be a computed one and is not shown. */
  #whatOf(path: string): string {
    const plain = path.replace(/\?.*$/s, '');
    if (/\/auth\/.+\/login(?:\/|$)/.test(plain)) return 'login';
    if (plain.includes('/auth/token/')) return 'the token of the login';
    if (plain.includes('/sys/internal/ui/mounts/')) return 'the kind of a mount';
    const [, asked] = /^\/v1\/outputs\/[^/]+\/(rollback|resume)$/.exec(plain) ?? [];
    if (asked !== undefined) return asked;
    for (const { name, request } of this.#config?.secrets.values() ?? []) {
      if (pathsOf(request).some((one) => plain.endsWith(`/v1/${one}`))) return `read of ${name}`;
    }
    return 'a request';
  }
}

/** `HOST:PORT` of an address, or the path of a unix socket. */
function whereOf(address: string): string {
  if (address.startsWith('unix://')) return address.slice('unix://'.length);
  const url = URL.parse(address);
  if (url === null) return address;
  return `${url.hostname}:${url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port}`;
}

/** The paths that a secret may be fetched at; of KV both, since its version is asked for first. */
function pathsOf(request: { readonly kind: string; readonly [key: string]: unknown }): readonly string[] {
  const { path } = request;
  if (request.kind === 'vault-certificate') return [`${String(request['issuer'])}/issue/${String(request['role'])}`];
  if (typeof path !== 'string') return [];
  if (request.kind !== 'vault-kv') return [path];
  const mount = typeof request['mount'] === 'string' ? request['mount'] : (path.split('/')[0] ?? '');
  return [path, `${mount}/data${path.slice(mount.length)}`];
}

const seconds = (ms: number): string => formatDuration(Math.floor(ms / 1000) * 1000);
