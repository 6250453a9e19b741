import { errnoWord } from '../../base/errno.ts';
import { fail } from '../../base/errors.ts';
import type { Examination } from '../../base/examination.ts';
import { statInTime } from '../../base/read-file.ts';
import type { Examined } from '../examined.ts';
import { fetchEach } from '../fetch-each.ts';
import { createFileBackend } from './backend.ts';
import type { FileBackendConfig } from './config.ts';

/** Examines a file or folder of secrets; see `Examiner`. */
export async function examine(
  { config, secrets, context, took }: Examined<FileBackendConfig>,
  examination: Examination,
): Promise<void> {
  const place = `backends.${config.name}.path`;
  const isThere = await examination.run('file', place, async () => {
    try {
      const stats = await statInTime(config.path);
      return `${config.path} is a ${stats.isDirectory() ? 'folder' : 'file'}`;
    } catch (error) {
      const code = errnoWord(error);
      throw fail('BACKEND_FILE', place, `${config.path} ${code === 'ENOENT' ? 'does not exist' : `(${code})`}`);
    }
  });
  if (!isThere) {
    for (const { place: at } of secrets) examination.skip('secret', at, 'there is no file');
    return;
  }
  await using backend = createFileBackend(config, context);
  await fetchEach(examination, backend.source, { secrets, took });
}
