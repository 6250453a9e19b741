/** A program with OpenBao's own Go library, of test/fixtures/go-client: no package has one, so it is built once. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir } from './cache.ts';

const SOURCE = join(import.meta.dirname, '..', 'fixtures', 'go-client');

/** Resolves to its path. The first call takes some 20 seconds; it needs `go` on the PATH (see `hasGo`). */
export async function ensureGoClient(): Promise<string> {
  const hash = createHash('sha256');
  for (const name of ['go.mod', 'go.sum', 'main.go']) hash.update(await readFile(join(SOURCE, name)));
  const folder = join(cacheDir, `go-client-${hash.digest('hex').slice(0, 16)}`);
  const path = join(folder, 'go-client');
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (isThere) return path;
  const made = `${folder}.${process.pid}`;
  await mkdir(made, { recursive: true });
  await promisify(execFile)('go', ['build', '-mod=readonly', '-o', join(made, 'go-client'), '.'], { cwd: SOURCE });
  await rename(made, folder).catch(() => rm(made, { recursive: true, force: true }));
  return path;
}
