/** Pods of many shapes, and what becomes of each. They are made by hand from the corners of the pod's schema. */
import type { Pod } from './review.helpers.ts';

export interface Shape {
  readonly name: string;
  readonly pod: Pod;
  /** `same`: no patch. A text: the denial contains it. */
  readonly becomes: 'injected' | 'same' | { readonly denied: string };
  /** What is true of an injected pod, by the path from its root. */
  readonly has?: Readonly<Record<string, unknown>>;
  /** Kubernetes of today does not know all of its fields. */
  readonly isOfTheFuture?: true;
}

const own = (more: Readonly<Record<string, string>> = {}): Record<string, string> =>
  named('pannier.dev/', {
    inject: 'true',
    role: 'shop',
    'secret-app': '{ kv: secret/shop/app }',
    'file-app.env': '{ format: dotenv, from: app }',
    ...more,
  });

const vault = (more: Readonly<Record<string, string>> = {}, prefix = 'vault.hashicorp.com/'): Record<string, string> =>
  named(prefix, {
    'agent-inject': 'true',
    role: 'shop',
    'agent-inject-secret-app': 'secret/data/shop/app',
    'agent-inject-template-app': '{{ with secret "secret/data/shop/app" }}{{ .Data.data.user }}{{ end }}',
    ...more,
  });

const named = (prefix: string, all: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(all).map(([name, value]) => [prefix + name, value]));

const app = { name: 'app', image: 'shop:1' };

const pod = (annotations: unknown, spec: object = {}, metadata: object = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { generateName: 'shop-5d4f-', annotations, ...metadata },
  spec: { containers: [app], ...spec },
});

const config = (body: string): Record<string, string> =>
  named('pannier.dev/', { inject: 'true', config: `version: 1\n${body}` });

const BAO =
  'backends: { bao: { kind: vault, address: "https://bao:8200", auth: { method: kubernetes, role: r, tokenFile: /etc/pannier/token } } }\nsecrets: { app: { kv: secret/app } }\n';
const outputAt = (dir: string, more = '') =>
  `outputs: { app: { dir: ${dir}, files: { app.env: { format: dotenv, from: app } }${more} } }\n`;

const injected = (
  name: string,
  one: Pod,
  has: Readonly<Record<string, unknown>> = {},
  more: Pick<Shape, 'isOfTheFuture'> = {},
): Shape => ({ name, pod: one, becomes: 'injected', has, ...more });
const same = (name: string, one: Pod): Shape => ({ name, pod: one, becomes: 'same' });
const denied = (name: string, one: Pod, by: string): Shape => ({ name, pod: one, becomes: { denied: by } });

const native = (name: string) => ({ name, image: 'mesh:1', restartPolicy: 'Always' });
const plain = (name: string) => ({ name, image: 'x:1' });
const FIRST = 'spec.initContainers.0';

