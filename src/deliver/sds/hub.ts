import { isNothingThere } from '../../backend/nothing-there.ts';
import type { Clock } from '../../base/clock.ts';
import { asFailure, type Failure, failure } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import { loadCrypto } from '../../base/node-crypto.ts';
import type { SdsConfig, SdsSecretConfig } from '../../config/config.ts';
import type { SecretListener } from '../../lease/manager.ts';
import type { SecretEntry, Snapshot } from '../../lease/snapshot.ts';
import type { ComputedByName } from '../../render/render.ts';
import { bodyOf, type FieldsConfig } from './body-of.ts';
import { Names, type Target } from './names.ts';
import { OnDemand } from './on-demand.ts';
import { nameOnDemand, onDemandSecret } from './on-demand-secret.ts';
import { refusalText } from './refusal-text.ts';
import type { SecretBody } from './secret-message.ts';
import { SessionTickets } from './session-tickets.ts';
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

/** A secret of Envoy as it was made last. */
interface Made {
  /** Tells whether the secrets that it was made of are others now. */
  stamp: string;
  /** The last one that could be used; it stays when its secret goes or becomes unusable. */
  good: { readonly version: string; readonly body: SecretBody } | undefined;
  why: Failure | undefined;
}

/** How many names one fact lists. */
const MAX_TOLD = 10;

/** How many names that nobody configured are told of, and refusals are kept. */
const MAX_KEPT = 1_000;

/** What a log shows of a name that a client sent. */
const SHOWN_NAME = /^[!-~]{1,253}$/;

/**
 * What all clients of the service share: which secrets there are, and which stream follows which name. It is made once
 * and outlives configurations, so streams stay open when one changes, and are told what is new for them.
 *
 * A secret of Envoy is made of one snapshot, so a certificate and its key are always a pair. One that can no longer be
 * made stays as it was.
 */
export class SdsHub implements StreamDeps, SdsView, Disposable {
  readonly #deps: HubDeps;
  readonly #randomBytes: (length: number) => Uint8Array;
  readonly #versionKey: Uint8Array;
  readonly #streams = new Set<SecretStream>();
  readonly #listening: Disposable;
  #config: SdsConfig | undefined;
  #names = new Names({ secrets: new Map() });
  /** By the key of a target: the streams that follow it, each with the names that it has for it. */
  #followers = new Map<string, Map<SecretStream, Set<string>>>();
  /** By secret: the keys of the targets that are made of it. */
  #keysOf: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  #made = new Map<string, Made>();
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
    const followed = [...this.#followers.values()].flatMap((streams) => [...streams]);
    const before = this.#onDemand;
    this.#config = config;
    this.#names = new Names(config ?? { secrets: new Map() });
    this.#keysOf = keysBySecret(config);
    this.#replaceTickets(config?.secrets ?? new Map());
    this.#keepMade();
    this.#unknown.clear();
    this.#followers = new Map();
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
    const key = keyOf(target, name);
    const streams = this.#followers.get(key) ?? new Map<SecretStream, Set<string>>();
    this.#followers.set(key, streams);
    const names = streams.get(stream);
    if (names === undefined) streams.set(stream, new Set([name]));
    else names.add(name);
    if (target.kind === 'on-demand') this.#onDemand?.ask(target.name);
    if (target.kind === 'unknown' && this.isReady) this.#tellUnknown(name);
  }

