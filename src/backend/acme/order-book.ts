import type { KeyObject } from 'node:crypto';
import { lstat, mkdir, readdir, rename, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decrypt, encrypt, NONCE_BYTES } from '../../base/aes-gcm.ts';
import type { Clock } from '../../base/clock.ts';
import { errnoOf, errnoWord } from '../../base/errno.ts';
import { failure, PannierError } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import { fileCall } from '../../base/file-call.ts';
import { loadCrypto } from '../../base/node-crypto.ts';
import { readFileInTime } from '../../base/read-file.ts';
import type { CertificateSet } from '../../certificate/check.ts';
import type { FailedTries } from '../pacing.ts';

/** What is known of the orders for one want. */
export interface Orders {
  /** The last one that succeeded. */
  readonly certificate?: OrderedCertificate;
  /** Those that failed since. */
  readonly failed?: FailedTries;
}

export interface OrderedCertificate extends CertificateSet {
  /** On the wall clock. */
  readonly cameWallMs: number;
  /** On the wall clock. */
  readonly endsWallMs: number;
}

export interface OrderBookOptions {
  readonly clock: Pick<Clock, 'wallMs'>;
  /** A folder that is made on need. */
  readonly dir: string;
  /** The configuration path of the key's file. */
  readonly place: string;
  readonly emit: Emit;
  /** The key of the account, which is not made; undefined: there is none. May reject. */
  accountKey(): Promise<KeyObject | undefined>;
}

/** The folder of an account whose key is in this file. */
export const ordersOf = (keyFile: string): string => `${keyFile}.orders`;

/** What to do where nothing can be written. */
export const NOT_WRITABLE_HINT =
  'Put the key into a folder that Pannier may write to and that outlives it, or configure a state.';

const FORMAT = 'pannier acme orders 1';
const MAX_BYTES = 1024 * 1024;
/** A certificate that ended this long ago, and an order that failed this long ago, is not asked for any more. */
const FORGOTTEN_MS = 30 * 24 * 3_600_000;
/** The names that this class gives: a SHA-256 in base64url, and while the file is written, random bytes behind it. */
const OWN_NAME = /^[\w-]{43}(\.[\da-f]{12})?$/;

/**
 * Keeps for the next process what was ordered, beside the key of the account: a certificate that is not published yet
 * is not ordered a second time, and failures are counted over restarts. So an agent that is started again and again
 * uses up no limit of a public issuer.
 *
 * There is a file for each want. It is sealed under a key that is derived from the account's (HKDF), and bound to the
 * want: whoever cannot read that key can neither read the file nor make one. A file that cannot be opened counts as
 * none, and one that cannot be written costs an order at the next start, which a warning says.
 *
 * The modification time of a file is the end of its certificate, so that what has ended is found without the key.
 */
export class OrderBook {
  readonly #options: OrderBookOptions;
  /** Whether it was told that nothing can be written, and nothing was since. */
  #told = false;

  constructor(options: OrderBookOptions) {
    this.#options = options;
  }

  /** Where the files are, for people. */
  get dir(): string {
    return this.#options.dir;
  }

  /** Never rejects. */
  async read(id: string): Promise<Orders> {
    try {
      const { bytes } = await readFileInTime(this.#pathOf(id), { maxBytes: MAX_BYTES });
      return JSON.parse(unseal(bytes, await this.#sealKey(), id).toString('utf8')) as Orders;
    } catch {
      return {};
    }
  }

  /** Replaces what is known of a want. Never rejects; warns when nothing can be written, until something was. */
  async write(id: string, orders: Orders): Promise<void> {
    const path = this.#pathOf(id);
    const nowMs = this.#options.clock.wallMs();
    const endsMs = Math.max(nowMs, orders.certificate?.endsWallMs ?? 0);
    try {
      const sealed = seal(Buffer.from(JSON.stringify(orders)), await this.#sealKey(), id);
      await fileCall(path, () => this.#replace(path, sealed, new Date(endsMs)));
      this.#told = false;
    } catch (error) {
      if (!this.#told) this.#warn(path, error);
      this.#told = true;
      return;
    }
    const { dir } = this.#options;
    await fileCall(dir, () => removeEnded(dir, nowMs - FORGOTTEN_MS)).catch(() => {}); // the next write tries again
  }

  #warn(path: string, error: unknown): void {
    const { dir, place, emit } = this.#options;
    const [why, hint] = whyNotWritten(error, path, dir);
    const seen = `a start orders again what is not published yet: ${why}`;
    emit({ kind: 'agent-warning', warning: failure('STATE_NOT_WRITABLE', place, seen, { hint }) });
  }

  async #replace(path: string, bytes: Buffer, ends: Date): Promise<void> {
    const { dir } = this.#options;
    const made = `${path}.${loadCrypto().randomBytes(6).toString('hex')}`;
    await mkdir(dir, { mode: 0o700, recursive: true });
    try {
      await writeFile(made, bytes, { flag: 'wx', mode: 0o600 });
      await utimes(made, ends, ends).catch(() => {}); // some network file systems keep their own time
      await rename(made, path);
    } catch (error) {
      await unlink(made).catch(() => {});
      throw error;
    }
  }

  #pathOf(id: string): string {
    return join(this.#options.dir, loadCrypto().createHash('sha256').update(id).digest('base64url'));
  }

  async #sealKey(): Promise<Buffer> {
    const key = await this.#options.accountKey();
    if (key === undefined) throw new TypeError('there is no key yet');
    const material = key.export({ type: 'pkcs8', format: 'der' });
    return Buffer.from(loadCrypto().hkdfSync('sha256', material, Buffer.alloc(0), FORMAT, 32));
  }
}

/** What was seen, and what to do. */
function whyNotWritten(error: unknown, path: string, dir: string): readonly [seen: string, hint: string] {
  const code = errnoOf(error);
  if (error instanceof PannierError) return [error.failure.seen, error.failure.hint];
  if (code === undefined) return ['the key of the account is gone', 'Put it back.'];
  if (code === 'EEXIST' || code === 'ENOTDIR') return [`${dir} is not a directory`, 'Move away what is there.'];
  if (code === 'EISDIR') return [`${path} is a directory`, 'Move away what is there.'];
  if (code === 'ENOSPC' || code === 'EDQUOT') return [`there is no space left for ${path} (${code})`, 'Free some.'];
  return [`${path} cannot be written (${errnoWord(error)})`, NOT_WRITABLE_HINT];
}

/** Removes what ended before a moment, and of that nothing but files of this class: others may put theirs there. */
async function removeEnded(dir: string, beforeWallMs: number): Promise<void> {
  for (const name of await readdir(dir)) {
    if (!OWN_NAME.test(name)) continue;
    const path = join(dir, name);
    const stats = await lstat(path).catch(() => undefined); // another agent may remove it at the same time
    if (stats?.isFile() && stats.mtimeMs < beforeWallMs) await unlink(path).catch(() => {});
  }
}

const boundTo = (id: string): Buffer => Buffer.from(`${FORMAT} ${id}`);

function seal(text: Uint8Array, key: Buffer, id: string): Buffer {
  const nonce = loadCrypto().randomBytes(NONCE_BYTES);
  return Buffer.concat([nonce, encrypt(text, { key, nonce, bound: boundTo(id) })]);
}

/** @throws Error when the file was not sealed by this key for this want. */
function unseal(file: Buffer, key: Buffer, id: string): Buffer {
  const nonce = file.subarray(0, NONCE_BYTES);
  return decrypt(file.subarray(NONCE_BYTES), { key, nonce, bound: boundTo(id) });
}
