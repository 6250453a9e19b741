import { makeNearest } from '../../base/nearest.ts';

/** An annotation of the injector, without its prefix, and what becomes of it. */
export interface KnownAnnotation {
  /** `*` at the end stands for the name of a file, of a key, or for nothing. */
  readonly name: string;
  /** `no place`: the manifest says it, or it has no meaning here. `not there`: it cannot be kept. */
  readonly is: 'converted' | 'no place' | 'not there';
  readonly here: string;
  /** What to do in a pod of Pannier's injector, where it is another thing. */
  readonly inPod?: string;
}

const converted = (here: string, ...names: readonly string[]): readonly KnownAnnotation[] =>
  names.map((name) => ({ name, is: 'converted', here }));
const noPlace = (here: string, ...names: readonly string[]): readonly KnownAnnotation[] =>
  names.map((name) => ({ name, is: 'no place', here }));
const notThere = (here: string, inPod: string, name: string): KnownAnnotation => ({
  name,
  is: 'not there',
  here,
  inPod,
});

/** Every annotation of vault-k8s, and of the injector of OpenBao, which has the same under its own prefix. */
export const KNOWN_ANNOTATIONS: readonly KnownAnnotation[] = [
  ...converted('a file of an output, with the secret', 'agent-inject-secret-*', 'agent-inject-template-*'),
  ...converted(
    'the name of the file in the output',
    'agent-inject-file-*',
    'preserve-secret-case',
    'preserve-secret-case-*',
  ),
  ...converted('the directory of the output', 'secret-volume-path', 'secret-volume-path-*'),
  ...converted('`json` as it is; `map` as a line for each field', 'agent-inject-default-template'),
  ...converted('the delimiters of the template', 'agent-template-left-delim-*', 'agent-template-right-delim-*'),
  ...converted('`mode` of the file', 'agent-inject-perms-*'),
  ...converted('`reload` of the output: one that only sends a signal is a `signal`', 'agent-inject-command-*'),
  notThere(
    'write the template of the file into the configuration',
    'write the template of the file into agent-inject-template-NAME',
    'agent-inject-template-file-*',
  ),
  ...noPlace('a missing field is always an error', 'error-on-missing-key-*'),
  ...converted('`address`', 'service'),
  ...converted('`namespace`', 'namespace'),
  ...converted('`auth.method`', 'auth-type'),
  ...converted('`auth.mount`', 'auth-path'),
  ...converted('`auth.role`', 'role'),
  ...converted('the keys of the login', 'auth-config-*'),
  ...converted('`tls`', 'tls-skip-verify', 'tls-server-name', 'ca-cert', 'client-cert', 'client-key'),
  notThere(
    'put all certificates into one file and name it as tls.caFile',
    'put all certificates into one file and name it in ca-cert',
    'ca-key',
  ),
  ...noPlace('mount the secret as a volume where tls names its files', 'tls-secret'),
  ...converted('`timeout`', 'client-timeout'),
  ...converted('`secrets.NAME.refresh`', 'template-static-secret-render-interval'),
  ...converted('`log.level`, `log.format`', 'log-level', 'log-format'),
  ...converted('`auth.revokeOnExit`', 'agent-revoke-on-shutdown'),
  ...noPlace('the login is revoked when the agent has stopped', 'agent-revoke-grace'),
  ...converted('with `--sink` a file with the token; else use the proxy', 'agent-inject-token'),
  ...converted(
    '`proxy` with a cache',
    'agent-cache-enable',
    'agent-cache-use-auto-auth-token',
    'agent-cache-listener-port',
  ),
  ...noPlace('the cache is in memory only', 'agent-cache-exit-on-err'),
  ...converted('`proxy.quit`', 'agent-enable-quit'),
  notThere(
    'run import for the files of the ConfigMap',
    'convert the files of the ConfigMap by pannier import, and name the result in pannier.dev/config-map',
    'agent-configmap',
  ),
  ...noPlace('the manifest has the container: see examples/kubernetes', 'agent-inject', 'agent-inject-status'),
  ...noPlace('mount the volume where files are read', 'agent-inject-containers'),
  ...noPlace('image of the container', 'agent-image'),
  ...noPlace(
    'an init container with restartPolicy: Always, or pannier init',
    'agent-pre-populate',
    'agent-pre-populate-only',
  ),
  ...noPlace('the order of initContainers', 'agent-init-first'),
  ...noPlace('volumes and mounts of the manifest', 'agent-extra-secret', 'agent-copy-volume-mounts'),
  ...noPlace('a projected volume, and auth.tokenFile', 'agent-service-account-token-volume-name'),
  ...noPlace(
    'resources of the container',
    ...['agent-limits-cpu', 'agent-limits-mem', 'agent-limits-ephemeral'],
    ...['agent-requests-cpu', 'agent-requests-mem', 'agent-requests-ephemeral'],
  ),
  ...noPlace(
    'securityContext of the container',
    ...['agent-run-as-user', 'agent-run-as-group', 'agent-run-as-same-user', 'agent-set-security-context'],
  ),
  ...noPlace('shareProcessNamespace of the pod', 'agent-share-process-namespace'),
  ...noPlace('edit the manifest', 'agent-json-patch', 'agent-init-json-patch'),
  ...noPlace('admin serves metrics for Prometheus', 'agent-telemetry-*'),
  ...noPlace('run does not end for this; init ends at once when its login is denied', 'agent-auto-auth-exit-on-err'),
  ...noPlace('run does not end for this; init --timeout sets a limit', 'template-config-exit-on-retry-failure'),
  ...noPlace(
    'at most 16 connections are kept, each for ten minutes at most',
    ...['agent-disable-idle-connections', 'agent-disable-keep-alives', 'template-max-connections-per-host'],
  ),
  ...noPlace('a lease is renewed at 2/3 of its life and replaced at 0.85 to 0.9', 'template-lease-renewal-threshold'),
  ...noPlace(
    'requests are tried again after random waits',
    'auth-min-backoff',
    'auth-max-backoff',
    'client-max-retries',
  ),
  ...noPlace('the variable HTTPS_PROXY of the container', 'proxy-address'),
  ...noPlace('one thread does the work', 'go-max-procs'),
  ...noPlace('set by the webhook itself', 'agent-request-namespace'),
];

/** Finds the annotation that was perhaps meant by an unknown name. */
export const nearestAnnotation = (): ((name: string) => string | undefined) =>
  makeNearest(KNOWN_ANNOTATIONS.map(({ name }) => name).filter((name) => !name.endsWith('*')));

/** The annotation that a name is of, and what stands for its `*`; undefined for an unknown one. */
export function knownAnnotation(name: string): { readonly known: KnownAnnotation; readonly rest: string } | undefined {
  const exact = KNOWN_ANNOTATIONS.find((known) => known.name === name);
  if (exact !== undefined) return { known: exact, rest: '' };
  const fitting = KNOWN_ANNOTATIONS.filter(({ name: one }) => one.endsWith('*') && name.startsWith(one.slice(0, -1)));
  const [longest] = [...fitting].sort((a, b) => b.name.length - a.name.length);
  if (longest === undefined) return undefined;
  const rest = name.slice(longest.name.length - 1);
  return rest === '' ? undefined : { known: longest, rest };
}
