import { inspect } from 'node:util';
import { loadCrypto } from './node-crypto.ts';

/**
 * Where a value goes when it leaves the agent. Each exposure names it, so that all of them can be listed by a search.
 */
export type Destination = 'file' | 'env' | 'api' | 'sds' | 'backend' | 'reload' | 'state';

export type SecretType = 'string' | 'number' | 'boolean' | 'null' | 'bytes';

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * One leaf value of a secret, opaque until it leaves through `exposeText` or `exposeBytes`.
 *
 * `toString`, `toJSON` and `util.inspect` give "[secret]", so a value that gets into a log line, an error or a template
 * literal by mistake stays hidden. A number keeps the text that the backend sent, so that 2^53+1 and 1.10 survive.
 */
export class Secret {
  static readonly #true = new Secret('boolean', 'true');
  static readonly #false = new Secret('boolean', 'false');
  static readonly #null = new Secret('null', 'null');

  readonly type: SecretType;
  readonly #value: string | Uint8Array;

  private constructor(type: SecretType, value: string | Uint8Array) {
    this.type = type;
    this.#value = value;
    Object.freeze(this);
  }

  static text(value: string): Secret {
    return new Secret('string', value);
  }

  /** @param source the number as the answer had it; it is not checked here. */
  static number(source: string): Secret {
    return new Secret('number', source);
  }

  static boolean(value: boolean): Secret {
    return value ? Secret.#true : Secret.#false;
  }

  static null(): Secret {
    return Secret.#null;
  }

  /** Bytes that are valid UTF-8 become text, so that bytes from a file equal the same text from an answer. */
  static bytes(value: Uint8Array): Secret {
    try {
      return new Secret('string', strictUtf8.decode(value));
    } catch {
      return new Secret('bytes', Uint8Array.from(value));
    }
  }

  /** Whether type and bytes are equal; the time it takes does not depend on where they differ. */
  equals(other: Secret): boolean {
    if (this.type !== other.type) return false;
    const mine = this.#bytes();
    const theirs = other.#bytes();
    return mine.length === theirs.length && loadCrypto().timingSafeEqual(mine, theirs);
  }

  /**
   * The value as text: a string as it is, a number's source text, `true`, `false`, `null`.
   * @throws TypeError for bytes that are not UTF-8; ask `type` first.
   */
  exposeText(_to: Destination): string {
    if (typeof this.#value !== 'string') throw new TypeError('bytes that are not UTF-8 have no text');
    return this.#value;
  }

  /** The value as bytes; text is encoded as UTF-8. The caller owns the copy. */
  exposeBytes(_to: Destination): Uint8Array {
    return Uint8Array.from(this.#bytes());
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }

  #bytes(): Uint8Array {
    return typeof this.#value === 'string' ? Buffer.from(this.#value, 'utf8') : this.#value;
  }
}
