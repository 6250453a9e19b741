import { Secret } from './secret.ts';

/** Equal in all it holds: plain objects, arrays, scalars, and secrets compared without being shown. */
export function isSamePlainData(a: unknown, b: unknown): boolean {
  if (a instanceof Secret) return b instanceof Secret && a.equals(b);
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return Object.is(a, b);
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const one = Object.entries(a);
  const other = new Map(Object.entries(b));
  return (
    one.length === other.size &&
    one.every(([name, value]) => other.has(name) && isSamePlainData(value, other.get(name)))
  );
}
