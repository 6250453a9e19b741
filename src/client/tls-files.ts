import { readFileSync, statSync } from 'node:fs';
import type { SecureContext } from 'node:tls';
import type { Clock } from '../base/clock.ts';
import { fail } from '../base/errors.ts';
import type { TlsConfig } from '../config/config.ts';
import { loadTls } from './node-http.ts';

/** How often the files are looked at. A new certificate is in use that soon, and a busy start costs no thousand stats. */
const LOOK_EVERY_MS = 1000;

/**
 * The certificates of one backend, read again when a file changes (other time, size or inode, so a kubelet's symlink
 * swap counts).
 *
 * A pair under rotation may be half written. While what is there cannot be used, the last good context stays; only
 * without one does `current` throw.
 */
export class TlsFiles {
  readonly #tls: TlsConfig;
  readonly #place: string;
  readonly #clock: Clock;
  #context: SecureContext | undefined;
  #stamp = '';
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(tls: TlsConfig, place: string, clock: Clock) {
    this.#tls = tls;
    this.#place = place;
    this.#clock = clock;
  }

  /**
   * The context for new connections: the same object as before while no file has changed.
   * @throws PannierError BACKEND_TLS when a file is missing or not usable and nothing better is known.
   */
  current(): SecureContext {
    const now = this.#clock.monoMs();
    if (this.#context !== undefined && now - this.#lookedMs < LOOK_EVERY_MS) return this.#context;
    this.#lookedMs = now;
    try {
      // The stamp is taken before the bytes: a change in between is seen at the next look.
      const stamp = this.#stampNow();
      if (this.#context === undefined || stamp !== this.#stamp) {
        this.#context = this.#load();
        this.#stamp = stamp;
      }
      return this.#context;
    } catch (error) {
      if (this.#context !== undefined) return this.#context;
      throw error;
    }
  }

  /** The next `current` looks at the files, however short the time since the last look. */
  lookAgain(): void {
    this.#lookedMs = Number.NEGATIVE_INFINITY;
  }

  #stampNow(): string {
    return (['caFile', 'certFile', 'keyFile'] as const).map((key) => this.#ofFile(key, stampOf)).join(' ');
  }

  #load(): SecureContext {
    const ca = this.#ofFile('caFile', readText);
    const cert = this.#ofFile('certFile', readText);
    const key = this.#ofFile('keyFile', readText);
    try {
      return loadTls().createSecureContext({
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
      });
    } catch (error) {
      const mismatch = (error as { code?: string }).code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH';
      throw fail(
        'BACKEND_TLS',
        `${this.#place}.tls`,
        mismatch ? 'tls.keyFile is not the key of tls.certFile' : 'the certificate files are not usable PEM',
        { hint: 'Check tls.caFile, tls.certFile and tls.keyFile.' },
      );
    }
  }

  #ofFile(key: 'caFile' | 'certFile' | 'keyFile', use: (path: string) => string): string | undefined {
    const path = this.#tls[key];
    if (path === undefined) return undefined;
    try {
      return use(path);
    } catch (error) {
      const code = String((error as { code?: unknown }).code);
      const seen = `cannot be read (${/^E[A-Z]+$/.test(code) ? code : 'unknown'}): ${path}`;
      throw fail('BACKEND_TLS', `${this.#place}.tls.${key}`, seen, { hint: 'Check the path and its permissions.' });
    }
  }
}

function stampOf(path: string): string {
  const { mtimeMs, size, ino, dev } = statSync(path);
  return `${dev}:${ino}:${size}:${mtimeMs}`;
}

const readText = (path: string): string => readFileSync(path, 'utf8');
