import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { InjectorDefaults } from '../../src/injector/settings.ts';
import { findFreePort } from '../servers/free-port.ts';
import type { Kubernetes, KubernetesObject } from '../servers/kubernetes.ts';
import { type Agent, eventually, startAgent } from '../system/agent.helpers.ts';
import { apply } from './cluster.helpers.ts';

export const WEBHOOK = 'pannier-injector';
export const WEBHOOK_PATH = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${WEBHOOK}`;

/** `examples/kubernetes/injector.yaml`, as data. */
const example = (
  parseAllDocuments(readFileSync('examples/kubernetes/injector.yaml', 'utf8')) as {
    toJS(): KubernetesObject;
  }[]
).map((document) => document.toJS());

const deployed: readonly string[] = example
  .find(({ kind }) => kind === 'Deployment')
  .spec.template.spec.containers[0].args.map((one: string) => one.replace('$(POD_NAMESPACE)', 'pannier'));

/** What the arguments of the example say for all pods. */
export const EXAMPLE_DEFAULTS: InjectorDefaults = {
  image: option('image'),
  address: option('address'),
  audience: option('audience'),
  caConfigMap: option('ca-config-map'),
};

function option(name: string): string {
  return deployed.find((one) => one.startsWith(`--${name}=`))?.slice(name.length + 3) ?? '';
}

/** The webhook of the example in a cluster. */
export interface Installed {
  /** Where the API server looks for the injector. */
  readonly port: number;
  /** Has the token of the injector's service account. */
  readonly accountDir: string;
  /** Starts `pannier injector` with the arguments of the example and with `more`. */
  start(more?: readonly string[]): Agent;
  isReady(): Promise<boolean>;
  /** Resolves when the API server trusts the injector. */
  untilReady(): Promise<void>;
}

/**
 * Applies the example. Only the Service is another one: without kubelets and kube-proxy an address of the cluster leads
 * nowhere, so it leads to this machine. The API server still checks the name of the Service in the certificate.
 */
export async function applyExample(server: Kubernetes, port: number): Promise<void> {
  for (const object of example) {
    const { status, body } = await apply(server, here(object, port));
    if (status >= 400) throw new Error(`${object.kind}: ${body.message}`);
  }
}

/** Applies the example, and writes the token of the injector's service account below `dir`. */
export async function installInjector(server: Kubernetes, dir: string): Promise<Installed> {
  const port = await findFreePort();
  await applyExample(server, port);
  const accountDir = join(dir, 'account');
  mkdirSync(accountDir);
  writeFileSync(join(accountDir, 'ca.crt'), server.caPem);
  writeFileSync(join(accountDir, 'token'), await server.token('pannier', 'pannier-injector'));
  const isReady = () => answers(port);
  return {
    port,
    accountDir,
    start(more = []) {
      const args = [...deployed, '--listen', `127.0.0.1:${port}`, '--account-dir', accountDir, ...more];
      const env = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: `${server.port}`, HOSTNAME: 'one' };
      return startAgent(args, { env });
    },
    isReady,
    untilReady: () =>
      eventually(async () => {
        if (!(await isReady())) throw new Error('the injector is not ready');
      }),
  };
}

function here(object: KubernetesObject, port: number): KubernetesObject {
  if (object.kind === 'Service') {
    const spec = { type: 'ExternalName', externalName: 'localhost', ports: [{ name: 'webhook', port }] };
    return { ...object, spec };
  }
  if (object.kind !== 'MutatingWebhookConfiguration') return object;
  const webhooks = object.webhooks.map((webhook: KubernetesObject) => ({
    ...webhook,
    clientConfig: { service: { ...webhook.clientConfig.service, port } },
  }));
  return { ...object, webhooks };
}

/** What the readiness probe of the kubelet does: it checks no certificate. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const to = { host: '127.0.0.1', port, path: '/readyz', rejectUnauthorized: false, agent: false };
    request(to, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    })
      .on('error', () => resolve(false))
      .end();
  });
}

/** The authorities that the API server trusts for the webhooks of the example. */
export async function bundles(server: Kubernetes): Promise<readonly string[]> {
  const { webhooks } = await server.api('GET', WEBHOOK_PATH);
  return webhooks.map(({ clientConfig }: KubernetesObject) =>
    Buffer.from(clientConfig.caBundle ?? '', 'base64').toString(),
  );
}
