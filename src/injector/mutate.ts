import { checkSize, MAX_ANNOTATION_BYTES } from './annotations/check-size.ts';
import { EFFECTIVE_CONFIG, PREFIX, STATUS } from './annotations/known.ts';
import { PARTS, readOwn } from './annotations/read-own.ts';
import { readVault, VAULT_PREFIXES } from './annotations/read-vault.ts';
import { AnnotationReader } from './annotations/reader.ts';
import { agentConfigOf } from './config/agent-config.ts';
import type { Decided, Plan } from './plan.ts';
import { AGENT, INIT_AGENT, SECRETS_VOLUME } from './pod/agent-containers.ts';
import { checkAdded, checkCount, checkDirs, checkNames, checkPod } from './pod/check-pod.ts';
import { type JsonMap, listOf, mapOf, textOf } from './pod/json.ts';
import type { Operation } from './pod/patch.ts';
import { patchOf } from './pod/patch-pod.ts';
import { seeing } from './pod/seeing.ts';
import { sharedRequests } from './pod/shared-requests.ts';
import { usersOf } from './pod/users.ts';
import { type ConfigSource, completed, DEFAULT_DIR, type InjectorDefaults } from './settings.ts';
import { warningsOf } from './warnings.ts';
import { denialOf, type Wrong } from './wrong.ts';

/** What becomes of a pod: a patch, which is empty for a pod that is to stay as it is, or a denial in one line. */
export type Mutation =
  | { readonly patch: readonly Operation[]; readonly warnings: readonly string[] }
  | { readonly denied: string };

const UNCHANGED: Mutation = { patch: [], warnings: [] };

/**
 * Decides what is added to a pod that is created. Nothing of the pod is written again: the patch only adds, so fields
 * that this version does not know stay as they came. A pod that was injected already is left as it is.
 * @param pod as it came in the review.
 */
export async function mutate(pod: unknown, defaults: InjectorDefaults): Promise<Mutation> {
  const metadata = mapOf(mapOf(pod)['metadata']);
  const spec = mapOf(mapOf(pod)['spec']);
  const annotations = textsOf(metadata['annotations']);
  const wrong: Wrong[] = [];
  const own = withoutPrefix(annotations, [PREFIX]);
  const vault = withoutPrefix(annotations, VAULT_PREFIXES);
  const isOfVault = [...annotations.keys()].some((name) => name.startsWith(VAULT_PREFIXES[0]));
  const prefix = VAULT_PREFIXES[isOfVault ? 0 : 1];
  const wanted = isWanted(own, vault, prefix, wrong);
  if (wrong.length > 0) return { denied: denialOf(wrong) };
  if (!wanted || isInjected(own, vault, spec)) return UNCHANGED;
  checkSize(annotations, wrong);
  checkCount(spec, wrong);
  if (wrong.length > 0) return { denied: denialOf(wrong) };
  const { settings, source, idle } = readSettings({ own, vault, prefix, spec, defaults }, wrong);
  checkPod(spec, settings, wrong);
  if (source === undefined && wrong.length === 0) wrong.push({ where: `${PREFIX}config`, seen: NO_SOURCE });
  if (source === undefined) return { denied: denialOf(wrong) };
  const plan = await planOf({ metadata, spec, settings, source }, wrong);
  if (plan === undefined || wrong.length > 0) return { denied: denialOf(wrong) };
  const patch = patchOf({ metadata, spec, settings, source, plan });
  const { text } = plan.config;
  const after = new Map([...annotations, [PREFIX + EFFECTIVE_CONFIG, text ?? '']]);
  const bytes = [...after].reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
  if (bytes > MAX_ANNOTATION_BYTES) {
    return {
      denied: denialOf([
        { where: 'metadata.annotations', seen: `would have ${bytes} bytes of ${MAX_ANNOTATION_BYTES}` },
      ]),
    };
  }
  return { patch, warnings: warningsOf(idle, settings) };
}

const NO_SOURCE = 'is missing: there is no configuration, neither there nor in config-map, secret-NAME and file-NAME';

function textsOf(annotations: unknown): ReadonlyMap<string, string> {
  const entries = Object.entries(mapOf(annotations));
  return new Map(entries.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as const] : [])));
}

