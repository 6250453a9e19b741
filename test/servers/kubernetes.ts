/** A real API server of Kubernetes with its etcd, without kubelet and controllers: pods are stored and never run. */
import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority } from './certificates.ts';
import { findFreePort } from './free-port.ts';
import { ensureKubernetes } from './kubernetes-programs.ts';
import {
  type KubernetesAnswer,
  type KubernetesCaller,
  KubernetesError,
  type KubernetesObject,
  requestKubernetes,
} from './kubernetes-request.ts';
import { ServerProcess } from './server-process.ts';

export { noKubernetes } from './kubernetes-programs.ts';
export { type KubernetesAnswer, type KubernetesCaller, KubernetesError, type KubernetesObject };

export interface KubernetesOptions {
  /** More arguments of kube-apiserver, such as `--feature-gates=…`. */
  readonly args?: readonly string[];
}

export interface AskOptions {
  /** The administrator of the cluster when absent. */
  readonly as?: KubernetesCaller;
  /** `application/json` when absent. A patch says which it is. */
  readonly contentType?: string;
}

export interface TokenOptions {
  /** The API server's own when absent. */
  readonly audience?: string;
  /** An hour when absent; at least ten minutes. */
  readonly expirationSeconds?: number;
  /** The name of a pod that the token is for: it is good while the pod is there. */
  readonly pod?: string;
}

interface Layout {
  readonly dir: string;
  readonly etcdPort: number;
  readonly peerPort: number;
  readonly port: number;
}

/**
 * Resolves to a running API server on 127.0.0.1, in about ten seconds. RBAC, PodSecurity and the service accounts'
 * admission are on. No controller runs: a namespace has the service account `default` when it was made with
 * `addNamespace`, and what is deleted with finalizers stays. It ends with the test process at the latest.
 */
export async function startKubernetes(options: KubernetesOptions = {}): Promise<Kubernetes> {
  const programs = await ensureKubernetes();
  for (let attempt = 1; ; attempt++) {
    const layout = {
      dir: await mkdtemp(join(tmpdir(), 'pannier-kubernetes-')),
      etcdPort: await findFreePort(),
      peerPort: await findFreePort(),
      port: await findFreePort(),
    };
    const server = new Kubernetes(programs, layout, options);
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.stop();
      if (!(error as Error).message.includes('address already in use') || attempt === 3) throw error;
    }
  }
}

/** See `startKubernetes`. */
export class Kubernetes implements AsyncDisposable {
  /** `https://127.0.0.1:PORT`, the same after every `start()`. */
  readonly address: string;
  readonly port: number;
  /** The authority of the server's certificate. */
  readonly caPem: string;
  /** For `kubectl --kubeconfig`; may do everything. */
  readonly kubeconfig: string;
  readonly #programs: string;
  readonly #layout: Layout;
  readonly #options: KubernetesOptions;
  readonly #admin: { readonly cert: string; readonly key: string };
  readonly #files: Readonly<Record<string, string>>;
  #etcd: ServerProcess | undefined;
  #server: ServerProcess | undefined;

  /** For `startKubernetes`. */
  constructor(programs: string, layout: Layout, options: KubernetesOptions) {
    this.#programs = programs;
    this.#layout = layout;
    this.#options = options;
    this.port = layout.port;
    this.address = `https://127.0.0.1:${layout.port}`;
    const authority = createAuthority('kubernetes');
    this.caPem = authority.certificatePem;
    const lifetimeMs = 24 * 3_600_000;
    const altNames = ['127.0.0.1', '10.0.0.1', 'kubernetes.default.svc', 'kubernetes.default'];
    const serving = authority.issue({ commonName: 'kube-apiserver', altNames, lifetimeMs });
    const admin = authority.issue({ commonName: 'admin', organisation: 'system:masters', lifetimeMs });
    this.#admin = { cert: admin.certificatePem, key: admin.keyPem };
    const accounts = generateKeyPairSync('rsa', { modulusLength: 2048 });
    this.#files = {
      'ca.pem': this.caPem,
      'tls.crt': serving.certificatePem,
      'tls.key': serving.keyPem,
      'accounts.key': accounts.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
      'accounts.pub': accounts.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      kubeconfig: this.kubeconfigFor(this.#admin),
    };
    this.kubeconfig = this.#path('kubeconfig');
  }

  /** Of the process that runs now, or ran last. */
  get pid(): number {
    return this.#running.pid;
  }

  /** What the API server has written to its log. */
  get log(): string {
    return this.#running.log();
  }

