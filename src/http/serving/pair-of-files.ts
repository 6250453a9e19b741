import type { Clock } from '../../base/clock.ts';
import { errnoWord } from '../../base/errno.ts';
import { asFailure, fail, failure } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import { loadCrypto } from '../../base/node-crypto.ts';
import { readFileInTime } from '../../base/read-file.ts';
import type { CertificateSource, ServingPair } from './pair.ts';

/** The kubelet writes a changed Secret about once in a minute. */
const LOOK_EVERY_MS = 10_000;
const MAX_BYTES = 1024 * 1024;

/** A pair in two files, such as those of cert-manager. A pair that cannot be used leaves the one before in use. */
export function certificateOfFiles(options: {
  readonly certFile: string;
  readonly keyFile: string;
  readonly clock: Clock;
  readonly emit: Emit;
}): CertificateSource {
  const { certFile, keyFile, clock, emit } = options;
  let current: ReadPair | undefined;
  const hasEnded = () => current !== undefined && clock.wallMs() >= current.endsMs;
  return {
    async first() {
      current = await readPair(certFile, keyFile);
      return current.pair;
    },
    async keepFresh(use, signal) {
      let failed = 0;
      let isTold = false;
      while (!signal.aborted) {
        if (hasEnded() && !isTold) {
          const seen = 'the certificate has ended, and clients refuse it';
          emit({ kind: 'agent-warning', warning: failure('INJECTOR_CERTIFICATE', certFile, seen) });
        }
        isTold = hasEnded();
        await clock.sleep(LOOK_EVERY_MS, signal);
        if (signal.aborted) return;
        try {
          const read = await readPair(certFile, keyFile);
          const { certificate, key } = read.pair;
          failed = 0;
          if (certificate === current?.pair.certificate && key === current.pair.key) continue;
          current = read;
          use(read.pair);
        } catch (error) {
          // The two files of a rotation may not fit for a moment, so it is told when it is so at the second look.
          failed += 1;
          if (failed === 2) emit({ kind: 'agent-warning', warning: asFailure(error, certFile) });
        }
      }
    },
    isTrusted: () => !hasEnded(),
  };
}

interface ReadPair {
  readonly pair: ServingPair;
  /** When the certificate ends. */
  readonly endsMs: number;
}

/** @throws PannierError INJECTOR_CERTIFICATE */
async function readPair(certFile: string, keyFile: string): Promise<ReadPair> {
  const [certificate, key] = await Promise.all([readText(certFile), readText(keyFile)]);
  const { createPrivateKey, X509Certificate } = loadCrypto();
  let fits = false;
  let endsMs = 0;
  try {
    const read = new X509Certificate(certificate);
    endsMs = read.validToDate.getTime();
    fits = read.checkPrivateKey(createPrivateKey(key));
  } catch {
    throw fail('INJECTOR_CERTIFICATE', certFile, 'the files are no certificate and private key in PEM');
  }
  if (!fits) throw fail('INJECTOR_CERTIFICATE', keyFile, 'the key is not the one of the certificate');
  return { pair: { certificate, key }, endsMs };
}

async function readText(path: string): Promise<string> {
  try {
    return (await readFileInTime(path, { maxBytes: MAX_BYTES })).bytes.toString();
  } catch (error) {
    throw fail('INJECTOR_CERTIFICATE', path, `the file cannot be read (${errnoWord(error)})`);
  }
}