function withoutPrefix(all: ReadonlyMap<string, string>, prefixes: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    prefixes.flatMap((prefix) =>
      [...all].flatMap(([name, value]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), value] as const] : [],
      ),
    ),
  );
}

/** Whether the pod asks for an agent. `pannier.dev/inject` decides before the annotation of the other injectors. */
function isWanted(
  own: ReadonlyMap<string, string>,
  vault: ReadonlyMap<string, string>,
  prefix: string,
  wrong: Wrong[],
): boolean {
  const said = new AnnotationReader(PREFIX, own, wrong).flag('inject');
  if (own.has('inject')) return said === true;
  const theirs = new AnnotationReader(prefix, vault, wrong).flag('agent-inject') === true;
  const others = [...own.keys()].filter((name) => name !== STATUS && name !== EFFECTIVE_CONFIG);
  if (!theirs && others.length > 0) {
    wrong.push({ where: `${PREFIX}inject`, seen: `is missing beside ${PREFIX}${others[0]}: "true" or "false"` });
  }
  return theirs;
}

/** The annotation alone does not count: whoever copies it without the containers would start without secrets. */
function isInjected(own: ReadonlyMap<string, string>, vault: ReadonlyMap<string, string>, spec: JsonMap): boolean {
  const names = new Set([...listOf(spec['initContainers']), ...listOf(spec['containers'])].map(({ name }) => name));
  const isOurs = own.get(STATUS) === 'injected' && (names.has(AGENT) || names.has(INIT_AGENT));
  const isTheirs = vault.get('agent-inject-status') === 'injected' && !own.has('inject');
  return isOurs || (isTheirs && (names.has('vault-agent') || names.has('vault-agent-init')));
}

interface Asked {
  readonly own: ReadonlyMap<string, string>;
  readonly vault: ReadonlyMap<string, string>;
  /** The one of the annotations of the other injectors. */
  readonly prefix: string;
  readonly spec: JsonMap;
  readonly defaults: InjectorDefaults;
}

function readSettings({ own, vault, prefix, spec, defaults: given }: Asked, wrong: Wrong[]) {
  const defaults = withFittingCa(given, own, vault);
  const shared = sharedRequests(spec, own.get('mode') === 'both');
  const others = [...vault.keys()].filter((name) => name !== 'agent-inject' && name !== 'agent-inject-status');
  const isOfVault = others.length > 0 || /^(?:true|1|t)$/i.test(vault.get('agent-inject') ?? '');
  const read = readOwn(isOfVault ? withoutStrays(own, prefix, wrong) : own, defaults, wrong);
  if (!isOfVault) {
    return { settings: completed(defaults, shared, read.settings), source: read.source, idle: [] };
  }
  if (read.source !== undefined) {
    wrong.push({
      where: `${prefix}${others[0] ?? 'agent-inject'}`,
      seen: 'cannot be used together with a configuration of pannier.dev/',
    });
    return { settings: completed(defaults, shared, read.settings), source: read.source, idle: [] };
  }
  const caConfigMap = read.settings.caConfigMap ?? defaults.caConfigMap;
  const tokenPathIn = (volume: string) => tokenPathOf(spec, volume);
  const withCa = { ...defaults, ...(caConfigMap === undefined ? {} : { caConfigMap }), tokenPathIn };
  const { forImport, settings, idle } = readVault(prefix, vault, withCa, wrong);
  const hasPrograms = read.settings.image !== undefined;
  const source: ConfigSource = { kind: 'vault', prefix, annotations: forImport, hasPrograms };
  return { settings: completed(defaults, shared, settings, read.settings), source, idle };
}

/** Without parts of a configuration that has no secret and no file of ours: the other annotations say these things. */
function withoutStrays(own: ReadonlyMap<string, string>, prefix: string, wrong: Wrong[]): ReadonlyMap<string, string> {
  if ([...own.keys()].some((name) => /^(?:config|config-map|(?:secret|file)-.+)$/s.test(name))) return own;
  const strays = PARTS.filter((name) => own.has(name));
  for (const name of strays) {
    wrong.push({
      where: PREFIX + name,
      seen: `goes with secret-NAME and file-NAME: here annotations ${prefix} say it`,
    });
  }
  return new Map([...own].filter(([name]) => !strays.some((stray) => stray === name)));
}

