import type { KeyObject } from 'node:crypto';
import { mkdir, readdir, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decrypt, encrypt, NONCE_BYTES } from '../../base/aes-gcm.ts';
import type { Clock } from '../../base/clock.ts';
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
}

export interface OrderBookOptions {
  readonly clock: Pick<Clock, 'wallMs'>;
  /** A folder that is made on need. */
  readonly dir: string;
  /** The key of the account, which is not made; undefined: there is none. May reject. */
  accountKey(): Promise<KeyObject | undefined>;
}

/** The folder of an account whose key is in this file. */
export const ordersOf = (keyFile: string): string => `${keyFile}.orders`;

const FORMAT = 'pannier acme orders 1';
const MAX_BYTES = 1024 * 1024;
/** What no order has been made for in this time is not asked for any more. */
const FORGOTTEN_MS = 90 * 24 * 3_600_000;

/**
 * Keeps for the next process what was ordered, beside the key of the account: a certificate that is not published yet
 * is not ordered a second time, and failures are counted over restarts. So an agent that is started again and again
 * uses up no limit of a public issuer.
 *
 * There is a file for each want. It is sealed under a key that is derived from the account's (HKDF), and bound to the
 * want: whoever cannot read that key can neither read the file nor make one. A file that cannot be opened counts as
 * none, and one that cannot be written costs an order at the next start.
 */
export class OrderBook {
  readonly #options: OrderBookOptions;

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

  /** Replaces what is known of a want. Never rejects. */
  async write(id: string, orders: Orders): Promise<void> {
    const path = this.#pathOf(id);
    try {
      const sealed = seal(Buffer.from(JSON.stringify(orders)), await this.#sealKey(), id);
      await fileCall(path, () => this.#replace(path, sealed));
    } catch {
      // see above
    }
  }

  async #replace(path: string, bytes: Buffer): Promise<void> {
    const { dir } = this.#options;
    const made = `${path}.${loadCrypto().randomBytes(6).toString('hex')}`;
    await mkdir(dir, { mode: 0o700, recursive: true });
    try {
      await writeFile(made, bytes, { flag: 'wx', mode: 0o600 });
      await rename(made, path);
    } catch (error) {
      await unlink(made).catch(() => {});
      throw error;
    }
    await removeOlder(dir, this.#options.clock.wallMs() - FORGOTTEN_MS);
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

async function removeOlder(dir: string, thanWallMs: number): Promise<void> {
  for (const name of await readdir(dir)) {
    const path = join(dir, name);
    const { mtimeMs } = await stat(path);
    if (mtimeMs < thanWallMs) await unlink(path);
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