export const SHAPES: readonly Shape[] = [
  // ---- what asks for nothing
  same('no annotations', pod({})),
  same('annotations that are null', pod(null)),
  same('no metadata', { apiVersion: 'v1', kind: 'Pod', spec: { containers: [app] } }),
  same('annotations of others', pod({ 'prometheus.io/scrape': 'true' })),
  same('inject: "false"', pod(own({ inject: 'false' }))),
  same(
    'inject: "false" beside an agent that vault-k8s would inject',
    pod({ ...vault(), 'pannier.dev/inject': 'false' }),
  ),
  same('agent-inject: "false"', pod(vault({ 'agent-inject': 'false' }))),
  same('annotations of vault-k8s without agent-inject', pod({ 'vault.hashicorp.com/role': 'x' })),
  same(
    'a pod that vault-k8s has injected',
    pod(vault({ 'agent-inject-status': 'injected' }), { containers: [app, plain('vault-agent')] }),
  ),
  // ---- the plain case
  injected('annotations of our own', pod(own()), {
    [`${FIRST}.name`]: 'pannier',
    [`${FIRST}.restartPolicy`]: 'Always',
    [`${FIRST}.args`]: ['run'],
    [`${FIRST}.startupProbe.exec.command`]: ['pannier', 'probe', 'startup'],
    [`${FIRST}.resources.requests`]: { cpu: '20m', memory: '64Mi' },
    [`${FIRST}.securityContext.runAsUser`]: 65532,
    'spec.containers.0.volumeMounts': [{ name: 'pannier-secrets', mountPath: '/run/secrets/pannier', readOnly: true }],
    'spec.volumes.0.emptyDir': { medium: 'Memory', sizeLimit: '4Mi' },
    'metadata.annotations.pannier~dev/status': 'injected',
  }),
  injected('annotations of vault-k8s', pod(vault()), {
    'spec.containers.0.volumeMounts.0.mountPath': '/vault/secrets',
    'metadata.annotations.vault~hashicorp~com/agent-inject-status': 'injected',
  }),
  injected('annotations of OpenBao', pod(vault({}, 'openbao.org/')), {
    'spec.containers.0.volumeMounts.0.mountPath': '/vault/secrets',
  }),
  injected(
    'inject: "true" in the place of agent-inject',
    pod({ ...vault({ 'agent-inject': 'false' }), 'pannier.dev/inject': 'true' }),
  ),
  injected('the whole configuration in an annotation', pod(config(BAO + outputAt('/run/secrets/shop'))), {
    'spec.containers.0.volumeMounts.0.mountPath': '/run/secrets/shop',
  }),
  injected(
    'a configuration as JSON',
    pod({
      'pannier.dev/inject': 'true',
      'pannier.dev/config': JSON.stringify({
        version: 1,
        backends: { bao: { kind: 'vault', address: 'https://bao:8200', auth: { method: 'kubernetes', role: 'r' } } },
        secrets: { app: { kv: 'secret/app' } },
        outputs: { app: { dir: '/run/secrets/a', files: { 'a.json': { format: 'json', from: 'app' } } } },
      }),
    }),
  ),
  injected(
    'a configuration in a ConfigMap',
    pod({
      'pannier.dev/inject': 'true',
      'pannier.dev/config-map': 'shop',
      'pannier.dev/volume-path': '/run/a, /run/b',
    }),
    {
      'spec.containers.0.volumeMounts': [
        { name: 'pannier-secrets', mountPath: '/run/a', readOnly: true },
        { name: 'pannier-secrets-2', mountPath: '/run/b', readOnly: true },
      ],
      'spec.volumes.2.projected.sources.0': { configMap: { name: 'shop' } },
      'metadata.annotations.pannier~dev/effective-config': undefined,
    },
  ),
  // ---- shapes of the pod
  injected('a name of its own', pod(own(), {}, { generateName: undefined, name: 'shop' })),
  injected('no service account', pod(own(), { automountServiceAccountToken: false })),
  injected('a hostPath volume', pod(own(), { volumes: [{ name: 'h', hostPath: { path: '/var/log' } }] }), {
    'spec.volumes.0.name': 'h',
    'spec.volumes.1.name': 'pannier-secrets',
  }),
  injected('volumes that are null', pod(own(), { volumes: null }), { 'spec.volumes.0.name': 'pannier-secrets' }),
  injected('init containers that are null', pod(own(), { initContainers: null }), { [`${FIRST}.name`]: 'pannier' }),
  injected('an empty list of init containers', pod(own(), { initContainers: [] }), { [`${FIRST}.name`]: 'pannier' }),
  injected(
    'mounts and variables that are null',
    pod(own(), { containers: [{ ...app, volumeMounts: null, env: null }] }),
  ),
  injected(
    'a security context that is null',
    pod(own(), { securityContext: null, containers: [{ ...app, securityContext: null }] }),
  ),
  injected(
    'mounts at other places',
    pod(own(), {
      containers: [{ ...app, volumeMounts: [{ name: 'd', mountPath: '/data' }] }],
      volumes: [{ name: 'd', emptyDir: {} }],
    }),
    {
      'spec.containers.0.volumeMounts.0.mountPath': '/data',
      'spec.containers.0.volumeMounts.1.name': 'pannier-secrets',
    },
  ),
  injected(
    'forty containers',
    pod(own(), { containers: Array.from({ length: 40 }, (_, i) => ({ ...app, name: `app-${i}` })) }),
    {
      'spec.containers.39.volumeMounts.0.name': 'pannier-secrets',
    },
  ),
  injected('init containers of its own, which see the files', pod(own(), { initContainers: [plain('migrate')] }), {
    [`${FIRST}.name`]: 'pannier',
    'spec.initContainers.1.volumeMounts.0.name': 'pannier-secrets',
  }),
  injected('another native sidecar', pod(own(), { initContainers: [native('logs')] }), {
    [`${FIRST}.name`]: 'pannier',
    'spec.initContainers.1.restartPolicy': 'Always',
  }),
  injected(
    'ephemeral containers',
    pod(own(), { ephemeralContainers: [{ name: 'debug', image: 'x', targetContainerName: 'app' }] }),
    {
      'spec.ephemeralContainers.0.name': 'debug',
    },
  ),
  injected('the network of the host', pod(own(), { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' })),
  injected(
    'a pod of a Deployment',
    pod(
      own(),
      {},
      { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'x', uid: 'u', controller: true }] },
    ),
    {
      [`${FIRST}.args`]: ['run'],
    },
  ),
  injected(
    'a pod of a Job',
    pod(
      own(),
      { restartPolicy: 'Never' },
      { ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'x', uid: 'u', controller: true }] },
    ),
    {
      [`${FIRST}.name`]: 'pannier-init',
      [`${FIRST}.args`]: ['init', '--timeout', '120s'],
      [`${FIRST}.restartPolicy`]: undefined,
      [`${FIRST}.startupProbe`]: undefined,
    },
  ),
  injected(
    'a pod of a Job that wants a sidecar',
    pod(
      own({ mode: 'sidecar' }),
      { restartPolicy: 'Never' },
      { ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'x', uid: 'u' }] },
    ),
    {
      [`${FIRST}.restartPolicy`]: 'Always',
    },
  ),
  injected(
    'fields of a future Kubernetes',
    pod(own(), {
      shinyPolicy: { level: 3, list: [null, 1.5] },
      containers: [
        {
          ...app,
          restartPolicy: 'Never',
          restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
          newField: 'x',
        },
      ],
      initContainers: [{ ...native('logs'), novel: true }],
    }),
    {
      'spec.shinyPolicy': { level: 3, list: [null, 1.5] },
      'spec.containers.0.newField': 'x',
      'spec.initContainers.1.novel': true,
    },
    { isOfTheFuture: true },
  ),
  injected('annotations whose names have slashes and tildes', pod({ ...own(), 'a.b/c~d': 'x' }), {
    'metadata.annotations.a~b/c~d': undefined,
  }),
  injected(
    'a status that was copied without the containers',
    pod(own({ status: 'injected', 'effective-config': 'x' })),
    {
      [`${FIRST}.name`]: 'pannier',
    },
  ),
  injected(
    'resources of the pod, tolerations, affinity and a scheduling gate',
    pod(own(), {
      resources: { requests: { cpu: '1' } },
      tolerations: [{ operator: 'Exists' }],
      schedulingGates: [{ name: 'a/b' }],
    }),
  ),
  // ---- modes and places
  injected('mode: init', pod(own({ mode: 'init' })), {
    [`${FIRST}.name`]: 'pannier-init',
    'spec.volumes.2': undefined,
  }),
  injected('mode: both', pod(own({ mode: 'both' })), {
    [`${FIRST}.name`]: 'pannier-init',
    'spec.containers.1.name': 'pannier',
    'spec.containers.1.args': ['run'],
    'spec.containers.1.restartPolicy': undefined,
    'spec.containers.1.startupProbe': undefined,
  }),
  injected('agent-pre-populate-only', pod(vault({ 'agent-pre-populate-only': 'true' })), {
    [`${FIRST}.args.0`]: 'init',
  }),
  injected('agent-pre-populate: "false"', pod(vault({ 'agent-pre-populate': 'false' })), {
    [`${FIRST}.args.0`]: 'run',
    [`${FIRST}.startupProbe`]: undefined,
  }),
  injected(
    'istio-proxy as a native sidecar',
    pod(own(), { initContainers: [native('istio-proxy'), plain('migrate')] }),
    {
      [`${FIRST}.name`]: 'istio-proxy',
      [`${FIRST}.volumeMounts`]: undefined,
      'spec.initContainers.1.name': 'pannier',
      'spec.initContainers.2.name': 'migrate',
    },
  ),
  injected('order: before istio-proxy', pod(own({ order: 'before' }), { initContainers: [native('istio-proxy')] }), {
    [`${FIRST}.name`]: 'pannier',
  }),
  injected(
    'istio-init before a proxy that is a plain container',
    pod(own(), { initContainers: [plain('istio-init')], containers: [app, plain('istio-proxy')] }),
    {
      [`${FIRST}.name`]: 'pannier',
      'spec.containers.1.volumeMounts': undefined,
    },
  ),
  injected(
    'order: after istio-init',
    pod(own({ order: 'after' }), { initContainers: [plain('istio-init'), plain('migrate')] }),
    {
      [`${FIRST}.name`]: 'istio-init',
      'spec.initContainers.1.name': 'pannier',
    },
  ),
  injected(
    'linkerd-proxy as a native sidecar',
    pod(own(), { initContainers: [plain('linkerd-init'), native('linkerd-proxy')] }),
    {
      'spec.initContainers.2.name': 'pannier',
    },
  ),
  injected(
    'agent-init-first beside linkerd',
    pod(vault({ 'agent-init-first': 'true' }), { initContainers: [native('linkerd-proxy')] }),
    {
      [`${FIRST}.name`]: 'pannier',
    },
  ),
  injected('one of two containers', pod(own({ containers: 'app' }), { containers: [app, plain('other')] }), {
    'spec.containers.0.volumeMounts.0.name': 'pannier-secrets',
    'spec.containers.1.volumeMounts': undefined,
  }),
  injected(
    'agent-inject-containers',
    pod(vault({ 'agent-inject-containers': 'other' }), { containers: [app, plain('other')] }),
    {
      'spec.containers.0.volumeMounts': undefined,
    },
  ),
  // ---- users
  injected('one user for all containers', pod(own(), { securityContext: { runAsUser: 1000, runAsGroup: 2000 } }), {
    [`${FIRST}.securityContext.runAsUser`]: 1000,
    [`${FIRST}.securityContext.runAsGroup`]: 2000,
    'effective.outputs.files.mode': '0400',
  }),
  injected('a group of the volumes', pod(own(), { securityContext: { fsGroup: 2000 } }), {
    [`${FIRST}.securityContext.runAsUser`]: 65532,
    'effective.outputs.files.mode': '0440',
    'effective.outputs.files.gid': 2000,
  }),
  injected(
    'users that differ',
    pod(own(), {
      containers: [
        { ...app, securityContext: { runAsUser: 1 } },
        { ...plain('b'), securityContext: { runAsUser: 2 } },
      ],
    }),
    {
      [`${FIRST}.securityContext.runAsUser`]: 65532,
      'effective.outputs.files.mode': '0444',
    },
  ),
  injected('an application of root', pod(own(), { securityContext: { runAsUser: 0 } }), {
    [`${FIRST}.securityContext.runAsUser`]: 65532,
  }),
  injected('a user and a group by annotation', pod(own({ 'run-as-user': '7', 'run-as-group': '8' })), {
    [`${FIRST}.securityContext.runAsUser`]: 7,
    [`${FIRST}.securityContext.runAsGroup`]: 8,
  }),
  injected('agent-set-security-context: "false"', pod(vault({ 'agent-set-security-context': 'false' })), {
    [`${FIRST}.securityContext`]: undefined,
  }),
  // ---- details by annotation
  injected('a reload by signal', pod(own({ reload: '{ signal: { name: SIGHUP, process: nginx } }' })), {
    'spec.shareProcessNamespace': true,
  }),
  injected(
    'a reload by signal with the processes of the host',
    pod(own({ reload: '{ signal: { name: SIGHUP, process: nginx } }' }), { hostPID: true }),
    {
      'spec.shareProcessNamespace': undefined,
    },
  ),
  injected('a reload over HTTP', pod(own({ reload: '[{ http: { url: "http://127.0.0.1:8080/-/reload" } }]' })), {
    'spec.shareProcessNamespace': undefined,
  }),
  injected(
    'variables that the kubelet reads',
    pod(
      own({
        'file-app.env': '{ format: dotenv, for: kubelet, from: app }',
        env: 'DB_USER, DB_PASSWORD=PASSWORD',
        'env-file': 'app.env',
      }),
    ),
    {
      'spec.containers.0.env': [
        {
          name: 'DB_USER',
          valueFrom: { fileKeyRef: { volumeName: 'pannier-secrets', path: 'app.env', key: 'DB_USER' } },
        },
        {
          name: 'DB_PASSWORD',
          valueFrom: { fileKeyRef: { volumeName: 'pannier-secrets', path: 'app.env', key: 'PASSWORD' } },
        },
      ],
    },
  ),
  injected('a port for metrics', pod(own({ 'metrics-port': '9464' })), {
    [`${FIRST}.livenessProbe.httpGet.port`]: 9464,
    'effective.admin': { listen: '0.0.0.0:9464' },
  }),
  injected(
    'a CA, an audience and a longer token',
    pod(own({ 'ca-config-map': 'bao-ca', audience: 'openbao', 'token-expiry': '2h' })),
    {
      'spec.volumes.1.projected.sources.1.serviceAccountToken': {
        path: 'token',
        expirationSeconds: 7200,
        audience: 'openbao',
      },
      'spec.volumes.1.projected.sources.2.configMap.name': 'bao-ca',
      'effective.backends.vault.tls.caFile': '/etc/pannier/ca.crt',
    },
  ),
  injected(
    'resources, size, image and level',
    pod(
      own({
        'requests-cpu': '5m',
        'limits-cpu': '1',
        'limits-memory': '256Mi',
        'size-limit': '64Mi',
        image: 'r.io/p:2',
        'log-level': 'debug',
      }),
    ),
    {
      [`${FIRST}.image`]: 'r.io/p:2',
      [`${FIRST}.resources`]: { requests: { cpu: '5m', memory: '64Mi' }, limits: { cpu: '1', memory: '256Mi' } },
      'spec.volumes.0.emptyDir.sizeLimit': '64Mi',
    },
  ),
  injected('a limit below the default request', pod(own({ 'limits-memory': '32Mi', 'limits-cpu': '10m' })), {
    [`${FIRST}.resources`]: { requests: { cpu: '10m', memory: '32Mi' }, limits: { cpu: '10m', memory: '32Mi' } },
  }),
  injected('a request above the default limit', pod(own({ 'requests-memory': '0.25Gi' })), {
    [`${FIRST}.resources`]: { requests: { cpu: '20m', memory: '0.25Gi' }, limits: { memory: '0.25Gi' } },
  }),
  injected(
    'a request above a limit of vault-k8s',
    pod({ ...vault({ 'agent-limits-mem': '32Mi' }), 'pannier.dev/requests-memory': '64Mi' }),
    { [`${FIRST}.resources`]: { requests: { cpu: '20m', memory: '64Mi' }, limits: { memory: '64Mi' } } },
  ),
  injected(
    'small limits of the pod without requests, which the agent shares',
    pod(own(), {
      resources: { limits: { cpu: '100m', memory: '100Mi' } },
      containers: [{ ...app, resources: { requests: { cpu: '90m' }, limits: { memory: '64Mi' } } }],
    }),
    { [`${FIRST}.resources`]: { requests: { cpu: '0', memory: '0' }, limits: { memory: '128Mi' } } },
  ),
  injected(
    'a small limit of the pod, which a plain container of the agent has too',
    pod(own({ mode: 'both' }), {
      resources: { limits: { memory: '100Mi' } },
      containers: [{ ...app, resources: { limits: { memory: '64Mi' } } }],
    }),
    { 'spec.containers.1.resources': { requests: { cpu: '20m', memory: '0' }, limits: { memory: '100Mi' } } },
  ),
  denied(
    'a port for metrics that a container has',
    pod(own({ 'metrics-port': '8080' }), { containers: [{ ...app, ports: [{ containerPort: 8080 }] }] }),
    'container app has the port of the annotation metrics-port already',
  ),
  denied('an output in a directory with a colon', pod(config(BAO + outputAt('/run/a:b'))), 'has a colon'),
  denied(
    'more containers than any pod',
    pod(own(), { containers: Array.from({ length: 501 }, (_, index) => ({ name: `c${index}`, image: 'x' })) }),
    'spec.containers are 501, of at most 500 for an injected pod',
  ),
  denied(
    'many outputs for many containers',
    pod(
      config(
        `${BAO}outputs:\n${Array.from({ length: 60 }, (_, index) => `  o${index}: { dir: /run/o${index}, files: { a: { format: json, from: app } } }\n`).join('')}`,
      ),
      { containers: Array.from({ length: 100 }, (_, index) => ({ name: `c${index}`, image: 'x' })) },
    ),
    'spec.containers would get 6000 mounts and variables, of at most 5000',
  ),
  injected(
    'small resources of the pod, which the agent shares',
    pod(own({ 'requests-cpu': '5m' }), {
      resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '100Mi' } },
      containers: [{ ...app, resources: { requests: { cpu: '5m', memory: '32Mi' } } }],
    }),
    { [`${FIRST}.resources`]: { requests: { cpu: '5m', memory: '0' }, limits: { memory: '128Mi' } } },
  ),
  injected('an image with white space around it', pod(own({ image: ' r.io/p:2\n' })), {
    [`${FIRST}.image`]: 'r.io/p:2',
  }),
  injected('a path with double slashes and dots', pod(own({ 'volume-path': '/run//secrets/x/../shop/' })), {
    'spec.containers.0.volumeMounts.0.mountPath': '/run/secrets/shop',
    'effective.outputs.files.dir': '/run/secrets/shop',
  }),
  injected(
    'secrets, mounts and a proxy of vault-k8s',
    pod(
      vault({
        'tls-secret': 'vault-tls',
        'ca-cert': '/vault/tls/ca.crt',
        'agent-extra-secret': 'extra',
        'agent-copy-volume-mounts': 'app',
        'proxy-address': 'http://proxy:3128',
      }),
      {
        containers: [{ ...app, volumeMounts: [{ name: 'd', mountPath: '/data' }] }],
        volumes: [{ name: 'd', emptyDir: {} }],
      },
    ),
    {
      'spec.volumes.4': { name: 'pannier-tls', secret: { secretName: 'vault-tls' } },
      'spec.volumes.5': { name: 'pannier-extra', secret: { secretName: 'extra' } },
      [`${FIRST}.volumeMounts.5`]: { name: 'd', mountPath: '/data' },
      [`${FIRST}.env.2`]: { name: 'HTTPS_PROXY', value: 'http://proxy:3128' },
    },
  ),
  injected(
    'a token volume of vault-k8s',
    pod(vault({ 'agent-service-account-token-volume-name': 'tok' }), {
      volumes: [{ name: 'tok', projected: { sources: [{ serviceAccountToken: { path: 'vault', audience: 'v' } }] } }],
    }),
    {
      'effective.backends.vault.auth.tokenFile': '/var/run/secrets/vault.hashicorp.com/serviceaccount/vault',
    },
  ),
  injected(
    'two volumes of vault-k8s',
    pod(vault({ 'agent-inject-secret-b': 'kv1/b', 'secret-volume-path-b': '/etc/shop' })),
    {
      'spec.containers.0.volumeMounts.1': { name: 'pannier-secrets-2', mountPath: '/etc/shop', readOnly: true },
    },
  ),
  injected('agent-inject-token', pod(vault({ 'agent-inject-token': 'true' }))),
  // ---- what is refused
  denied('windows', pod(own(), { os: { name: 'windows' } }), 'spec.os is windows'),
  denied('windows by the node selector', pod(own(), { nodeSelector: { 'kubernetes.io/os': 'windows' } }), 'is windows'),
  denied(
    'a container with our name',
    pod(own(), { containers: [app, plain('pannier')] }),
    'container pannier is in the pod already',
  ),
  denied(
    'a volume with our name',
    pod(own(), { volumes: [{ name: 'pannier-secrets', emptyDir: {} }] }),
    'volume pannier-secrets is in the pod already',
  ),
  denied(
    'a mount at our place',
    pod(own(), {
      containers: [{ ...app, volumeMounts: [{ name: 'd', mountPath: '/run/secrets/pannier/' }] }],
      volumes: [{ name: 'd', emptyDir: {} }],
    }),
    'container app mounts another volume at /run/secrets/pannier',
  ),
  denied('a flag that is none', pod(own({ inject: 'yes' })), 'pannier.dev/inject must be "true" or "false"'),
  denied('a misspelt annotation', pod(own({ roles: 'x' })), 'pannier.dev/roles is unknown; did you mean "role"?'),
  denied('annotations without inject', pod({ 'pannier.dev/role': 'x' }), 'pannier.dev/inject is missing'),
  denied('no configuration', pod({ 'pannier.dev/inject': 'true' }), 'there is no configuration'),
  denied('two configurations', pod(own({ config: 'version: 1' })), 'cannot be used together with pannier.dev/config'),
  denied(
    'two kinds of annotations',
    pod({ ...own(), ...vault() }),
    'cannot be used together with a configuration of pannier.dev/',
  ),
  denied(
    'a configuration that is not good',
    pod(config('backend: {}')),
    'pannier.dev/config gives no valid configuration',
  ),
  denied('a configuration for nothing', pod(config('backends: {}')), 'there is no output, api, proxy or sds'),
  denied(
    'a template in a file',
    pod(config(`${BAO}outputs: { a: { dir: /run/a, files: { a: { template: ./a.hbs } } } }`)),
    'a template in a file is not in the pod',
  ),
  denied('an output in /etc', pod(config(BAO + outputAt('/etc'))), 'output in /etc would hide files'),
  denied('a secret that is no YAML', pod(own({ 'secret-app': '{ kv:' })), 'pannier.dev/secret-app is not valid YAML'),
  denied(
    'several wrong values',
    pod(own({ mode: 'x', 'run-as-user': '-1', 'size-limit': 'big', 'token-expiry': '1s' })),
    'pannier.dev/mode must be one of sidecar, init, both; pannier.dev/size-limit',
  ),
  denied(
    'a request above its limit',
    pod(own({ 'requests-cpu': '0.2', 'limits-cpu': '100m', 'requests-memory': '1G', 'limits-memory': '900M' })),
    'pannier.dev/requests-cpu is more than pannier.dev/limits-cpu; pannier.dev/requests-memory is more than',
  ),
  denied(
    'a request of vault-k8s above its limit',
    pod(vault({ 'agent-requests-ephemeral': '20Mi', 'agent-limits-ephemeral': '10Mi' })),
    'vault.hashicorp.com/agent-requests-ephemeral is more than vault.hashicorp.com/agent-limits-ephemeral',
  ),
  denied('an image that is none', pod(own({ image: 'a b' })), 'pannier.dev/image must be the name of an image'),
  denied('files in the directory of the configuration', pod(own({ 'volume-path': '/etc/pannier/x' })), 'of the agent'),
  denied('files in the directory of the sockets', pod(own({ 'volume-path': '/run/./pannier/' })), 'of the agent'),
  denied('files in /etc by another way', pod(own({ 'volume-path': '/srv/../etc' })), 'output in /etc would hide files'),
  denied(
    'one path twice',
    pod({
      'pannier.dev/inject': 'true',
      'pannier.dev/config-map': 'shop',
      'pannier.dev/volume-path': '/run/a,/run//a/',
    }),
    'output in /run/a is named twice',
  ),
  denied(
    'a mount at our place by another way',
    pod(own(), {
      containers: [{ ...app, volumeMounts: [{ name: 'd', mountPath: '/run//secrets/pannier' }] }],
      volumes: [{ name: 'd', emptyDir: {} }],
    }),
    'container app mounts another volume at /run/secrets/pannier',
  ),
  denied(
    'mounts to copy where the agent has its own',
    pod(vault({ 'agent-copy-volume-mounts': 'app', 'tls-secret': 'vault-tls' }), {
      containers: [
        {
          ...app,
          volumeMounts: [
            { name: 'd', mountPath: '/etc/pannier' },
            { name: 'd', mountPath: '/vault/tls/' },
          ],
        },
      ],
      volumes: [{ name: 'd', emptyDir: {} }],
    }),
    'container app mounts a volume at /etc/pannier, which the agent has too; container app mounts a volume at /vault/tls',
  ),
  denied(
    'a ConfigMap whose name has two dots',
    pod(own({ 'ca-config-map': 'a..b' })),
    'pannier.dev/ca-config-map must be the name of an object',
  ),
  denied(
    'a Secret of a name that no object has',
    pod(vault({ 'tls-secret': 'Vault_TLS' })),
    'vault.hashicorp.com/tls-secret must be the name of an object',
  ),
  denied(
    'variables of a file outside the output',
    pod(own({ env: 'A', 'env-file': '../x' })),
    'pannier.dev/env-file must be a file below the directory of the output',
  ),
  denied(
    'variables of a file that is not there',
    pod(own({ env: 'A', 'env-file': 'other.env' })),
    'pannier.dev/env-file names no file of the first output that the kubelet can read',
  ),
  denied(
    'variables of a file for another reader',
    pod(own({ 'file-app.env': '{ format: dotenv, for: docker, from: app }', env: 'A', 'env-file': 'app.env' })),
    'pannier.dev/env-file names no file of the first output that the kubelet can read',
  ),
  denied(
    'one variable twice',
    pod(own({ env: 'A,A=B', 'env-file': 'app.env' })),
    'pannier.dev/env names a variable twice',
  ),
  denied('an empty role', pod(own({ role: ' ' })), 'pannier.dev/role is empty'),
  denied(
    'an unknown annotation of vault-k8s',
    pod(vault({ 'agent-injekt': 'x' })),
    'vault.hashicorp.com/agent-injekt is not converted',
  ),
  denied(
    'agent-configmap',
    pod(vault({ 'agent-configmap': 'x' }, 'openbao.org/')),
    'openbao.org/agent-configmap is not converted',
  ),
  denied('a JSON patch', pod(vault({ 'agent-json-patch': '[]' })), 'vault.hashicorp.com/agent-json-patch is not there'),
  denied(
    'a template that is not converted',
    pod(vault({ 'agent-inject-template-app': '{{ key "x" }}' })),
    'vault.hashicorp.com/agent-inject-template-app is not converted: key',
  ),
  denied(
    'a default template with maps of Go',
    pod(named('vault.hashicorp.com/', { 'agent-inject': 'true', role: 'x', 'agent-inject-secret-a': 'secret/data/a' })),
    'notation of Go',
  ),
  denied(
    'no role',
    pod(named('vault.hashicorp.com/', { 'agent-inject': 'true', 'agent-inject-secret-a': 'kv1/a' })),
    'vault.hashicorp.com/role is missing',
  ),
  denied('a container that is not there', pod(own({ containers: 'ap' })), 'container ap is named in an annotation'),
  denied(
    'a signal without shared processes',
    pod(own({ reload: '{ signal: { name: SIGHUP, process: nginx } }' }), { shareProcessNamespace: false }),
    'a reload sends a signal',
  ),
  denied(
    'an env-file for any reader',
    pod(own({ env: 'A', 'env-file': 'app.env' })),
    'pannier.dev/env-file names no file of the first output that the kubelet can read',
  ),
  denied(
    'an env-file of a template without quotes',
    pod({ ...vault(), ...named('pannier.dev/', { env: 'A', 'env-file': 'app' }) }),
    'pannier.dev/env-file names no file of the first output that the kubelet can read',
  ),
  ...['/var/run/pannier', '/run/secrets', '/var/run/secrets/kubernetes.io/serviceaccount', '/usr/lib', '/home/app'].map(
    (path) => denied(`files in ${path}`, pod(own({ 'volume-path': path })), `output in ${path} `),
  ),
  denied(
    'volume-path beside a configuration',
    pod({ ...config(`${BAO}${outputAt('/run/a')}`), 'pannier.dev/volume-path': '/run/b' }),
    'pannier.dev/volume-path has no effect here: the outputs of the configuration',
  ),
  denied(
    'volume-path beside annotations of another injector',
    pod({ ...vault(), 'pannier.dev/volume-path': '/run/b' }),
    'pannier.dev/volume-path has no effect here: vault.hashicorp.com/secret-volume-path',
  ),
  denied(
    'a port for metrics of an agent that ends',
    pod(own({ mode: 'init', 'metrics-port': '9464' })),
    'pannier.dev/metrics-port has no effect here: an agent that ends',
  ),
  denied(
    'a port for metrics beside a listener',
    pod({
      ...config(`${BAO}${outputAt('/run/a')}admin: { listen: "127.0.0.1:9000" }\n`),
      'pannier.dev/metrics-port': '9464',
    }),
    'pannier.dev/metrics-port has no effect here: the configuration has',
  ),
  denied(
    'a port for metrics of a ConfigMap',
    pod(named('pannier.dev/', { inject: 'true', 'config-map': 'shop', 'metrics-port': '9464' })),
    'pannier.dev/metrics-port has no effect here: the configuration of config-map',
  ),
  denied(
    'more annotations than Kubernetes takes',
    pod({ ...own(), note: 'x'.repeat(262_000) }),
    'metadata.annotations would have',
  ),
];
