import { Secret } from '../base/secret.ts';

/** Freezes plain objects and lists in depth, also as values of Maps. A Map itself is read-only by its type. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof Secret || Object.isFrozen(value)) return value;
  for (const below of value instanceof Map ? value.values() : Object.values(value)) deepFreeze(below);
  return Object.freeze(value);
}
