import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf, errnoWord } from '../../base/errno.ts';
import { fail } from '../../base/errors.ts';
import type { Examination } from '../../base/examination.ts';
import type { Config } from '../../config/config.ts';

/** Whether the log file can be written, or made. */
export async function checkLogFile(examination: Examination, { log: { file } }: Config): Promise<void> {
  if (file === undefined) return;
  await examination.run('log', 'log.file', async () => {
    try {
      const stats = await stat(file);
      if (!stats.isFile()) throw fail('LOG_FILE', 'log.file', `${file} is not a regular file`);
      await access(file, constants.W_OK);
      return `${file} can be written`;
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      if (errnoOf(error) !== 'ENOENT') throw fail('LOG_FILE', 'log.file', `${file} (${errnoWord(error)})`);
    }
    try {
      await access(dirname(file), constants.W_OK | constants.X_OK);
    } catch (error) {
      throw fail('LOG_FILE', 'log.file', `${file} cannot be made in ${dirname(file)} (${errnoWord(error)})`);
    }
    return `${file} can be made`;
  });
}
