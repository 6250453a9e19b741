import type { DeltaRequest, DeltaResponse, NamedSecret } from './discovery.ts';
import { checkNames, MAX_NAMES, type SecretStream, type StreamDeps, tooMany } from './stream.ts';

/** What a client has of a name: a version; that it does not exist; nothing that we know of. */
type Held = string | typeof MISSING | undefined;
const MISSING = Symbol('missing');

/** How many secrets one answer holds: clients take four megabytes, and a certificate with its chain has kilobytes. */
const MAX_IN_ANSWER = 200;

/**
 * A stream of the Delta protocol: requests change the list of names, answers hold what is new for the client. A name
 * without a secret is answered at once as removed, so that a client which waits for it can go on.
 *
 * One answer is under way at a time, as in `SotwStream`; what changes meanwhile is in the next one.
 */
export class DeltaStream implements SecretStream {
  readonly #deps: StreamDeps;
  readonly #send: (response: DeltaResponse) => void;
  readonly #names = new Map<string, Held>();
  /** Names that may have something new for the client, in the order in which they are to be looked at. */
  readonly #dirty = new Set<string>();
  #isForAll = false;
  #hasBegun = false;
  #node = '';
  /** The answer that the client has not answered yet. */
  #open: { readonly nonce: string; readonly versions: ReadonlyMap<string, string> } | undefined;

  constructor(deps: StreamDeps, send: (response: DeltaResponse) => void) {
    this.#deps = deps;
    this.#send = send;
  }

  get node(): string {
    return this.#node;
  }

  /** @throws StreamFault */
  request({ node, nonce, subscribe, unsubscribe, versions, refusal }: DeltaRequest): void {
    checkNames(subscribe);
    if (node !== '') this.#node = node;
    if (nonce !== '' && nonce === this.#open?.nonce) {
      const { versions } = this.#open;
      this.#open = undefined;
      if (refusal !== undefined) this.#deps.refused(versions, this.#node, refusal.message);
      else if (versions.size > 0) this.#deps.accepted(versions);
    }
    const isFirst = !this.#hasBegun;
    this.#hasBegun = true;
    if (subscribe.includes('*') || (isFirst && subscribe.length === 0)) this.#followAll();
    for (const name of unsubscribe) {
      if (name === '*') this.#isForAll = false;
      else this.#leave(name);
    }
    for (const name of subscribe) {
      if (name === '*') continue;
      this.#follow(name);
      // A name that is asked for again is answered again: the client may have dropped what it had.
      this.#names.set(name, isFirst ? versions.get(name) : undefined);
    }
    this.#update();
  }

  changed(names?: Iterable<string>): void {
    if (names === undefined && this.#isForAll) this.#followAll();
    for (const name of names ?? this.#names.keys()) if (this.#names.has(name)) this.#dirty.add(name);
    this.#update();
  }

  close(): void {
    for (const name of this.#names.keys()) this.#deps.leave(name, this);
    this.#names.clear();
    this.#dirty.clear();
  }

  #followAll(): void {
    this.#isForAll = true;
    for (const name of this.#deps.allNames()) this.#follow(name);
  }

  #follow(name: string): void {
    if (!this.#names.has(name)) {
      if (this.#names.size >= MAX_NAMES) throw tooMany();
      this.#names.set(name, undefined);
    }
    this.#deps.follow(name, this);
    this.#dirty.add(name);
  }

  #leave(name: string): void {
    if (!this.#names.delete(name)) return;
    this.#dirty.delete(name);
    this.#deps.leave(name, this);
  }

  #update(): void {
    if (!this.#hasBegun || this.#open !== undefined) return;
    const secrets: NamedSecret[] = [];
    const removed: string[] = [];
    for (const name of this.#dirty) {
      if (secrets.length + removed.length === MAX_IN_ANSWER) break;
      this.#dirty.delete(name);
      const found = this.#deps.look(name);
      const held = this.#names.get(name);
      if (found.state === 'ready' && held !== found.version) {
        secrets.push({ name, version: found.version, body: found.body });
        this.#names.set(name, found.version);
      } else if (found.state === 'missing' && held !== MISSING) {
        removed.push(name);
        this.#names.set(name, MISSING);
      }
    }
    if (secrets.length + removed.length === 0) return;
    const nonce = this.#deps.nextNonce();
    this.#open = { nonce, versions: new Map(secrets.map(({ name, version }) => [name, version])) };
    this.#deps.sent('delta', [...secrets.map(({ name }) => name), ...removed]);
    this.#send({ nonce, secrets, removed });
  }
}