  /** The text of a kubeconfig with which this caller finds the server. */
  kubeconfigFor(caller: KubernetesCaller): string {
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const user =
      'token' in caller
        ? { token: caller.token }
        : { 'client-certificate-data': base64(caller.cert), 'client-key-data': base64(caller.key) };
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster: { server: this.address, 'certificate-authority-data': base64(this.caPem) } }],
      users: [{ name: 'test', user }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      'current-context': 'test',
    });
  }

  /** Resolves to any answer; rejects only when there is none. */
  ask(method: string, path: string, body?: unknown, options: AskOptions = {}): Promise<KubernetesAnswer> {
    const { as: caller = this.#admin, contentType } = options;
    const asked = { method, path, body, ...(contentType === undefined ? {} : { contentType }) };
    return requestKubernetes({ address: this.address, ca: this.caPem, caller }, asked);
  }

  /** Resolves to the object of the answer. Rejects with `KubernetesError` on a status of 400 or above. */
  async api(method: string, path: string, body?: unknown, options: AskOptions = {}): Promise<KubernetesObject> {
    const answer = await this.ask(method, path, body, options);
    if (answer.status >= 400) throw new KubernetesError(`${method} ${path}`, answer);
    return answer.body;
  }

  /** Makes a namespace with the service account `default`, which a controller makes elsewhere. */
  async addNamespace(name: string, labels: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.api('POST', '/api/v1/namespaces', { metadata: { name, labels } });
    await this.addServiceAccount(name, 'default');
  }

  async addServiceAccount(namespace: string, name: string): Promise<void> {
    await this.api('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name } });
  }

  /** Resolves to a token of a service account, as the kubelet asks for it. */
  async token(namespace: string, serviceAccount: string, options: TokenOptions = {}): Promise<string> {
    const { audience, expirationSeconds = 3600, pod } = options;
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}/token`;
    const spec = {
      expirationSeconds,
      ...(audience === undefined ? {} : { audiences: [audience] }),
      ...(pod === undefined ? {} : { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod } }),
    };
    return (await this.api('POST', path, { spec })).status.token;
  }

  /** Starts a killed server again, on its port and with its data. */
  async start(): Promise<void> {
    for (const [name, text] of Object.entries(this.#files)) {
      await writeFile(this.#path(name), text, { mode: 0o600 });
      await chmod(this.#path(name), 0o600);
    }
    const { etcdPort, peerPort, port } = this.#layout;
    const etcd = `http://127.0.0.1:${etcdPort}`;
    const peer = `http://127.0.0.1:${peerPort}`;
    if (this.#etcd?.isRunning !== true) {
      this.#etcd = this.#run('etcd', [
        ...[`--data-dir=${this.#path('etcd')}`, '--unsafe-no-fsync=true', '--name=test'],
        ...[`--listen-client-urls=${etcd}`, `--advertise-client-urls=${etcd}`],
        ...[`--listen-peer-urls=${peer}`, `--initial-advertise-peer-urls=${peer}`, `--initial-cluster=test=${peer}`],
      ]);
      await this.#etcd.waitUntil(() => isHealthy(`${etcd}/health`));
    }
    const issuer = 'https://kubernetes.default.svc.cluster.local';
    const server = this.#run('kube-apiserver', [
      ...[`--etcd-servers=${etcd}`, '--bind-address=127.0.0.1', `--secure-port=${port}`],
      ...['--advertise-address=127.0.0.1', '--endpoint-reconciler-type=none', '--service-cluster-ip-range=10.0.0.0/24'],
      ...[`--tls-cert-file=${this.#path('tls.crt')}`, `--tls-private-key-file=${this.#path('tls.key')}`],
      ...[`--client-ca-file=${this.#path('ca.pem')}`, '--authorization-mode=Node,RBAC', '--allow-privileged=true'],
      ...[`--service-account-issuer=${issuer}`, `--service-account-key-file=${this.#path('accounts.pub')}`],
      ...[`--service-account-signing-key-file=${this.#path('accounts.key')}`, '--profiling=false'],
      ...(this.#options.args ?? []),
    ]);
    this.#server = server;
    // `/readyz` is there when roles and system namespaces are.
    await server.waitUntil(
      () =>
        this.ask('GET', '/readyz').then(
          ({ status }) => status === 200,
          () => false,
        ),
      120_000,
    );
  }

  /** The server takes connections and answers nothing until `resume()`. */
  suspend(): void {
    this.#running.signal('SIGSTOP');
  }

  resume(): void {
    this.#running.signal('SIGCONT');
  }

  /** Ends the API server as a crash would; etcd stays. Connections are refused until `start()`. */
  async kill(): Promise<void> {
    await this.#server?.end('SIGKILL');
  }

  /** Ends both servers and removes their files. Safe to call twice. */
  async stop(): Promise<void> {
    await this.kill();
    await this.#etcd?.end('SIGKILL');
    await rm(this.#layout.dir, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  get #running(): ServerProcess {
    if (this.#server === undefined) throw new Error('the API server was never started');
    return this.#server;
  }

  #path(name: string): string {
    return join(this.#layout.dir, name);
  }

  #run(name: 'etcd' | 'kube-apiserver', args: readonly string[]): ServerProcess {
    const { dir } = this.#layout;
    const command = join(this.#programs, name);
    const logFile = this.#path(`${name}.log`);
    return new ServerProcess({ name, command, args, env: { HOME: dir }, logFile, dir, endSignal: 'SIGKILL' });
  }
}

function isHealthy(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}
