import type { X509Certificate } from 'node:crypto';
import { loadCrypto } from '../../base/node-crypto.ts';
import { certificatesIn } from '../../certificate/pem.ts';

/** More authorities than an injector has replicas, each with two during a rotation. */
const MAX_AUTHORITIES = 50;

/**
 * The authorities that the API server is to trust: those that are there, of the other replicas, and our own. Left out
 * are authorities that have ended, and those of an earlier process of this replica, which have our name. When there are
 * too many the oldest go; a replica that still lives adds its own again.
 */
export function mergeBundle(present: string, own: readonly string[], nowMs: number): string {
  const { X509Certificate: Certificate } = loadCrypto();
  const ours = own.map((pem) => new Certificate(pem));
  const subjects = new Set(ours.map(({ subject }) => subject));
  const others = certificatesIn(present).flatMap((pem) => {
    const parsed = parsedOr(pem, Certificate);
    const stays = parsed !== undefined && Date.parse(parsed.validTo) > nowMs && !subjects.has(parsed.subject);
    return stays ? [{ pem, fromMs: Date.parse(parsed.validFrom) }] : [];
  });
  const kept = others
    .toSorted((a, b) => b.fromMs - a.fromMs)
    .slice(0, MAX_AUTHORITIES - own.length)
    .map(({ pem }) => pem);
  return [...kept.toSorted(), ...own.toSorted()].join('');
}

function parsedOr(pem: string, Certificate: typeof X509Certificate): X509Certificate | undefined {
  try {
    return new Certificate(pem);
  } catch {
    return undefined;
  }
}
