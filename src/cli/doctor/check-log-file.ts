import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf, errnoWord } from '../../base/errno.ts';
import { fail } from '../../base/errors.ts';
import type { Examination } from '../../base/examination.ts';
import type { Config } from '../../config/config.ts';

/** Whether the files of the log and of the audit can be written, or made. */
export async function checkLogFile(examination: Examination, { log: { file, auditFile } }: Config): Promise<void> {
  await check(examination, file, 'log.file');
  await check(examination, auditFile, 'log.auditFile');
}

async function check(examination: Examination, file: string | undefined, place: string): Promise<void> {
  if (file === undefined) return;
  await examination.run('log', place, async () => {
    try {
      const stats = await stat(file);
      if (!stats.isFile()) throw fail('LOG_FILE', place, `${file} is not a regular file`);
      await access(file, constants.W_OK);
      return `${file} can be written`;
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      if (errnoOf(error) !== 'ENOENT') throw fail('LOG_FILE', place, `${file} (${errnoWord(error)})`);
    }
    try {
      await access(dirname(file), constants.W_OK | constants.X_OK);
    } catch (error) {
      throw fail('LOG_FILE', place, `${file} cannot be made in ${dirname(file)} (${errnoWord(error)})`);
    }
    return `${file} can be made`;
  });
}
