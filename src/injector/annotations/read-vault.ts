import { knownAnnotation } from '../../import/annotations/known.ts';
import type { Amounts, ExtraMount, InjectorDefaults, SaidSettings } from '../settings.ts';
import { CA_FILE, TOKEN_FILE } from '../settings.ts';
import type { Wrong } from '../wrong.ts';
import { AnnotationReader } from './reader.ts';

/** The prefixes of the other injectors; of one name under both the second one counts. */
export const VAULT_PREFIXES = ['vault.hashicorp.com/', 'openbao.org/'] as const;

const MAX_ID = 2 ** 31 - 1;

/** Where the other injector mounts what these annotations name. */
const TLS_DIR = '/vault/tls';
const EXTRA_DIR = '/vault/custom';
const TOKEN_DIR = '/var/run/secrets/vault.hashicorp.com/serviceaccount';

/** Annotations that say how the containers are, and that `import` has no place for. */
const OF_THE_POD = new Set([
  'agent-inject',
  'agent-inject-status',
  'agent-inject-containers',
  'agent-pre-populate',
  'agent-pre-populate-only',
  'agent-init-first',
  'agent-extra-secret',
  'agent-copy-volume-mounts',
  'agent-service-account-token-volume-name',
  'agent-limits-cpu',
  'agent-limits-mem',
  'agent-limits-ephemeral',
  'agent-requests-cpu',
  'agent-requests-mem',
  'agent-requests-ephemeral',
  'agent-run-as-user',
  'agent-run-as-group',
  'agent-run-as-same-user',
  'agent-set-security-context',
  'agent-share-process-namespace',
  'agent-request-namespace',
  'proxy-address',
  'tls-secret',
  'agent-json-patch',
  'agent-init-json-patch',
]);

/** Logins that know no role: the agent there reads nothing of it. */
const WITHOUT_ROLE = new Set(['approle', 'cert', 'ldap', 'token_file']);

/** Switches that mean nothing when they are off. */
const SWITCHES = new Set(['agent-enable-quit', 'agent-inject-token', 'agent-cache-enable']);

export interface VaultReading {
  /** For the converter of `import`, with the defaults of the injector. */
  readonly forImport: ReadonlyMap<string, string>;
  /** What the annotations say of the pod; the annotations of Pannier win over it. */
  readonly settings: SaidSettings;
  /** Full names of annotations that have no effect here. */
  readonly idle: readonly string[];
}

/**
 * Reads the annotations of the other injectors: those of the pod here, and those of the configuration by the converter
 * of `import`.
 * @param prefix of the annotations, for messages; `all` has none.
 * @param tokenPath the path of a token in one of the pod's volumes; undefined when the pod has no such volume.
 */
export function readVault(
  prefix: string,
  all: ReadonlyMap<string, string>,
  defaults: InjectorDefaults & { readonly tokenPathIn: (volume: string) => string | undefined },
  wrong: Wrong[],
): VaultReading {
  const reader = new AnnotationReader(prefix, all, wrong);
  const forImport = new Map<string, string>();
  const idle: string[] = [];
  const type = all.get('auth-type') ?? 'kubernetes';
  const hasRole = !WITHOUT_ROLE.has(type);
  for (const [name, value] of all) {
    if (OF_THE_POD.has(name)) continue;
    if (SWITCHES.has(name) && reader.flag(name) === false) continue;
    const known = knownAnnotation(name)?.known;
    if (known?.is === 'no place' || (name === 'role' && !hasRole)) idle.push(`${prefix}${name}`);
    else forImport.set(name, value);
  }
  const volume = reader.textOrNone('agent-service-account-token-volume-name');
  const tokenPath = volume === undefined ? undefined : defaults.tokenPathIn(volume);
  if (volume !== undefined && tokenPath === undefined) {
    reader.wrong('agent-service-account-token-volume-name', 'names no volume with a projected token');
  }
  addDefaults(forImport, defaults, tokenPath === undefined ? TOKEN_FILE : `${TOKEN_DIR}/${tokenPath}`);
  if (!forImport.has('service')) reader.wrong('service', 'is missing, and the injector has no --address');
  if (type === 'kubernetes' && !forImport.has('role')) {
    reader.wrong('role', 'is missing: it is the role of the login');
  }
  for (const name of ['agent-json-patch', 'agent-init-json-patch']) {
    if (reader.textOrNone(name) !== undefined) {
      reader.wrong(name, 'is not there: use pannier.dev/ annotations for resources, user, group and image');
    }
  }
  return { forImport, settings: settingsOf(reader, volume), idle };
}

