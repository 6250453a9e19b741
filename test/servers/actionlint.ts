/** actionlint, which reads workflows of GitHub. No package has it, so it is made by `go install`. */
import { execFile } from 'node:child_process';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir } from './cache.ts';

const ACTIONLINT = 'v1.7.12';

const run = promisify(execFile);

/** What it finds in these files: a line for each problem. It needs `go` on the PATH (see `hasGo`). */
export async function lintWorkflows(files: readonly string[]): Promise<string> {
  // What it would find with these depends on whether they are installed.
  const alone = ['-shellcheck=', '-pyflakes=', '-oneline'];
  return await run(await ensureActionlint(), [...alone, ...files]).then(
    ({ stdout }) => stdout,
    (error: { readonly stdout: string; readonly stderr: string }) => error.stdout + error.stderr,
  );
}

async function ensureActionlint(): Promise<string> {
  const folder = join(cacheDir, `actionlint-${ACTIONLINT}`);
  const path = join(folder, 'actionlint');
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (isThere) return path;
  const made = `${folder}.${process.pid}`;
  await mkdir(made, { recursive: true });
  const env = { ...process.env, GOBIN: made };
  await run('go', ['install', `github.com/rhysd/actionlint/cmd/actionlint@${ACTIONLINT}`], { env });
  await rename(made, folder).catch(() => rm(made, { recursive: true, force: true }));
  return path;
}
