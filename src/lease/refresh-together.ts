import type { LeaseManager } from './manager.ts';

export type Groups = ReadonlyMap<string, readonly ReadonlySet<string>[]>;

/**
 * Values that were changed together arrive together: when one secret of a group changes, the group's other polled
 * secrets are asked for again at once. A change that was found by such an extra read asks for nothing further, and each
 * secret is pulled forward once between two reads of its own: n secrets changed at once cost n extra reads, and secrets
 * whose every answer differs (a clock stands in it) at most double their requests.
 *
 * @param groups for each secret the names of each output that it stands in, itself included or not.
 */
export function refreshTogether(manager: LeaseManager, groups: Groups): Disposable {
  return manager.onEvent((names, what, occasion) => {
    if (what !== 'changed' || occasion === 'pull') return;
    for (const name of names) {
      for (const output of groups.get(name) ?? []) {
        for (const other of output) if (!names.has(other)) manager.pullForward(other, name);
      }
    }
  });
}
