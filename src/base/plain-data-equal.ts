import { Secret } from './secret.ts';

/** Whether two values are equal in depth: plain objects (whatever their order), arrays, scalars and secrets. */
export function isSamePlainData(a: unknown, b: unknown): boolean {
  if (a instanceof Secret) return b instanceof Secret && a.equals(b);
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return Object.is(a, b);
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const entries = Object.entries(a);
  const others = new Map(Object.entries(b));
  return (
    entries.length === others.size &&
    entries.every(([name, value]) => others.has(name) && isSamePlainData(value, others.get(name)))
  );
}
