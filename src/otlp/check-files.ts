import type { Clock } from '../base/clock.ts';
import { asFailure, type Failure, failure } from '../base/errors.ts';
import type { Emit } from '../base/fact.ts';
import { TlsFiles } from '../http/tls-files.ts';
import { type OtlpSettings, type Signal, UNUSABLE } from './settings.ts';

const HINT = 'Put the file where the variable says; it is read again at the next request.';

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
    const place = tlsVariables.get(keyOf(failed)) ?? [...tlsVariables.values()].join(', ');
    emit({ kind: 'agent-warning', warning: failure(UNUSABLE[signal], place, seenOf(failed), { hint: HINT }) });
  }
}

/** What was seen of certificates, without the text of a variable: it may be a key instead of the path of one. */
export function seenOf(failed: Failure): string {
  return keyOf(failed) === '' ? failed.seen : failed.seen.slice(0, failed.seen.indexOf('): ') + 1);
}

/** The key of `tls` whose file could not be read; empty when another thing is wrong. */
const keyOf = ({ place }: Failure): string => /\.tls\.(\w+)$/.exec(place)?.[1] ?? '';
