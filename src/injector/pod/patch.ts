import type { JsonMap } from './json.ts';

/** An operation of a JSON patch (RFC 6902). The injector only adds. */
export interface Operation {
  readonly op: 'add';
  readonly path: string;
  readonly value: unknown;
}

/** A JSON pointer (RFC 6901): `~` and `/` in a name are escaped. */
export function pointer(...parts: readonly (string | number)[]): string {
  return parts.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/**
 * Collects the operations that add to a pod and never write again what is there: a field that this version of the
 * injector does not know stays as it came.
 */
export class PatchBuilder {
  readonly operations: Operation[] = [];

  add(path: readonly (string | number)[], value: unknown): void {
    this.operations.push({ op: 'add', path: pointer(...path), value });
  }

  /** Adds members to a map that may be absent or null. */
  addMembers(path: readonly (string | number)[], before: unknown, members: JsonMap): void {
    const isThere = typeof before === 'object' && before !== null;
    if (!isThere) this.add(path, members);
    else for (const [name, value] of Object.entries(members)) this.add([...path, name], value);
  }

  /** Adds items to the end of a list that may be absent or null. */
  append(path: readonly (string | number)[], before: unknown, items: readonly unknown[]): void {
    if (items.length === 0) return;
    if (!Array.isArray(before)) this.add(path, items);
    else for (const item of items) this.add([...path, '-'], item);
  }

  /** Puts one item into a list that may be absent or null. */
  insert(path: readonly (string | number)[], before: unknown, index: number, item: unknown): void {
    if (Array.isArray(before)) this.add([...path, index], item);
    else this.add(path, [item]);
  }
}
