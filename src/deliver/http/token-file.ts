import type { Stats } from 'node:fs';
import type { Clock } from '../../base/clock.ts';
import { type Failure, fail, failure } from '../../base/errors.ts';
import { fileStamp } from '../../base/file-stamp.ts';
import { isHeaderToken } from '../../base/header-text.ts';
import { loadCrypto } from '../../base/node-crypto.ts';
import { statInTime } from '../../base/read-file.ts';
import { Secret } from '../../base/secret.ts';
import { readCapped } from '../../config/read-capped.ts';

/** After this the file is checked for a change again. */
const LOOK_MS = 1_000;

/** A shorter token can be guessed by trying. */
const MIN_LENGTH = 16;

/** The token that requests must carry. It is the one that its file holds now: a changed file counts at once. */
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
   * Whether `given` is the token. It answers at once when `given` is the known token, otherwise after another look at
   * the file. Every wrong token takes the same time: digests of equal length are compared.
   * @throws PannierError API_TOKEN_FILE when the file gives no token: then no request is accepted.
   */
  accepts(given: string): boolean | Promise<boolean> {
    const digest = digestOf(given);
    const isStale = this.#clock.monoMs() - this.#lookedMs >= LOOK_MS;
    if (this.#digest !== undefined && !isStale && isSame(digest, this.#digest)) return true;
    return this.#current().then((current) => isSame(digest, current));
  }

  /** A warning that says why the token is weak; undefined: it is not. @throws PannierError API_TOKEN_FILE. */
  async check(): Promise<Failure | undefined> {
    await this.#current();
    const { length } = (await readToken(this.#path, this.#place)).exposeText('api');
    const isOpen = ((await statOf(this.#path))?.mode ?? 0) & 0o007;
    const weaknesses = [
      ...(isOpen === 0 ? [] : ['every user of the machine has access to the file']),
      ...(length >= MIN_LENGTH ? [] : [`the token has fewer than ${MIN_LENGTH} characters`]),
    ];
    if (weaknesses.length === 0) return undefined;
    const hint =
      'Give the file mode 0640 or less (defaultMode in Kubernetes), and a token made with openssl rand -hex 32.';
    return failure('API_TOKEN_FILE', this.#place, `${this.#path}: ${weaknesses.join('; ')}`, { hint });
  }

  async #current(): Promise<Buffer> {
    this.#lookedMs = this.#clock.monoMs();
    const stamp = fileStamp(await statOf(this.#path));
    if (this.#digest !== undefined && stamp === this.#stamp) return this.#digest;
    this.#digest = undefined;
    const digest = digestOf((await readToken(this.#path, this.#place)).exposeText('api'));
    this.#stamp = stamp;
    this.#digest = digest;
    return digest;
  }
}

/** Reads the token, which is the only line of its file. @throws PannierError API_TOKEN_FILE. */
export async function readToken(path: string, place: string): Promise<Secret> {
  const text = await readCapped(path, { pipes: false });
  if (typeof text !== 'string') throw fail('API_TOKEN_FILE', place, `${path}: ${text.why}`);
  const token = text.trim();
  if (!isHeaderToken(token)) {
    const seen = token === '' ? 'the file is empty' : 'the file is not one line of printable ASCII characters';
    throw fail('API_TOKEN_FILE', place, `${path}: ${seen}`);
  }
  return Secret.text(token);
}

/** Undefined when the file cannot be inspected: reading it then reports why. */
async function statOf(path: string): Promise<Stats | undefined> {
  return await statInTime(path).catch(() => undefined);
}

function digestOf(text: string): Buffer {
  return loadCrypto().hash('sha256', text, 'buffer');
}

function isSame(a: Buffer, b: Buffer): boolean {
  return loadCrypto().timingSafeEqual(a, b);
}
