import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Place } from './agent.helpers.ts';

/** A file backend over the secrets of a place: it needs no server, so tests of what follows a change are quick. */
export const fileBackend = { demo: { kind: 'file', path: './secrets.json' } };

/** Replaces all secrets of a place, as an editor does. */
export function writeSecrets({ dir }: Pick<Place, 'dir'>, secrets: Readonly<Record<string, object>>): Promise<void> {
  return writeFileInOne(join(dir, 'secrets.json'), JSON.stringify(secrets));
}

/** Replaces a file by a rename, so that readers never see a part of it. */
export async function writeFileInOne(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

/** Writes `app.password`, the one secret of most tests. */
export const writePassword = (place: Pick<Place, 'dir'>, password: string) =>
  writeSecrets(place, { app: { password } });

/** Outputs in folders of their own, each with the file `password`; `more` has further settings by output. The log is
 * detailed. */
export function outputsOf(dir: string, more: Readonly<Record<string, object>>): object {
  const files = { password: { content: '{{app.password}}' } };
  const outputs = Object.entries(more).map(([name, own]) => [name, { dir: join(dir, name), files, ...own }]);
  return {
    log: { level: 'debug' },
    backends: fileBackend,
    secrets: { app: { key: 'app' } },
    outputs: Object.fromEntries(outputs),
  };
}
