import { makeNearest } from '../base/nearest.ts';
import type { BackendConfig, Config, OutputConfig, SecretConfig } from './config.ts';
import type { MergedFiles } from './load/merge.ts';
import type { ResolveContext } from './resolve-context.ts';
import type { BackendKindConfig } from './sections/backends/kind.ts';
import { resolveBackend } from './sections/backends/resolve.ts';
import { checkChildSteps, resolveExec } from './sections/exec/resolve.ts';
import { checkListens } from './sections/listeners/check-listens.ts';
import { resolveAdmin } from './sections/listeners/resolve-admin.ts';
import { resolveApi } from './sections/listeners/resolve-api.ts';
import { resolveProxy } from './sections/listeners/resolve-proxy.ts';
import { resolveLog } from './sections/log/resolve.ts';
import { checkDirs, resolveOutput } from './sections/outputs/resolve.ts';
import type { resolveSds } from './sections/sds/resolve.ts';
import { SecretResolver } from './sections/secrets/resolve.ts';

/**
 * Makes the runtime configuration of parsed files: checks each entry against its schema and against the others, and
 * fills in defaults and absolute paths. What is wrong is added to `problems`, and entries with problems are left out.
 */
export function resolveConfig(
  { sections, singles }: MergedFiles,
  kinds: readonly BackendKindConfig[],
  context: ResolveContext & { readonly resolveSds?: typeof resolveSds | undefined },
): Omit<Config, 'files' | 'folders' | 'warnings'> {
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
  for (const [name, entry] of sections.outputs) {
    const output = resolveOutput(name, entry, names, problems);
    if (output !== undefined) outputs.set(name, output);
  }
  checkDirs(outputs.values(), sections.outputs, problems);
  const exec = resolveExec(singles.get('exec'), sections.outputs, names, problems);
  if (!singles.has('exec')) checkChildSteps(sections.outputs, problems);

  const api = resolveApi(singles.get('api'), names, problems);
  const proxy = resolveProxy(singles.get('proxy'), known, kinds, problems);
  const admin = resolveAdmin(singles.get('admin'), problems);
  const sdsEntry = singles.get('sds');
  const sds = sdsEntry && context.resolveSds?.(sdsEntry, names, resolver, problems);
  checkListens(
    [
      ...(api?.listeners ?? []),
      ...(proxy?.listeners ?? []),
      ...(admin === undefined ? [] : [admin]),
      ...(sds?.listeners ?? []),
    ],
    problems,
  );

  return {
    backends,
    secrets,
    outputs,
    exec,
    ...(api === undefined ? {} : { api }),
    ...(proxy === undefined ? {} : { proxy }),
    ...(admin === undefined ? {} : { admin }),
    ...(sds === undefined ? {} : { sds }),
    log: resolveLog(singles.get('log'), context),
  };
}
