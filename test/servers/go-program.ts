/** Programs in Go of test/fixtures, with libraries that no package has: each is built once. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir } from './cache.ts';

/** Resolves to its path. The first call takes 20 seconds to some minutes; it needs `go` on the PATH (see `hasGo`). */
export async function ensureGoProgram(
  name: 'docker-fluentd' | 'go-client' | 'log-collector' | 'otlp-receiver',
): Promise<string> {
  const source = join(import.meta.dirname, '..', 'fixtures', name);
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum', 'main.go']) hash.update(await readFile(join(source, file)));
  const folder = join(cacheDir, `${name}-${hash.digest('hex').slice(0, 16)}`);
  const path = join(folder, name);
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (isThere) return path;
  const made = `${folder}.${process.pid}`;
  await mkdir(made, { recursive: true });
  await promisify(execFile)('go', ['build', '-mod=readonly', '-o', join(made, name), '.'], { cwd: source });
  await rename(made, folder).catch(() => rm(made, { recursive: true, force: true }));
  return path;
}
