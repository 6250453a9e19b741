import type { LeaseManager } from './manager.ts';

export type Groups = ReadonlyMap<string, readonly ReadonlySet<string>[]>;

/**
 * Values that were changed together arrive together: when one secret of a group changes, the group's other polled
 * secrets are asked again at once. A change found by such an extra read asks nobody else, so n secrets changed at once
 * cost n extra reads, not n².
 *
 * @param groups for each secret the names of each output that it stands in, itself included or not.
 */
export function refreshTogether(manager: LeaseManager, groups: Groups): Disposable {
  const extra = new Set<string>();
  return manager.onEvent((names, what) => {
    let found = false;
    for (const name of names) if (extra.delete(name)) found = true;
    if (what !== 'changed' || found) return;
    const outputs = new Set([...names].flatMap((name) => groups.get(name) ?? []));
    for (const output of outputs) {
      for (const other of output) {
        if (!names.has(other) && manager.refreshIfPolled(other)) extra.add(other);
      }
    }
  });
}
