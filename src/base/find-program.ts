import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Code } from './codes.ts';
import { fail } from './errors.ts';

/**
 * Says where a program is, by PATH as for the agent itself, when it can be started.
 * @param otherwise the code and the place of the failure.
 * @throws PannierError that says why it cannot be started.
 */
export async function findProgram(
  program: string,
  env: { readonly [name: string]: string | undefined },
  otherwise: { readonly code: Code; readonly place: string },
): Promise<string> {
  const folders = program.includes('/') ? [''] : (env['PATH'] ?? '').split(':');
  let why = 'is in no folder of PATH';
  for (const folder of folders) {
    const path = folder === '' ? program : join(folder, program);
    const stats = await stat(path).catch(() => undefined);
    if (stats === undefined || !stats.isFile()) {
      if (program.includes('/')) why = stats === undefined ? 'does not exist' : 'is not a regular file';
      continue;
    }
    const isGood = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isGood) return `${path} can be started`;
    why = `(${path}) may not be executed by this user`;
  }
  throw fail(otherwise.code, otherwise.place, `${program} ${why}`);
}
