import { Secret } from '../base/secret.ts';

/** Freezes plain objects and lists all the way down, and what Maps hold; a Map itself is read-only by its type. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof Secret || Object.isFrozen(value)) return value;
  for (const below of value instanceof Map ? value.values() : Object.values(value)) deepFreeze(below);
  return Object.freeze(value);
}
