import type { Clock } from '../../base/clock.ts';
import { failure } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import { loadCrypto } from '../../base/node-crypto.ts';
import type { SdsConfig, SdsSecretConfig } from '../../config/config.ts';
import type { SecretListener } from '../../lease/manager.ts';
import type { SecretEntry, Snapshot } from '../../lease/snapshot.ts';
import type { ComputedByName } from '../../render/render.ts';
import { Followers } from './followers.ts';
import { MadeSecrets, secretsOf } from './made-secrets.ts';
import { Names, type Target } from './names.ts';
import { OnDemand } from './on-demand.ts';
import { nameOnDemand, onDemandSecret } from './on-demand-secret.ts';
import { refusalText } from './refusal-text.ts';
import type { SecretBody } from './secret-message.ts';
import { SessionTickets } from './session-tickets.ts';
import { shownName, shownNames } from './shown-names.ts';
import type { SdsRefusal, SdsView, ServedSecret } from './status.ts';
import type { Found, SecretStream, StreamDeps } from './stream.ts';
import { versionOf } from './version.ts';

/** What the service uses of the agent. */
export interface HubDeps {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly secrets: {
    snapshot(names: Iterable<string>): Snapshot;
    entryOf(name: string): SecretEntry | undefined;
    onEvent(listener: SecretListener): Disposable;
  };
  /** Has these secrets fetched beside the configured ones, and kept fresh. */
  readonly want: (secrets: ComputedByName, added?: string) => void;
  /** Absent: the system's. */
  readonly randomBytes?: (length: number) => Uint8Array;
}

/** How many names that nobody configured are told of, and refusals are kept. */
const MAX_KEPT = 1_000;

/**
 * What all clients of the service share: which secrets there are, and which stream follows which name. It is made once
 * and outlives configurations, so streams stay open when one changes, and are told what is new for them.
 */
export class SdsHub implements StreamDeps, SdsView, Disposable {
  readonly #deps: HubDeps;
  readonly #randomBytes: (length: number) => Uint8Array;
  readonly #versionKey: Uint8Array;
  readonly #streams = new Set<SecretStream>();
  readonly #listening: Disposable;
  #config: SdsConfig | undefined;
  #names = new Names({ secrets: new Map() });
  #followers = new Followers();
  /** By secret: the keys of the targets that are made of it. */
  #keysOf: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  readonly #made: MadeSecrets;
  #tickets = new Map<string, SessionTickets>();
  #onDemand: OnDemand | undefined;
  readonly #refusals = new Map<string, SdsRefusal>();
  readonly #unknown = new Set<string>();
  #nonces = 0;
  #users = 0;
  readonly #noncePrefix: string;

  constructor(deps: HubDeps) {
    this.#deps = deps;
    this.#randomBytes = deps.randomBytes ?? ((length) => loadCrypto().randomBytes(length));
    this.#versionKey = this.#randomBytes(32);
    this.#made = new MadeSecrets(this.#versionKey, deps.emit);
    this.#noncePrefix = Buffer.from(this.#randomBytes(6)).toString('hex');
    this.#listening = deps.secrets.onEvent((names) => this.#secretsChanged(names));
  }