/** What the injector knows and the annotations do not say. */
function addDefaults(all: Map<string, string>, defaults: InjectorDefaults, tokenFile: string): void {
  const add = (name: string, value: string | undefined) => {
    if (value !== undefined && !all.has(name)) all.set(name, value);
  };
  add('service', defaults.address);
  const type = all.get('auth-type') ?? 'kubernetes';
  if (type === 'kubernetes') {
    add('auth-path', defaults.authMount);
    add('auth-config-token-path', tokenFile);
  } else if (type === 'jwt') add('auth-config-path', tokenFile);
  if (defaults.caConfigMap !== undefined && all.get('tls-skip-verify') !== 'true') add('ca-cert', CA_FILE);
}

function settingsOf(reader: AnnotationReader, tokenVolume: string | undefined): SaidSettings {
  const only = reader.flag('agent-pre-populate-only') === true;
  const waits = reader.flag('agent-pre-populate') !== false;
  const first = reader.flag('agent-init-first') === true;
  const containers = reader.list('agent-inject-containers');
  const user = reader.number('agent-run-as-user', 0, MAX_ID);
  const group = reader.number('agent-run-as-group', 0, MAX_ID);
  const shares = reader.flag('agent-share-process-namespace');
  const copied = reader.textOrNone('agent-copy-volume-mounts');
  const proxy = reader.textOrNone('proxy-address');
  for (const resource of ['cpu', 'mem', 'ephemeral']) {
    reader.checkLimit(`agent-requests-${resource}`, `agent-limits-${resource}`);
  }
  return {
    waits,
    hasSecurityContext: reader.flag('agent-set-security-context') !== false,
    extraMounts: extraMountsOf(reader, tokenVolume),
    ...(only ? { mode: 'init' as const } : {}),
    ...(first ? { order: 'before' as const } : {}),
    ...(containers === undefined ? {} : { containers }),
    ...(user === undefined ? {} : { runAsUser: user }),
    ...(group === undefined ? {} : { runAsGroup: group }),
    ...(shares === undefined ? {} : { sharesProcesses: shares }),
    ...(copied === undefined ? {} : { copiesMountsOf: copied }),
    ...(proxy === undefined ? {} : { env: { HTTPS_PROXY: proxy } }),
    requests: amountsOf(reader, 'requests'),
    limits: amountsOf(reader, 'limits'),
  };
}

function extraMountsOf(reader: AnnotationReader, tokenVolume: string | undefined): readonly ExtraMount[] {
  const tls = reader.objectNameOrNone('tls-secret');
  const extra = reader.objectNameOrNone('agent-extra-secret');
  return [
    ...(tls === undefined ? [] : [{ secretName: tls, volume: 'pannier-tls', path: TLS_DIR }]),
    ...(extra === undefined ? [] : [{ secretName: extra, volume: 'pannier-extra', path: EXTRA_DIR }]),
    ...(tokenVolume === undefined ? [] : [{ volume: tokenVolume, path: TOKEN_DIR }]),
  ];
}

function amountsOf(reader: AnnotationReader, kind: 'requests' | 'limits'): Amounts {
  const cpu = reader.quantity(`agent-${kind}-cpu`);
  const memory = reader.quantity(`agent-${kind}-mem`);
  const ephemeral = reader.quantity(`agent-${kind}-ephemeral`);
  return {
    ...(cpu === undefined ? {} : { cpu }),
    ...(memory === undefined ? {} : { memory }),
    ...(ephemeral === undefined ? {} : { 'ephemeral-storage': ephemeral }),
  };
}
