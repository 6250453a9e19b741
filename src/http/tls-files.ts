import type { SecureContext } from 'node:tls';
import type { Clock } from '../base/clock.ts';
import { errnoWord } from '../base/errno.ts';
import { fail } from '../base/errors.ts';
import { fileStamp } from '../base/file-stamp.ts';
import { holdsCertificate } from '../base/holds-certificate.ts';
import { loadCrypto } from '../base/node-crypto.ts';
import { readFileInTime, statInTime } from '../base/read-file.ts';
import type { TlsConfig } from '../config/config.ts';
import { loadTls } from './node-http.ts';

/**
 * The files are looked at once in this time: a new certificate is in use that soon, and a busy start costs no thousand
 * `stat` calls.
 */
const LOOK_EVERY_MS = 1000;

const CERTIFICATE_FILES = ['caFile', 'certFile', 'keyFile'] as const;

/** For comparison: a bundle of all public certificate authorities has a quarter of a MiB. */
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * The certificates of one backend, read again when the stamp of a file changes; a symlink swap of the kubelet is a
 * change too.
 *
 * During a rotation the files may be half written. While they cannot be used, the last good context stays in use;
 * `current` throws only when there is none yet.
 */
export class TlsFiles {
  readonly #tls: TlsConfig;
  readonly #place: string;
  readonly #clock: Clock;
  #context: SecureContext | undefined;
  #stamp = '';
  #lookedMs = Number.NEGATIVE_INFINITY;
  /** The look at the files that is under way, which all callers share. */
  #look: Promise<SecureContext> | undefined;

  constructor(tls: TlsConfig, place: string, clock: Clock) {
    this.#tls = tls;
    this.#place = place;
    this.#clock = clock;
  }

  /**
   * The context for new connections: the same object as before while no file has changed.
   * @throws PannierError BACKEND_TLS when a file is missing or not usable and nothing better is known.
   */
  async current(): Promise<SecureContext> {
    const now = this.#clock.monoMs();
    if (this.#context !== undefined && now - this.#lookedMs < LOOK_EVERY_MS) return this.#context;
    if (this.#look !== undefined) return await this.#look;
    this.#lookedMs = now;
    const look = this.#lookNow().finally(() => {
      if (this.#look === look) this.#look = undefined;
    });
    this.#look = look;
    return await look;
  }

  /** The next `current` looks at the files, however short the time since the last look. */
  lookAgain(): void {
    this.#lookedMs = Number.NEGATIVE_INFINITY;
    this.#look = undefined; // the look under way may have read the files before this call
  }

  async #lookNow(): Promise<SecureContext> {
    try {
      const files = await this.#choose();
      // The stamp is taken before the bytes: a change in between is seen at the next look.
      const stamp = await this.#stampNow(files);
      if (this.#context === undefined || stamp !== this.#stamp) {
        this.#context = await this.#load(files);
        this.#stamp = stamp;
      }
      return this.#context;
    } catch (error) {
      if (this.#context !== undefined) return this.#context;
      throw error;
    }
  }

  /** The pair of `bootstrap` is the client's while its own does not exist, cannot be read as one, or has ended. */
  async #choose(): Promise<TlsConfig> {
    const { bootstrap, certFile } = this.#tls;
    if (bootstrap === undefined || certFile === undefined) return this.#tls;
    try {
      const { X509Certificate } = loadCrypto();
      const { validToDate } = new X509Certificate(await readText(certFile));
      if (validToDate.getTime() > this.#clock.wallMs()) return this.#tls;
    } catch {
      // there is none yet
    }
    return { ...this.#tls, ...bootstrap };
  }

  async #stampNow(files: TlsConfig): Promise<string> {
    const stamps = CERTIFICATE_FILES.map((key) => this.#ofFile(files, key, stampOf));
    return (await Promise.all(stamps)).join(' ');
  }

  async #load(files: TlsConfig): Promise<SecureContext> {
    const [ca, cert, key] = await Promise.all([
      this.#ofFile(files, 'caFile', readText),
      this.#ofFile(files, 'certFile', readText),
      this.#ofFile(files, 'keyFile', readText),
    ]);
    const { held } = files;
    if (ca !== undefined && !holdsCertificate(ca)) {
      const seen = `holds no certificate in PEM: ${files.caFile}`;
      const hint = 'Put the certificate of the authority there.';
      throw fail('BACKEND_TLS', `${this.#place}.tls.caFile`, seen, { hint });
    }
    try {
      return loadTls().createSecureContext({
        ca: held?.ca ?? ca,
        cert: held?.cert ?? cert,
        key: held?.key?.exposeText('backend') ?? key,
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

  async #ofFile(
    files: TlsConfig,
    key: (typeof CERTIFICATE_FILES)[number],
    use: (path: string) => Promise<string>,
  ): Promise<string | undefined> {
    const path = files[key];
    if (path === undefined) return undefined;
    try {
      return await use(path);
    } catch (error) {
      const seen = `cannot be read (${errnoWord(error)}): ${path}`;
      throw fail('BACKEND_TLS', `${this.#place}.tls.${key}`, seen, { hint: 'Check the path and its permissions.' });
    }
  }
}

const stampOf = async (path: string): Promise<string> => fileStamp(await statInTime(path));

async function readText(path: string): Promise<string> {
  return (await readFileInTime(path, { maxBytes: MAX_BYTES })).bytes.toString('utf8');
}
