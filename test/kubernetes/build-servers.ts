import { ensureKubernetes, KUBERNETES_SWITCH } from '../servers/kubernetes-programs.ts';
import { hasGo } from '../servers/pebble.ts';

/** Builds etcd and kube-apiserver before the tests, whose time limits are shorter than a build. */
export default async function setup(): Promise<void> {
  process.env[KUBERNETES_SWITCH] = 'yes';
  const tell = (line: string) => process.stdout.write(`${line}\n`);
  if (process.env['KUBEBUILDER_ASSETS'] || (await hasGo())) await ensureKubernetes(tell);
  else tell('All tests are skipped: they need go on the PATH, or KUBEBUILDER_ASSETS with etcd and kube-apiserver.');
}