  /** See StreamDeps. */
  leave(name: string, stream: SecretStream): void {
    const target = this.#names.target(name);
    const key = keyOf(target, name);
    const streams = this.#followers.get(key);
    const names = streams?.get(stream);
    if (streams === undefined || names === undefined || !names.delete(name)) return;
    if (names.size === 0) streams.delete(stream);
    if (streams.size > 0) return;
    this.#followers.delete(key);
    if (target.kind !== 'on-demand') return;
    this.#made.delete(key);
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
    const why = this.#made.get(name)?.why ?? (found.state === 'missing' ? found.why : undefined);
    const refusal = this.#refusals.get(name);
    return {
      name,
      kind: config.kind,
      secrets: secretsOf(config),
      state: found.state,
      ...(found.state === 'ready' ? { version: found.version } : {}),
      streams: this.#followers.get(name)?.size ?? 0,
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
    return this.#lookIn(snapshot, key, config);
  }

  #lookOnDemand({ key, name }: Extract<Target, { kind: 'on-demand' }>): Found {
    const { entry, refused } = this.#onDemand?.look(name) ?? {};
    if (refused !== undefined) return { state: 'missing', why: refused };
    if (entry === undefined || this.#config?.onDemand === undefined) return { state: 'awaited' };
    const secret = onDemandSecret(name);
    const config = { kind: 'certificate', from: { secret }, place: this.#config.onDemand.place } as const;
    return this.#lookIn(this.#deps.secrets.snapshot([secret]), key, config);
  }

  #lookIn(snapshot: Snapshot, key: string, config: FieldsConfig): Found {
    const entries = secretsOf(config).map((secret) => snapshot.get(secret));
    const made = this.#made.get(key);
    if (entries.some((entry) => entry === undefined || entry.state === 'absent')) {
      if (made?.good !== undefined) return { state: 'ready', ...made.good };
      const absent = entries.find((entry) => entry?.state === 'absent');
      const isMissing = absent?.state === 'absent' && (absent.optional || isNothingThere(absent.why));
      return isMissing ? { state: 'missing', why: absent.why } : { state: 'awaited' };
    }
    const { good, why } = this.#make(snapshot, key, config);
    if (good !== undefined) return { state: 'ready', ...good };
    return { state: 'missing', ...(why === undefined ? {} : { why }) };
  }

  /** Makes the secret of Envoy, unless it was made of these very values already. */
  #make(snapshot: Snapshot, key: string, config: FieldsConfig): Made {
    const stamp = secretsOf(config)
      .map((secret) => numberOf(snapshot.get(secret)))
      .join();
    const before = this.#made.get(key);
    if (before?.stamp === stamp) return before;
    const made: Made = { stamp, good: before?.good, why: undefined };
    try {
      const { body, remark } = bodyOf(config, (secret) => {
        const entry = snapshot.get(secret);
        return entry === undefined || entry.state === 'absent' ? new Map() : entry.value.fields;
      });
      made.good = { version: versionOf(body, this.#versionKey), body };
      if (remark !== undefined) made.why = failure('SDS_UNUSABLE', config.place, remark);
    } catch (error) {
      made.why = asFailure(error, config.place);
    }
    this.#made.set(key, made);
    if (made.why !== undefined && made.why.seen !== before?.why?.seen) {
      this.#deps.emit({ kind: 'sds-unusable', name: shownName(key), failure: made.why });
    }
    return made;
  }

  #secretsChanged(secrets: ReadonlySet<string>): void {
    if (!this.isReady) return;
    const byStream = new Map<SecretStream, Set<string>>();
    const gather = (key: string) => {
      for (const [stream, names] of this.#followers.get(key) ?? []) {
        const gathered = byStream.get(stream);
        if (gathered === undefined) byStream.set(stream, new Set(names));
        else for (const name of names) gathered.add(name);
      }
    };
    for (const secret of secrets) {
      for (const key of this.#keysOf.get(secret) ?? []) gather(key);
      const name = nameOnDemand(secret);
      if (name === undefined) continue;
      this.#onDemand?.attempted(name);
      gather(`on demand ${name}`);
    }
    for (const [stream, names] of byStream) stream.changed(names);
  }

  #createOnDemand(config: SdsConfig | undefined): OnDemand | undefined {
    if (config?.onDemand === undefined) return undefined;
    const { clock, emit, secrets, want } = this.#deps;
    return new OnDemand(config.onDemand, {
      clock,
      emit,
      entryOf: (secret) => secrets.entryOf(secret),
      want,
      isFollowed: (name) => this.#followers.has(`on demand ${name}`),
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
      const rotated = () => {
        for (const [stream, names] of this.#followers.get(name) ?? []) stream.changed(names);
      };
      const options = { rotateMs, keep, rotated, clock: this.#deps.clock, randomBytes: this.#randomBytes };
      this.#tickets.set(name, new SessionTickets(options, old?.keys));
    }
    for (const old of before.values()) old[Symbol.dispose]();
  }

  /** A new configuration may make another thing of a name; what stays the same keeps its last good value. */
  #keepMade(): void {
    for (const key of this.#made.keys()) {
      const target = this.#names.target(key);
      const isKept = target.kind === 'on-demand' || (target.kind === 'entry' && target.key === key);
      const made = this.#made.get(key);
      if (!isKept && !key.startsWith('on demand ')) this.#made.delete(key);
      else if (made !== undefined) made.stamp = '';
    }
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

function secretsOf(config: SdsSecretConfig): readonly string[] {
  if (config.kind === 'session-tickets') return [];
  const crl = config.kind === 'trust' ? config.crl : undefined;
  return crl === undefined ? [config.from.secret] : [...new Set([config.from.secret, crl.secret])];
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

function numberOf(entry: SecretEntry | undefined): number {
  return entry === undefined || entry.state === 'absent' ? 0 : entry.valueNumber;
}

const shownName = (name: string): string =>
  SHOWN_NAME.test(name.replaceAll(' ', '')) ? name : '[a name that is not shown]';

const shownNames = (names: readonly string[]): readonly string[] => names.slice(0, MAX_TOLD).map(shownName);
