import type { Clock } from '../base/clock.ts';
import { asFailure, type Failure, failure } from '../base/errors.ts';
import type { Emit } from '../base/fact.ts';
import { TlsFiles } from '../http/tls-files.ts';
import { type OtlpSettings, type Signal, UNUSABLE } from './settings.ts';

const AGAIN = 'it is read again at the next request.';
const PUT_FILE = `Put the file where the variable says; ${AGAIN}`;
const PUT_CERTIFICATE = `Put the certificate of an authority into the file, in PEM; ${AGAIN}`;
const PUT_PAIR = `Put a certificate and its own key, in PEM, where the variables say; ${AGAIN}`;

/**
 * Reads the files of certificates that variables name, so that one that is missing is a warning at the start and not
 * only when something is dropped for it. Nothing is read for a receiver without TLS. Never rejects.
 */
export async function checkFiles(signal: Signal, settings: OtlpSettings, clock: Clock, emit: Emit): Promise<void> {
  const { origin, tls, tlsVariables } = settings;
  if (tlsVariables.size === 0 || !origin.startsWith('https:')) return;
  try {
    await new TlsFiles(tls, 'otlp', clock).current();
  } catch (error) {
    const failed = asFailure(error, 'otlp');
    const key = keyOf(failed);
    const keys = key === '' ? ['certFile', 'keyFile'] : [key];
    const place = keys.flatMap((one) => tlsVariables.get(one) ?? []).join(', ');
    const seen = seenOf(failed, settings);
    const hint = seen.startsWith('cannot be read') ? PUT_FILE : key === 'caFile' ? PUT_CERTIFICATE : PUT_PAIR;
    emit({ kind: 'agent-warning', warning: failure(UNUSABLE[signal], place, seen, { hint }) });
  }
}

/**
 * What was seen of certificates, with the variables in the place of keys of a configuration. The text of a variable is
 * left out: it may be a key instead of the path of one.
 */
export function seenOf(failed: Failure, { tlsVariables }: OtlpSettings): string {
  const seen = keyOf(failed) === '' ? failed.seen : failed.seen.slice(0, failed.seen.indexOf(': '));
  return seen.replace(/\btls\.(\w+)/g, (whole, key: string) => tlsVariables.get(key) ?? whole);
}

/** The key of `tls` whose file cannot be used; empty when another thing is wrong. */
const keyOf = ({ place }: Failure): string => /\.tls\.(\w+)$/.exec(place)?.[1] ?? '';
