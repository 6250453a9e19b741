import type { X509Certificate } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { retryAfterMs } from '../../http/retry-after.ts';
import type { Want, Watching } from '../backend.ts';
import { lookAtRefresh } from '../look-at-refresh.ts';
import type { AcmeClient } from './client/client.ts';

/** What is known of the certificate that a want has now. */
export interface HeldCertificate {
  readonly leaf: X509Certificate;
  /** See `renewalId`; undefined for a certificate without one, whose issuer cannot be asked. */
  readonly id: string | undefined;
}

export interface RenewalInfoDeps {
  readonly client: AcmeClient;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** The certificate of a want; undefined before the first one. */
  held(want: Want): HeldCertificate | undefined;
}

/** How often the server is asked when it does not say, and the longest time that it can ask for (RFC 9773, 4.3). */
const ASK_EVERY_MS = 6 * 3_600_000;
const LONGEST_MS = 24 * 3_600_000;

/**
 * Asks the issuer when a certificate is to be replaced (ARI, RFC 9773), for the first time within a `refresh` and then
 * as often as the issuer says, at most once in a `refresh`. The moment is a random one in the window of the issuer,
 * chosen once for a window. What cannot be read says nothing: the certificate is replaced as one without that answer.
 */
export function watchRenewalInfo(deps: RenewalInfoDeps, wanted: Want, replaceAt: (wallMs: number) => void): Watching {
  const { client, clock, random } = deps;
  let chosen: { readonly window: string; readonly atMs: number } | undefined;
  let asked: { readonly id: string; readonly againMonoMs: number } | undefined;
  const ask = async (id: string, want: Want, signal: AbortSignal): Promise<number> => {
    const { renewalInfo } = await client.directory(want.place, signal);
    if (renewalInfo === undefined) return ASK_EVERY_MS;
    const call = { url: `${renewalInfo}/${id}`, operation: 'RenewalInfo', place: want.place };
    const { json, headers } = await client.get(call, signal);
    const window = windowIn(json);
    const name = `${id} ${window?.startMs} ${window?.endMs}`;
    if (window !== undefined && chosen?.window !== name) {
      chosen = { window: name, atMs: window.startMs + (window.endMs - window.startMs) * random() };
    }
    // Another certificate may have come meanwhile.
    if (window !== undefined && chosen !== undefined && deps.held(want)?.id === id) replaceAt(chosen.atMs);
    return Math.min(LONGEST_MS, retryAfterMs(headers['retry-after'], clock.wallMs()) ?? ASK_EVERY_MS);
  };
  return lookAtRefresh(wanted, deps, async (want, signal) => {
    const id = deps.held(want)?.id;
    const isDue = asked?.id !== id || asked === undefined || asked.againMonoMs <= clock.monoMs();
    if (id === undefined || !isDue) return;
    const againMs = await ask(id, want, signal).catch(() => ASK_EVERY_MS);
    asked = { id, againMonoMs: clock.monoMs() + againMs };
  });
}

function windowIn(json: unknown): { readonly startMs: number; readonly endMs: number } | undefined {
  const { suggestedWindow } = (json ?? {}) as { readonly suggestedWindow?: unknown };
  const { start, end } = (suggestedWindow ?? {}) as { readonly start?: unknown; readonly end?: unknown };
  const [startMs, endMs] = [Date.parse(String(start)), Date.parse(String(end))];
  return endMs > startMs ? { startMs, endMs } : undefined;
}
