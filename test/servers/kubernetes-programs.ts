/** The programs `etcd` and `kube-apiserver`: from the folder of envtest's convention, or built once into `.cache/`. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, constants, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir } from './cache.ts';
import { hasGo } from './pebble.ts';

const run = promisify(execFile);
const source = join(import.meta.dirname, '..', 'fixtures', 'kube-servers');

/** The Kubernetes that is built where none is given. */
export const kubernetesVersion = '1.37.2';

/** What `npm run test:kubernetes` sets: no other run may build for a quarter of an hour. */
export const KUBERNETES_SWITCH = 'PANNIER_TEST_KUBERNETES';

/** Why there is no API server, in words for the title of a test that is skipped; undefined: there is one, or can be. */
export const noKubernetes: string | undefined = await reason();

async function reason(): Promise<string | undefined> {
  if (process.env[KUBERNETES_SWITCH] !== 'yes') return 'npm run test:kubernetes runs it';
  if (process.env['KUBEBUILDER_ASSETS'] || (await isBuilt(await builtFolder())) || (await hasGo())) return undefined;
  return 'needs go on the PATH, or KUBEBUILDER_ASSETS with etcd and kube-apiserver';
}

/**
 * Resolves to a folder with `etcd` and `kube-apiserver`: `KUBEBUILDER_ASSETS` (taken as it is), else the cache, else
 * both are built from the Go module proxy into the cache. `tell` gets a line before a build begins and one after it.
 */
export async function ensureKubernetes(tell: (line: string) => void = () => undefined): Promise<string> {
  const given = process.env['KUBEBUILDER_ASSETS'];
  if (given) {
    if (await isBuilt(given)) return given;
    throw new Error(`KUBEBUILDER_ASSETS is ${given}, which lacks etcd or kube-apiserver`);
  }
  const folder = await builtFolder();
  if (await isBuilt(folder)) return folder;
  if (process.env[KUBERNETES_SWITCH] !== 'yes') throw new Error('etcd and kube-apiserver are not built here');
  tell(
    `etcd and kube-apiserver ${kubernetesVersion} are built once into ${folder}: 15 minutes on two cores, 3 GB of disk`,
  );
  const before = performance.now();
  const made = `${folder}.${process.pid}`;
  await mkdir(made, { recursive: true });
  try {
    await build('go.etcd.io/etcd/server/v3', join(made, 'etcd'), '-s -w');
    await build('k8s.io/kubernetes/cmd/kube-apiserver', join(made, 'kube-apiserver'), `-s -w ${stamped()}`);
    await rename(made, folder);
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    if (!(await isBuilt(folder))) throw error; // Another process was faster.
  }
  tell(`They were built in ${Math.round((performance.now() - before) / 60_000)} minutes`);
  return folder;
}

/** The server tells its version by variables that the makers of Kubernetes set when they link it. */
function stamped(): string {
  const [major, minor] = kubernetesVersion.split('.');
  const all = { gitVersion: `v${kubernetesVersion}`, gitMajor: major, gitMinor: minor };
  return Object.entries(all)
    .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
    .join(' ');
}

async function build(what: string, to: string, ldflags: string): Promise<void> {
  const args = ['build', '-mod=readonly', '-buildvcs=false', `-ldflags=${ldflags}`, '-o', to, what];
  await run('go', args, { cwd: source, maxBuffer: 1 << 26 });
}

async function builtFolder(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum']) hash.update(await readFile(join(source, file)));
  return join(cacheDir, `kube-servers-${kubernetesVersion}-${hash.digest('hex').slice(0, 16)}`);
}

async function isBuilt(folder: string): Promise<boolean> {
  const both = ['etcd', 'kube-apiserver'].map((name) => access(join(folder, name), constants.X_OK));
  return Promise.all(both).then(
    () => true,
    () => false,
  );
}
