/** Helm, which no npm or Python package has: `go install` builds it once. */
import { execFile } from 'node:child_process';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir } from './cache.ts';

const run = promisify(execFile);

/** The newest of both majors: most users have the older one. */
const MODULES = [
  { module: 'helm.sh/helm/v4', version: 'v4.3.2' },
  { module: 'helm.sh/helm/v3', version: 'v3.22.0' },
] as const;

const binaryOf = (version: string) => join(cacheDir, `helm-${version}`, 'helm');

/** Each helm that is here: those of the cache, else the one of the PATH; none where `npm run helm` has not been run. */
export async function findHelms(): Promise<readonly string[]> {
  const cached = await Promise.all(
    MODULES.map(({ version }) => binaryOf(version)).map(async (path) => ((await isThere(path)) ? [path] : [])),
  );
  if (cached.flat().length > 0) return cached.flat();
  return await run('helm', ['version']).then(
    () => ['helm'],
    () => [],
  );
}

/** Builds what the cache lacks, which takes minutes and needs `go` on the PATH. Resolves to the paths. */
export async function ensureHelms(): Promise<readonly string[]> {
  for (const { module, version } of MODULES) {
    const path = binaryOf(version);
    if (await isThere(path)) continue;
    const made = join(cacheDir, `helm-${version}.${process.pid}`);
    await mkdir(made, { recursive: true });
    const env = { ...process.env, GOBIN: made, CGO_ENABLED: '0' };
    await run('go', ['install', '-trimpath', '-ldflags=-s -w', `${module}/cmd/helm@${version}`], { env });
    await rename(made, join(path, '..')).catch(() => rm(made, { recursive: true, force: true }));
  }
  return MODULES.map(({ version }) => binaryOf(version));
}

export interface HelmAnswer {
  readonly status: number;
  readonly out: string;
  readonly error: string;
}

/** Runs helm, which sees no cluster and no settings of the user. Never rejects. */
export async function runHelm(helm: string, args: readonly string[]): Promise<HelmAnswer> {
  const { PATH = '' } = process.env;
  const nowhere = join(cacheDir, 'helm-home');
  const env = { PATH, HOME: nowhere, HELM_CACHE_HOME: nowhere, HELM_CONFIG_HOME: nowhere, HELM_DATA_HOME: nowhere };
  try {
    const { stdout, stderr } = await run(helm, [...args], { env, maxBuffer: 1 << 26 });
    return { status: 0, out: stdout, error: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: number; stdout?: string; stderr?: string };
    return { status: typeof code === 'number' ? code : 1, out: stdout ?? '', error: stderr ?? String(error) };
  }
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
