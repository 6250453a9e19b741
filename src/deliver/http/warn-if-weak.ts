import { asFailure } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import type { TokenFile } from './token-file.ts';

/** Warns of a weak token or an unusable file. The file may appear later; until then every request is refused. */
export async function warnIfWeak(token: TokenFile | undefined, emit: Emit): Promise<void> {
  try {
    const weakness = await token?.check();
    if (weakness !== undefined) emit({ kind: 'agent-warning', warning: weakness });
  } catch (error) {
    emit({ kind: 'agent-warning', warning: asFailure(error, 'api') });
  }
}
