/** A map of JSON as it came: a pod may have null in any place, and fields that this version does not know. */
export type JsonMap = Readonly<Record<string, unknown>>;

/** The map, or an empty one for null, for nothing and for anything else. */
export function mapOf(value: unknown): JsonMap {
  return isMap(value) ? value : {};
}

/** The items of a list as maps, at their own indices; none for null and for anything else. */
export function listOf(value: unknown): readonly JsonMap[] {
  return Array.isArray(value) ? value.map(mapOf) : [];
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

export function isMap(value: unknown): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
