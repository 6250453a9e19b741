import { statSync } from 'node:fs';
import type { Clock } from '../../base/clock.ts';
import { type Failure, fail, failure } from '../../base/errors.ts';
import { loadCrypto } from '../../base/node-crypto.ts';
import { Secret } from '../../base/secret.ts';
import { readCapped } from '../../config/read-capped.ts';

/** A file that looks the same is read again after this all the same. */
const LOOK_MS = 1_000;

/** A token below this can be guessed by asking. */
const SHORTEST = 16;

/** The token that requests must carry, as its file has it now: a changed file counts at once. */
export class TokenFile {
  readonly #path: string;
  readonly #place: string;
  readonly #clock: Clock;
  #digest: Buffer | undefined;
  #stamp = '';
  #lookedMs = Number.NEGATIVE_INFINITY;

  /** @param place configuration path of the key that names the file. */
  constructor(path: string, place: string, clock: Clock) {
    this.#path = path;
    this.#place = place;
    this.#clock = clock;
  }

  /**
   * Whether `given` is the token. Takes the same time for every wrong one: digests of equal length are compared.
   * @throws PannierError API_TOKEN_FILE when the file gives no token: then nobody has it.
   */
  accepts(given: string): boolean {
    const digest = digestOf(given);
    const isStale = this.#clock.monoMs() - this.#lookedMs >= LOOK_MS;
    if (this.#digest !== undefined && !isStale && isSame(digest, this.#digest)) return true;
    return isSame(digest, this.#current());
  }

  /** What makes the token a weak one, as a warning. @throws PannierError API_TOKEN_FILE. */
  check(): Failure | undefined {
    this.#current();
    const length = readToken(this.#path, this.#place).exposeText('api').length;
    const weaknesses = [
      ...((statSync(this.#path).mode & 0o007) === 0 ? [] : ['every user of the machine may use it']),
      ...(length >= SHORTEST ? [] : [`the token has fewer than ${SHORTEST} characters`]),
    ];
    if (weaknesses.length === 0) return undefined;
    const hint = 'Give it mode 0640 or less (defaultMode in Kubernetes), and a token of openssl rand -hex 32.';
    return failure('API_TOKEN_FILE', this.#place, `${this.#path}: ${weaknesses.join('; ')}`, { hint });
  }

  #current(): Buffer {
    this.#lookedMs = this.#clock.monoMs();
    const stamp = stampOf(this.#path);
    if (this.#digest === undefined || stamp !== this.#stamp) {
      this.#digest = undefined;
      this.#digest = digestOf(readToken(this.#path, this.#place).exposeText('api'));
      this.#stamp = stamp;
    }
    return this.#digest;
  }
}

/** The one line of a token file. @throws PannierError API_TOKEN_FILE. */
export function readToken(path: string, place: string): Secret {
  const text = readCapped(path, 'file');
  if (typeof text !== 'string') throw fail('API_TOKEN_FILE', place, `${path}: ${text.why}`);
  const token = text.trim();
  // What a header can carry, RFC 9110 section 5.5.
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw fail(
      'API_TOKEN_FILE',
      place,
      `${path}: ${token === '' ? 'it is empty' : 'it is no line of plain characters'}`,
    );
  }
  return Secret.text(token);
}

/** How the file looks; empty when that cannot be seen: reading it then says why. */
function stampOf(path: string): string {
  try {
    const { ino, size, mtimeMs, ctimeMs } = statSync(path);
    return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  } catch {
    return '';
  }
}

function digestOf(text: string): Buffer {
  return loadCrypto().createHash('sha256').update(text).digest();
}

function isSame(a: Buffer, b: Buffer): boolean {
  return loadCrypto().timingSafeEqual(a, b);
}
