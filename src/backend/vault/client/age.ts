import type { VaultAnswer } from './client.ts';

/**
 * How old an answer was when it came. A caching proxy on the way says so (RFC 9111, section 5.1), in whole seconds: the
 * lives in such an answer began that much before we asked.
 */
export function ageMs({ headers }: Pick<VaultAnswer, 'headers'>): number {
  const { age } = headers;
  return age !== undefined && /^\d{1,10}$/.test(age) ? Number(age) * 1000 : 0;
}
