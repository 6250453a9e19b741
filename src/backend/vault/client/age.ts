import type { VaultAnswer } from './client.ts';

/**
 * How old an answer was when it arrived, from the header Age of a caching proxy (RFC 9111, section 5.1), in whole
 * seconds; 0 without the header. Lives in the answer began that much before the request.
 */
export function ageMs({ headers }: Pick<VaultAnswer, 'headers'>): number {
  const { age } = headers;
  return age !== undefined && /^\d{1,10}$/.test(age) ? Number(age) * 1000 : 0;
}
