import { fail } from '../base/errors.ts';
import { readFileInTime } from '../base/read-file.ts';

/** By how much the clocks of this machine and of an issuer may differ when the configuration does not say. */
export const CLOCK_SKEW_MS = 5 * 60_000;

const MAX_CA_BYTES = 1024 * 1024;

/** The CA certificates in a file, in PEM. @throws PannierError CERTIFICATE_CA_UNREADABLE */
export async function readAuthorities(file: string, place: string): Promise<string> {
  try {
    return (await readFileInTime(file, { maxBytes: MAX_CA_BYTES })).bytes.toString('latin1');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw fail('CERTIFICATE_CA_UNREADABLE', place, `the CA certificate ${file} cannot be read (${code})`);
  }
}
