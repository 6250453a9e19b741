import { PannierError } from '../base/errors.ts';
import type { Examination } from '../base/examination.ts';
import type { SecretConfig } from '../config/config.ts';
import type { Source } from './backend.ts';

/** Fetches each secret and drops its value. Only for kinds of backend whose fetch makes nothing new. */
export async function fetchEach(
  examination: Examination,
  source: Source,
  secrets: readonly SecretConfig[],
): Promise<void> {
  for (const { place, backend, request, refreshMs, optional } of secrets) {
    await examination.run('secret', place, async (signal) => {
      const want = { id: place, backend, request, place, refreshMs, optional };
      try {
        const fetched = await source.fetch(want, undefined, signal);
        const size = fetched.state === 'changed' ? fetched.value.fields.size : 0;
        return `can be read, with ${size} field${size === 1 ? '' : 's'}`;
      } catch (error) {
        if (!optional || !(error instanceof PannierError) || !isAbsent(error)) throw error;
        return `${error.failure.seen}; it is optional`;
      }
    });
  }
}

/** Whether the failure says that there is no such secret, which an optional one may be. */
export const isAbsent = ({ failure: { code } }: PannierError): boolean =>
  code === 'SECRET_NOT_FOUND' || code === 'SECRET_DELETED' || code === 'SECRET_EMPTY';
