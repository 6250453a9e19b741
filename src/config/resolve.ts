import { makeNearest } from '../base/nearest.ts';
import { checkPaths } from './check-paths.ts';
import type { BackendConfig, Config, OutputConfig, SecretConfig } from './config.ts';
import type { ConfigEntry } from './load/entry.ts';
import type { MergedFiles } from './load/merge.ts';
import { isTree } from './load/source-file.ts';
import { valueAt } from './place.ts';
import type { ResolveContext } from './resolve-context.ts';
import type { SingleSection } from './section-names.ts';
import type { BackendKindConfig } from './sections/backends/kind.ts';
import { resolveBackend } from './sections/backends/resolve.ts';
import { checkChildSteps, EXEC_DEFAULTS } from './sections/exec/defaults.ts';
import { resolveLog } from './sections/log/resolve.ts';
import { loadLateParts } from './sections/outputs/late-parts.ts';
import { resolveOutput } from './sections/outputs/resolve.ts';
import { SecretResolver } from './sections/secrets/resolve.ts';

/**
 * Makes the runtime configuration of parsed files: checks each entry against its schema and against the others, and
 * fills in defaults and absolute paths. What is wrong is added to `problems`, and entries with problems are left out.
 */
export async function resolveConfig(
  merged: MergedFiles,
  kinds: readonly BackendKindConfig[],
  context: ResolveContext,
): Promise<Omit<Config, 'files' | 'folders' | 'warnings'>> {
  const { sections, singles } = merged;
  const { problems } = context;
  const backends = new Map<string, BackendConfig>();
  for (const [name, entry] of sections.backends) {
    const backend = resolveBackend(name, entry, kinds, context);
    if (backend !== undefined) backends.set(name, backend);
  }

  const known = {
    names: [...sections.backends.keys()],
    resolved: backends,
    nearest: makeNearest(sections.backends.keys()),
  };
  const [first] = sections.secrets.values();
  if (first !== undefined && known.names.length === 0) {
    problems.add(
      'CONFIG_MISSING',
      first.file,
      ['backends'],
      'backends is absent, and there are secrets',
      'Add a backend.',
    );
  }
  const resolver = new SecretResolver(kinds, known, problems);
  const secrets = new Map<string, SecretConfig>();
  for (const [name, entry] of sections.secrets) {
    const secret = resolver.resolve(name, entry);
    if (secret !== undefined) secrets.set(name, secret);
  }

  const names = { has: (name: string) => sections.secrets.has(name), nearest: makeNearest(sections.secrets.keys()) };
  const outputs = new Map<string, OutputConfig>();
  const late = await loadLateParts(sections.outputs.values());
  for (const [name, entry] of sections.outputs) {
    const output = resolveOutput(name, entry, names, problems, late);
    if (output !== undefined) outputs.set(name, output);
  }
  checkPaths(merged, problems);
  // Most configurations have none of these sections, and then their code is not loaded.
  const execEntry = singles.get('exec');
  const listens = ['api', 'proxy', 'admin', 'sds'].some((section) => singles.has(section as SingleSection));
  const sdsEntry = singles.get('sds');
  const apiEntry = singles.get('api');
  const stateEntry = singles.get('state');
  const tracesEntry = singles.get('traces');
  const logEntry = singles.get('log');
  const [ofExec, ofListeners, ofAws, ofSds, ofState, ofTraces, ofLog] = await Promise.all([
    execEntry && import('./sections/exec/resolve.ts'),
    listens ? import('./sections/listeners/resolve-listeners.ts') : undefined,
    apiEntry !== undefined && hasAws(apiEntry) ? import('./sections/listeners/resolve-aws.ts') : undefined,
    sdsEntry && import('./sections/sds/resolve.ts'),
    stateEntry && import('./sections/state/resolve.ts'),
    tracesEntry && import('./sections/traces/resolve.ts'),
    logEntry && hasTargets(logEntry) ? import('./sections/log/resolve-targets.ts') : undefined,
  ]);
  const exec = execEntry && ofExec?.resolveExec(execEntry, sections.outputs, names, problems);
  if (exec === undefined) checkChildSteps(sections.outputs, problems);
  const state = ofState?.resolveState(stateEntry, known, kinds, problems);
  const traces = tracesEntry && ofTraces?.resolveTraces(tracesEntry, problems);
  const listeners = ofListeners?.resolveListeners(singles, names, known, kinds, problems, ofAws?.resolveAwsAgent);
  const sds = sdsEntry && ofSds?.resolveSds(sdsEntry, names, resolver, problems);

  return {
    backends,
    secrets,
    outputs,
    exec: exec ?? EXEC_DEFAULTS,
    ...listeners,
    ...(sds === undefined ? {} : { sds }),
    ...(state === undefined ? {} : { state }),
    ...(traces === undefined ? {} : { traces }),
    log: resolveLog(logEntry, context, ofLog?.resolveLogTargets),
  };
}

/** Whether lines of the log or of the audit go elsewhere than to the log. */
function hasTargets({ file, path }: ConfigEntry): boolean {
  const raw = valueAt(file.tree, path);
  return isTree(raw) && ['auditFile', 'auditTo', 'otlp'].some((key) => raw[key] !== undefined);
}

/** Whether a listener of the API speaks the API of the AWS agent. */
function hasAws({ file, path }: ConfigEntry): boolean {
  const raw = valueAt(file.tree, path);
  if (!isTree(raw)) return false;
  const listeners: readonly unknown[] = Array.isArray(raw['listeners']) ? raw['listeners'] : [];
  return [raw, ...listeners].some((one) => isTree(one) && one['aws'] !== undefined);
}
