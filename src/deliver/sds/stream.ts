import type { Failure } from '../../base/errors.ts';
import type { SecretBody } from './secret-message.ts';

/** What a name has for its followers now. */
export type Found =
  | { readonly state: 'ready'; readonly version: string; readonly body: SecretBody }
  /** Its first value is still to come. */
  | { readonly state: 'awaited' }
  | { readonly state: 'missing'; readonly why?: Failure };

/** What a stream asks of the hub. */
export interface StreamDeps {
  look(name: string): Found;
  /** The stream follows the name from now on: `SecretStream.changed` tells it of changes. */
  follow(name: string, stream: SecretStream): void;
  leave(name: string, stream: SecretStream): void;
  /** The configured names. */
  allNames(): Iterable<string>;
  sent(how: 'sotw' | 'delta', names: readonly string[]): void;
  accepted(versions: ReadonlyMap<string, string>): void;
  refused(versions: ReadonlyMap<string, string>, node: string, message: string): void;
  /** A nonce that this process has not used yet. */
  nextNonce(): string;
}

/** A fault of the client that ends its stream. */
export class StreamFault extends Error {
  readonly kind: 'invalid' | 'exhausted';

  constructor(kind: StreamFault['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** How many names one stream may follow; a client with more is faulty, or has one stream for all of a mesh. */
export const MAX_NAMES = 20_000;

/** A longer name is no name of ours, and a client could fill the memory with it. */
export const MAX_NAME_LENGTH = 512;

/** The part that both protocols share, as the hub sees it. */
export interface SecretStream {
  /** What the hub knows of these names has changed. Absent: of any. */
  changed(names?: Iterable<string>): void;
  /** The stream has ended. */
  close(): void;
  /** How the client calls itself; empty until it said so. */
  readonly node: string;
}

/** @throws StreamFault when one of them is too long. */
export function checkNames(names: readonly string[]): void {
  if (names.some((name) => name.length > MAX_NAME_LENGTH)) {
    throw new StreamFault('invalid', `a name has more than ${MAX_NAME_LENGTH} characters`);
  }
}

export const tooMany = (): StreamFault => new StreamFault('exhausted', `a stream may follow ${MAX_NAMES} names`);