/**
 * The defaults for this pod: one that says so needs no CA, and a backend without TLS has no use for it. A configuration
 * that is written as a whole may name the file, whatever its backends are.
 */
function withFittingCa(
  { caConfigMap, ...others }: InjectorDefaults,
  own: ReadonlyMap<string, string>,
  vault: ReadonlyMap<string, string>,
): InjectorDefaults {
  const address = own.get('address') ?? vault.get('service') ?? others.address ?? '';
  const isWhole = own.has('config') || own.has('config-map');
  const isUseless = own.get('ca-config-map') === '' || (!isWhole && /^http:/i.test(address.trim()));
  return isUseless || caConfigMap === undefined ? others : { caConfigMap, ...others };
}

async function planOf({ metadata, spec, settings, source }: Decided, wrong: Wrong[]): Promise<Plan | undefined> {
  const isOfJob = listOf(metadata['ownerReferences']).some(({ kind }) => kind === 'Job');
  const mode = settings.mode ?? (isOfJob ? 'init' : 'sidecar');
  const { readers } = usersOf(spec, seeing(spec, settings), settings);
  const hasCa = settings.caConfigMap !== undefined;
  const { metricsPort } = settings;
  const context = { readers, hasCa, stays: mode !== 'init', ...(metricsPort === undefined ? {} : { metricsPort }) };
  const config = await agentConfigOf(source, context, wrong);
  if (config === undefined) return undefined;
  const dirs = config.needs?.dirs ?? settings.volumePaths ?? [DEFAULT_DIR];
  checkDirs(dirs, wrong);
  if (!checkAdded(spec, settings, dirs.length, wrong)) return undefined;
  checkIdle({ settings, source, mode, answersHealth: config.needs?.answersHealth ?? false }, wrong);
  const { envFile } = settings;
  if (envFile !== undefined && config.needs?.envFiles.includes(envFile) === false) {
    wrong.push({
      where: `${PREFIX}env-file`,
      seen: 'names no file of the first output that the kubelet can read: format: dotenv, for: kubelet',
    });
  }
  const secrets = dirs.map((path, index) => ({
    name: index === 0 ? SECRETS_VOLUME : `${SECRETS_VOLUME}-${index + 1}`,
    path,
  }));
  checkNames(spec, { settings, source, secrets, mode }, wrong);
  const sharesProcesses = settings.sharesProcesses ?? config.needs?.signals ?? false;
  if (config.needs?.signals === true && (!sharesProcesses || spec['shareProcessNamespace'] === false)) {
    wrong.push({
      where: 'spec.shareProcessNamespace',
      seen: 'is false, and a reload sends a signal to another container',
    });
  }
  return { mode, config, secrets, sharesProcesses };
}

/** Annotations that are good and have no effect beside the others. */
function checkIdle(
  { settings, source, mode, answersHealth }: Pick<Decided, 'settings' | 'source'> & Pick<Plan, 'mode'> & Answers,
  wrong: Wrong[],
): void {
  if (settings.volumePaths !== undefined && (source.kind === 'inline' || source.kind === 'vault')) {
    const other = source.kind === 'vault' ? `${source.prefix}secret-volume-path` : 'the outputs of the configuration';
    wrong.push({ where: `${PREFIX}volume-path`, seen: `has no effect here: ${other} says where files are` });
  }
  if (settings.metricsPort === undefined) return;
  const why =
    source.kind === 'map'
      ? 'the configuration of config-map has its own listener'
      : mode === 'init'
        ? 'an agent that ends serves nothing'
        : answersHealth
          ? 'the configuration has its own listener'
          : undefined;
  if (why !== undefined) wrong.push({ where: `${PREFIX}metrics-port`, seen: `has no effect here: ${why}` });
}

interface Answers {
  readonly answersHealth: boolean;
}

/** The path of the token in a projected volume of the pod. */
function tokenPathOf(spec: JsonMap, volume: string): string | undefined {
  const found = listOf(spec['volumes']).find(({ name }) => name === volume);
  const sources = listOf(mapOf(found?.['projected'])['sources']);
  return sources
    .map(({ serviceAccountToken }) => textOf(mapOf(serviceAccountToken)['path']))
    .find((path) => path !== undefined);
}
