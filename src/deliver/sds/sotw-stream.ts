import type { DiscoveryRequest, DiscoveryResponse, NamedSecret } from './discovery.ts';
import { checkNames, MAX_NAMES, type SecretStream, type StreamDeps, tooMany } from './stream.ts';
import { versionOfAll } from './version.ts';

/**
 * A stream of the State-of-the-World protocol: each request names all secrets that the client wants, each answer holds
 * all of them that there are. https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#four-variants
 *
 * One answer is under way at a time: the next one is sent when the client has taken the last one up or refused it, and
 * then holds the newest of each secret. A client that answers nothing gets nothing more, and costs nothing more. A name
 * without a secret is left out, since this protocol cannot say that it does not exist. A version that was sent is not
 * sent again, whether the client took it up or refused it.
 */
export class SotwStream implements SecretStream {
  readonly #deps: StreamDeps;
  readonly #send: (response: DiscoveryResponse) => void;
  #names: ReadonlySet<string> = new Set();
  /** The client asked for all there is. */
  #isForAll = false;
  #hasBegun = false;
  #node = '';
  /** The last answer; `isOpen`: the client has not answered it yet. */
  #last: { readonly nonce: string; readonly versions: ReadonlyMap<string, string>; isOpen: boolean } | undefined;
  /** Name and version of each secret that the client was sent last. */
  #sent: ReadonlyMap<string, string> = new Map();

  constructor(deps: StreamDeps, send: (response: DiscoveryResponse) => void) {
    this.#deps = deps;
    this.#send = send;
  }

  get node(): string {
    return this.#node;
  }

  /** @throws StreamFault */
  request({ names, node, nonce, versionInfo, refusal }: DiscoveryRequest): void {
    checkNames(names);
    if (names.length > MAX_NAMES) throw tooMany();
    if (node !== '') this.#node = node;
    // It speaks of an answer that another one has overtaken.
    if (nonce !== '' && nonce !== this.#last?.nonce) return;
    if (nonce !== '' && this.#last?.isOpen === true) {
      const { versions } = this.#last;
      this.#last.isOpen = false;
      if (refusal === undefined) this.#deps.accepted(versions);
      else this.#deps.refused(versions, this.#node, refusal.message);
    }
    const isFirst = !this.#hasBegun;
    this.#hasBegun = true;
    if (isFirst) this.#isForAll = names.length === 0;
    else if (names.length > 0) this.#isForAll = names.includes('*');
    const before = this.#names;
    this.#follow(names);
    if (isFirst && versionInfo !== '') {
      // A client that comes back tells what it has.
      const ready = this.#ready();
      if (ready.length > 0 && versionInfo === versionOfNamed(ready)) this.#sent = versionsOf(ready);
    }
    // A name that came anew is answered although other names' versions are known to the client.
    if ([...this.#names].some((name) => !before.has(name)) && !isFirst) this.#sent = new Map();
    this.#update();
  }

  changed(): void {
    if (this.#isForAll) this.#follow([]);
    this.#update();
  }

  close(): void {
    for (const name of this.#names) this.#deps.leave(name, this);
    this.#names = new Set();
  }

  #follow(asked: readonly string[]): void {
    const next = new Set(this.#isForAll ? [...this.#deps.allNames(), ...asked.filter((name) => name !== '*')] : asked);
    for (const name of this.#names) if (!next.has(name)) this.#deps.leave(name, this);
    for (const name of next) if (!this.#names.has(name)) this.#deps.follow(name, this);
    this.#names = next;
  }

  #update(): void {
    if (!this.#hasBegun || this.#last?.isOpen === true) return;
    const secrets = this.#ready();
    if (secrets.every(({ name, version }) => this.#sent.get(name) === version)) return;
    const versions = versionsOf(secrets);
    const nonce = this.#deps.nextNonce();
    this.#last = { nonce, versions, isOpen: true };
    this.#sent = versions;
    this.#deps.sent('sotw', [...versions.keys()]);
    this.#send({ versionInfo: versionOfNamed(secrets), nonce, secrets });
  }

  #ready(): readonly NamedSecret[] {
    const ready: NamedSecret[] = [];
    for (const name of this.#names) {
      const found = this.#deps.look(name);
      if (found.state === 'ready') ready.push({ name, version: found.version, body: found.body });
    }
    return ready;
  }
}

const versionsOf = (secrets: readonly NamedSecret[]): ReadonlyMap<string, string> =>
  new Map(secrets.map(({ name, version }) => [name, version]));

/** The version of an answer with these secrets. */
export const versionOfNamed = (secrets: readonly NamedSecret[]): string =>
  versionOfAll(secrets.map(({ name, version }) => [name, version]));