  /** Serves by this configuration from now on, until all who called this with it have disposed what they got. */
  serve(config: SdsConfig): Disposable {
    this.#users++;
    if (config !== this.#config) this.#use(config);
    return {
      [Symbol.dispose]: () => {
        if (--this.#users === 0) this.#use(undefined);
      },
    };
  }

  #use(config: SdsConfig | undefined): void {
    const followed = this.#followers.of();
    const before = this.#onDemand;
    this.#config = config;
    this.#names = new Names(config ?? { secrets: new Map() });
    this.#keysOf = keysBySecret(config);
    this.#replaceTickets(config?.secrets ?? new Map());
    this.#made.keep((key) => {
      const target = this.#names.target(key);
      const isSame = target.kind === 'on-demand' || (target.kind === 'entry' && target.key === key);
      return isSame || key.startsWith('on demand ');
    });
    this.#unknown.clear();
    this.#followers = new Followers();
    this.#onDemand = this.#createOnDemand(config);
    for (const [stream, names] of followed) for (const name of names) this.follow(name, stream);
    before?.[Symbol.dispose]();
    if (this.#onDemand === undefined && before !== undefined) this.#deps.want(new Map());
    for (const stream of [...this.#streams]) stream.changed();
  }

  /** Whether a configuration is in use. Before that every name is awaited. */
  get isReady(): boolean {
    return this.#config !== undefined;
  }

  add(stream: SecretStream): void {
    this.#streams.add(stream);
  }

  remove(stream: SecretStream): void {
    if (this.#streams.delete(stream)) stream.close();
  }

  /** See StreamDeps. */
  allNames(): Iterable<string> {
    return this.#names.all();
  }

  /** See StreamDeps. */
  follow(name: string, stream: SecretStream): void {
    const target = this.#names.target(name);
    this.#followers.add(keyOf(target, name), name, stream);
    if (target.kind === 'on-demand') this.#onDemand?.ask(target.name);
    if (target.kind === 'unknown' && this.isReady) this.#tellUnknown(name);
  }

  /** See StreamDeps. */
  leave(name: string, stream: SecretStream): void {
    const target = this.#names.target(name);
    const key = keyOf(target, name);
    if (!this.#followers.remove(key, name, stream) || target.kind !== 'on-demand') return;
    this.#made.forget(key);
    this.#onDemand?.leave(target.name);
  }

  /** See StreamDeps. */
  look(name: string): Found {
    if (!this.isReady) return { state: 'awaited' };
    const target = this.#names.target(name);
    switch (target.kind) {
      case 'unknown':
        return { state: 'missing' };
      case 'on-demand':
        return this.#lookOnDemand(target);
      case 'entry':
        return this.#lookEntry(target);
    }
  }

  /** See StreamDeps. */
  nextNonce(): string {
    return `${this.#noncePrefix}-${++this.#nonces}`;
  }

  /** See StreamDeps. */
  sent(how: 'sotw' | 'delta' | 'fetch', names: readonly string[]): void {
    this.#deps.emit({ kind: 'sds-sent', how, names: shownNames(names), secrets: names.length });
  }

  /** See StreamDeps. */
  accepted(versions: ReadonlyMap<string, string>): void {
    const names = [...versions.keys()];
    for (const name of names) this.#refusals.delete(name);
    this.#deps.emit({ kind: 'sds-accepted', names: shownNames(names), secrets: names.length });
  }

  /** See StreamDeps. */
  refused(versions: ReadonlyMap<string, string>, node: string, message: string): void {
    const names = [...versions.keys()];
    const bodies = names.flatMap((name) => {
      const found = this.look(name);
      return found.state === 'ready' ? [found.body] : [];
    });
    const text = refusalText(message, bodies);
    const target = this.#names.target(names[0] ?? '');
    const place = target.kind === 'entry' ? target.config.place : (this.#config?.onDemand?.place ?? 'sds');
    const why = failure('SDS_REFUSED', place, text === '' ? 'the client gave no reason' : `the client says: ${text}`);
    const shownNode = refusalText(node, []).slice(0, 100);
    for (const name of names) {
      if (this.#refusals.size >= MAX_KEPT && !this.#refusals.has(name)) break;
      const version = versions.get(name) ?? '';
      this.#refusals.set(name, { atWallMs: this.#deps.clock.wallMs(), version, node: shownNode, why });
    }
    this.#deps.emit({ kind: 'sds-refused', names: shownNames(names), node: shownNode, failure: why });
  }

  /** See SdsView. */
  get streams(): number {
    return this.#streams.size;
  }

  /** See SdsView. */
  get onDemand(): { readonly names: number; readonly max: number } | undefined {
    return this.#onDemand && { names: this.#onDemand.size, max: this.#onDemand.max };
  }

  /** See SdsView. */
  served(): readonly ServedSecret[] {
    return [...(this.#config?.secrets ?? [])].map(([name, config]) => this.#servedSecret(name, config));
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
    for (const tickets of this.#tickets.values()) tickets[Symbol.dispose]();
    this.#onDemand?.[Symbol.dispose]();
  }

  #servedSecret(name: string, config: SdsSecretConfig): ServedSecret {
    const found = this.#lookEntry({ kind: 'entry', key: name, config });
    const why = this.#made.why(name) ?? (found.state === 'missing' ? found.why : undefined);
    const refusal = this.#refusals.get(name);
    return {
      name,
      kind: config.kind,
      secrets: secretsOf(config),
      state: found.state,
      ...(found.state === 'ready' ? { version: found.version } : {}),
      streams: this.#followers.count(name),
      ...(why === undefined ? {} : { why }),
      ...(refusal === undefined ? {} : { refusal }),
    };
  }

  #lookEntry({ key, config }: Extract<Target, { kind: 'entry' }>): Found {
    if (config.kind === 'session-tickets') {
      const keys = this.#tickets.get(key)?.keys ?? [];
      const body: SecretBody = { kind: 'session-tickets', keys };
      return { state: 'ready', version: versionOf(body, this.#versionKey), body };
    }
    const snapshot = this.#deps.secrets.snapshot(secretsOf(config));
    return this.#made.look(snapshot, key, config);
  }

  #lookOnDemand({ key, name }: Extract<Target, { kind: 'on-demand' }>): Found {
    const { entry, refused } = this.#onDemand?.look(name) ?? {};
    if (refused !== undefined) return { state: 'missing', why: refused };
    if (entry === undefined || this.#config?.onDemand === undefined) return { state: 'awaited' };
    const secret = onDemandSecret(name);
    const config = { kind: 'certificate', from: { secret }, place: this.#config.onDemand.place } as const;
    return this.#made.look(this.#deps.secrets.snapshot([secret]), key, config);
  }

  #secretsChanged(secrets: ReadonlySet<string>): void {
    if (!this.isReady) return;
    const keys = new Set<string>();
    for (const secret of secrets) {
      for (const key of this.#keysOf.get(secret) ?? []) keys.add(key);
      const name = nameOnDemand(secret);
      if (name === undefined) continue;
      this.#onDemand?.attempted(name);
      keys.add(`on demand ${name}`);
    }
    this.#tell(keys);
  }

  #tell(keys: Iterable<string>): void {
    for (const [stream, names] of this.#followers.of(keys)) stream.changed(names);
  }

  #createOnDemand(config: SdsConfig | undefined): OnDemand | undefined {
    if (config?.onDemand === undefined) return undefined;
    const { clock, emit, secrets, want } = this.#deps;
    return new OnDemand(config.onDemand, {
      clock,
      emit,
      entryOf: (secret) => secrets.entryOf(secret),
      want,
      isFollowed: (name) => this.#followers.count(`on demand ${name}`) > 0,
    });
  }

  #replaceTickets(secrets: SdsConfig['secrets']): void {
    const before = this.#tickets;
    this.#tickets = new Map();
    for (const [name, config] of secrets) {
      if (config.kind !== 'session-tickets') continue;
      const { rotateMs, keep } = config;
      const old = before.get(name);
      if (old?.rotateMs === rotateMs && old.keep === keep) {
        this.#tickets.set(name, old);
        before.delete(name);
        continue;
      }
      const rotated = () => this.#tell([name]);
      const options = { rotateMs, keep, rotated, clock: this.#deps.clock, randomBytes: this.#randomBytes };
      this.#tickets.set(name, new SessionTickets(options, old?.keys));
    }
    for (const old of before.values()) old[Symbol.dispose]();
  }

  #tellUnknown(name: string): void {
    if (this.#unknown.has(name) || this.#unknown.size >= MAX_KEPT) return;
    this.#unknown.add(name);
    this.#deps.emit({ kind: 'sds-unknown', name: shownName(name) });
  }
}

function keyOf(target: Target, name: string): string {
  return target.kind === 'unknown' ? `unknown ${name}` : target.key;
}

/** The names of entries may be those that follow from a certificate too. */
function keysBySecret(config: SdsConfig | undefined): ReadonlyMap<string, ReadonlySet<string>> {
  const keys = new Map<string, Set<string>>();
  for (const [name, one] of config?.secrets ?? []) {
    for (const secret of secretsOf(one)) {
      const known = keys.get(secret) ?? new Set<string>();
      keys.set(secret, known.add(name).add(`${name}-cacert`));
    }
  }
  return keys;
}
