/** An annotation `pannier.dev/NAME` of a pod. */
export interface InjectorAnnotation {
  /** Without its prefix. `-NAME` at the end stands for a name of the user's. */
  readonly name: string;
  readonly value: string;
  /** What holds without it; absent: nothing. */
  readonly default?: string;
  readonly does: string;
}

/** The prefix of the annotations. */
export const PREFIX = 'pannier.dev/';

/** Set on an injected pod. */
export const STATUS = 'status';

/** Holds the configuration that the agent of an injected pod reads. */
export const EFFECTIVE_CONFIG = 'effective-config';

/** Every annotation that the injector takes; docs/injector.md has its table from here. */
export const ANNOTATIONS: readonly InjectorAnnotation[] = [
  row('inject', '`"true"`, `"false"`', 'injects the agent, or leaves the pod as it is whatever else it says'),
  row('config', 'YAML', 'the whole configuration'),
  row('config-map', 'name', 'a ConfigMap with the configuration (`*.yaml`); it must have `admin` or `api`'),
  row('secret-NAME', 'YAML', 'a secret, as in the section `secrets`: `{ kv: secret/shop/app }`'),
  row('file-NAME', 'YAML', 'a file, as in `outputs.NAME.files`: `{ format: dotenv, from: app }`'),
  row('reload', 'YAML', 'the steps of the reload, as in `outputs.NAME.reload`'),
  row('address', 'URL', 'the address of Vault or OpenBao', '`--address`'),
  row('namespace', 'text', 'the namespace in Vault or OpenBao'),
  row('auth-mount', 'text', 'the mount of the login', '`--auth-mount`, then `kubernetes`'),
  row('role', 'text', 'the role of the login'),
  row(
    'ca-config-map',
    'name, or empty',
    'a ConfigMap whose `ca.crt` is the CA of the backend; empty: none',
    '`--ca-config-map`, but for an `http://` address',
  ),
  row('mode', '`sidecar`, `init`, `both`', 'how the agent runs', '`sidecar`; `init` in the pod of a Job'),
  row(
    'order',
    '`before`, `after`',
    'the place of the agent: before or after the containers of a service mesh',
    'after a proxy that is a native sidecar, else first',
  ),
  row('containers', 'names, with commas', 'the containers that see the files', 'all but those of a service mesh'),
  row('volume-path', 'path', 'where the files are; with `config-map` several, with commas', '`/run/secrets/pannier`'),
  row('size-limit', 'quantity', 'the limit of each volume in memory', '`4Mi`'),
  row('env', 'names, with commas', 'variables that the kubelet reads from `env-file`, with `NAME=KEY` for another key'),
  row('env-file', 'name', 'the file that `env` reads: one with `format: dotenv, for: kubelet`'),
  row('image', 'image', 'the image of the agent', '`--image`'),
  row('requests-cpu', 'quantity', 'request of the agent', '`20m`'),
  row('requests-memory', 'quantity', 'request of the agent', '`64Mi`'),
  row('limits-cpu', 'quantity', 'limit of the agent'),
  row('limits-memory', 'quantity', 'limit of the agent', '`128Mi`'),
  row('run-as-user', 'number', 'the user of the agent', 'the one of the application, else 65532'),
  row('run-as-group', 'number', 'the group of the agent', 'the one of the application, else 65532'),
  row('audience', 'text', 'the audience of the service account token', '`--audience`'),
  row('token-expiry', 'duration', 'how long the token lives, at least 10m', '`1h`'),
  row(
    'share-processes',
    '`"true"`, `"false"`',
    'one process namespace for the pod',
    'only where a reload sends a signal',
  ),
  row('metrics-port', 'number', 'serves health and metrics on this port, and adds a liveness probe'),
  row('start-within', 'duration', 'the kubelet restarts an agent that has no files by then', '`2m`'),
  row('log-level', 'level', 'of the agent: `trace`, `debug`, `info`, `warn`, `error`, `silent`'),
];

function row(name: string, value: string, does: string, standard?: string): InjectorAnnotation {
  return { name, value, does, ...(standard === undefined ? {} : { default: standard }) };
}
