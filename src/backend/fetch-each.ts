import { PannierError } from '../base/errors.ts';
import type { Examination } from '../base/examination.ts';
import type { SecretConfig } from '../config/config.ts';
import type { Fetch, Source } from './backend.ts';
import type { Examined } from './examined.ts';

/** Fetches each secret. Only for kinds of backend whose fetch makes nothing new. */
export async function fetchEach(
  examination: Examination,
  source: Source,
  { secrets, took }: Pick<Examined, 'secrets' | 'took'>,
): Promise<void> {
  for (const secret of secrets) {
    await examination.run('secret', secret.place, async (signal) => {
      return await fetchOne(secret, { source, took, nowMs: examination.clock.wallMs() }, signal);
    });
  }
}

export interface FetchOneDeps extends Pick<Examined, 'took'> {
  readonly source: Pick<Source, 'fetch'>;
  /** On the wall clock. */
  readonly nowMs: number;
}

/** Fetches one secret as the agent does, and answers what a line about it says. @throws what the source throws. */
export async function fetchOne(secret: SecretConfig, deps: FetchOneDeps, signal: AbortSignal): Promise<string> {
  try {
    const fetched = await fetchAs(secret, deps, signal);
    if (fetched.state !== 'changed') return 'can be read';
    deps.took(secret.name, fetched.value);
    const { size } = fetched.value.fields;
    return `can be read, with ${size} field${size === 1 ? '' : 's'}`;
  } catch (error) {
    if (!secret.optional || !(error instanceof PannierError) || !isAbsent(error)) throw error;
    deps.took(secret.name, 'absent');
    return `${error.failure.seen}; it is optional`;
  }
}

async function fetchAs(
  { place, backend, request, refreshMs, optional }: SecretConfig,
  { source, nowMs }: FetchOneDeps,
  signal: AbortSignal,
): Promise<Fetch> {
  const want = { id: place, backend, request, place, refreshMs, optional };
  const { certificateFrom } = request;
  if (certificateFrom === undefined) return await source.fetch(want, undefined, signal);
  const { fetchStoredCertificate } = await import('./stored-certificate.ts');
  const stored = { ...want, request: { ...request, certificateFrom } };
  return await fetchStoredCertificate(source, stored, undefined, signal, nowMs);
}

/** Whether the failure says that there is no such secret, which an optional one may be. */
export const isAbsent = ({ failure: { code } }: PannierError): boolean =>
  code === 'SECRET_NOT_FOUND' || code === 'SECRET_DELETED' || code === 'SECRET_EMPTY';
