import type { Stats } from 'node:fs';
import type { Clock } from '../../base/clock.ts';
import { type Failure, fail, failure } from '../../base/errors.ts';
import { fileStamp } from '../../base/file-stamp.ts';
import { isHeaderToken } from '../../base/header-text.ts';
import { loadCrypto } from '../../base/node-crypto.ts';
import { statInTime } from '../../base/read-file.ts';
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
   * Whether `given` is the token: at once when it is the one that is known, else after another look at the file. Takes
   * the same time for every wrong one: digests of equal length are compared.
   * @throws PannierError API_TOKEN_FILE when the file gives no token: then nobody has it.
   */
  accepts(given: string): boolean | Promise<boolean> {
    const digest = digestOf(given);
    const isStale = this.#clock.monoMs() - this.#lookedMs >= LOOK_MS;
    if (this.#digest !== undefined && !isStale && isSame(digest, this.#digest)) return true;
    return this.#current().then((current) => isSame(digest, current));
  }

  /** What makes the token a weak one, as a warning. @throws PannierError API_TOKEN_FILE. */
  async check(): Promise<Failure | undefined> {
    await this.#current();
    const { length } = (await readToken(this.#path, this.#place)).exposeText('api');
    const isOpen = ((await statOf(this.#path))?.mode ?? 0) & 0o007;
    const weaknesses = [
      ...(isOpen === 0 ? [] : ['every user of the machine may use it']),
      ...(length >= SHORTEST ? [] : [`the token has fewer than ${SHORTEST} characters`]),
    ];
    if (weaknesses.length === 0) return undefined;
    const hint = 'Give it mode 0640 or less (defaultMode in Kubernetes), and a token of openssl rand -hex 32.';
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

/** The one line of a token file. @throws PannierError API_TOKEN_FILE. */
export async function readToken(path: string, place: string): Promise<Secret> {
  const text = await readCapped(path, 'file');
  if (typeof text !== 'string') throw fail('API_TOKEN_FILE', place, `${path}: ${text.why}`);
  const token = text.trim();
  if (!isHeaderToken(token)) {
    throw fail(
      'API_TOKEN_FILE',
      place,
      `${path}: ${token === '' ? 'it is empty' : 'it is no line of plain characters'}`,
    );
  }
  return Secret.text(token);
}

/** Undefined when it cannot be seen: reading it then says why. */
async function statOf(path: string): Promise<Stats | undefined> {
  return await statInTime(path).catch(() => undefined);
}

function digestOf(text: string): Buffer {
  return loadCrypto().createHash('sha256').update(text).digest();
}

function isSame(a: Buffer, b: Buffer): boolean {
  return loadCrypto().timingSafeEqual(a, b);
}
