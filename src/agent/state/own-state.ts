import { asFailure, type Failure, failure } from '../../base/errors.ts';
import { fileCall } from '../../base/file-call.ts';
import { holdFolder } from '../../base/held-folder.ts';
import type { StateConfig } from '../../config/config.ts';
import type { Ownership } from '../../deliver/file/owners.ts';

/**
 * Claims the directory of a state, since two agents that share one would share a login and write over each other.
 * @returns why it may not be used; undefined: it may, or the trouble is not another agent, and the state tells of it.
 */
export async function ownState({ path, place }: StateConfig, owners: Ownership): Promise<Failure | undefined> {
  try {
    await fileCall(path, async () => {
      const folder = await holdFolder(path, { make: 0o700, refuseLink: true });
      let isNeeded = false;
      try {
        isNeeded = await owners.claim(path, folder, place);
      } finally {
        if (!isNeeded) await folder[Symbol.asyncDispose]();
      }
    });
    return undefined;
  } catch (error) {
    const { code, seen } = asFailure(error, place);
    return code === 'OUTPUT_IN_USE' ? failure('STATE_IN_USE', place, seen) : undefined;
  }
}
