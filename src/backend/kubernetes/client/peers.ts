import type { Clock } from '../../../base/clock.ts';
import type { TlsConfig } from '../../../config/config.ts';
import type { Environment } from '../../../config/environment.ts';
import type { CircuitView } from '../../../http/circuit.ts';
import type { Forwarder } from '../../../http/forwarder.ts';
import { type Protection, Transport } from '../../../http/transport.ts';

export interface PeersOptions {
  readonly clock: Clock;
  readonly env: Environment;
  readonly timeoutMs: number;
  readonly place: string;
  readonly protection?: Protection | undefined;
}

/** The connections to one address with one set of certificates, in use until it is disposed of. */
export interface PeerUse extends Disposable {
  readonly transport: Transport;
  /** For answers that are streams. */
  forwarder(): Promise<Forwarder>;
}

interface Peer {
  readonly address: string;
  readonly tls: TlsConfig;
  readonly transport: Transport;
  forwarder: Promise<Forwarder> | undefined;
  uses: number;
}

/**
 * The connections of a client whose address and certificates may change while it runs: a kubeconfig can be written
 * anew, and a plugin gives another certificate. What was begun with the old ones is not cut off.
 */
export class Peers implements AsyncDisposable {
  readonly #options: PeersOptions;
  readonly #all = new Set<Peer>();
  #current: Peer | undefined;

  constructor(options: PeersOptions) {
    this.#options = options;
  }

  get circuit(): CircuitView | undefined {
    return this.#current?.transport.circuit;
  }

  use({ address, tls }: { readonly address: string; readonly tls: TlsConfig }): PeerUse {
    const before = this.#current;
    if (before?.address !== address || before.tls !== tls) this.#current = this.#make(address, tls);
    if (before !== undefined && before !== this.#current && before.uses === 0) this.#close(before);
    const peer = this.#current as Peer;
    peer.uses++;
    let isOver = false;
    return {
      transport: peer.transport,
      forwarder: () => (peer.forwarder ??= this.#makeForwarder(peer)),
      [Symbol.dispose]: () => {
        if (isOver) return;
        isOver = true;
        peer.uses--;
        if (peer.uses === 0 && peer !== this.#current) this.#close(peer);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.#all) this.#close(peer);
  }

  #make(address: string, tls: TlsConfig): Peer {
    const transport = new Transport({ ...this.#options, address, tls, noRedirect: true });
    const peer = { address, tls, transport, forwarder: undefined, uses: 0 };
    this.#all.add(peer);
    return peer;
  }

  async #makeForwarder({ address, tls }: Peer): Promise<Forwarder> {
    const { Forwarder: Made } = await import('../../../http/forwarder.ts');
    const { clock, env, place, timeoutMs } = this.#options;
    return new Made({ address, tls, clock, env, place, connectMs: timeoutMs, answerMs: timeoutMs });
  }

  #close(peer: Peer): void {
    this.#all.delete(peer);
    void peer.transport[Symbol.asyncDispose]();
    void peer.forwarder?.then((one) => one[Symbol.asyncDispose]());
  }
}
