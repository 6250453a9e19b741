import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { errnoOf, errnoWord } from '../../base/errno.ts';
import { fail } from '../../base/errors.ts';
import type { Examination } from '../../base/examination.ts';
import type { Config } from '../../config/config.ts';
import { SocketTarget } from '../../log/audit/socket-target.ts';

/** Whether the files of the log and of the audit can be written, or made, and the socket of the audit connected to. */
export async function checkLogFile(examination: Examination, { log: { file, audit } }: Config): Promise<void> {
  await check(examination, file, 'log.file');
  if (audit?.kind === 'file') await check(examination, audit.path, 'log.auditFile');
  if (audit?.kind === 'socket') await checkSocket(examination, audit.path);
}

/** Whether somebody listens. */
async function checkSocket(examination: Examination, path: string): Promise<void> {
  await examination.run('log', 'log.auditTo', async () => {
    const ignore = () => {};
    const target = new SocketTarget({ path }, `unix://${path}`, 'log.auditTo', {
      onReady: ignore,
      onBroken: ignore,
      after: systemClock.after,
    });
    await target.open();
    target.close();
    return `unix://${path} takes lines`;
  });
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
