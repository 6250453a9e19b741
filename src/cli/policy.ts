import type { Plan } from '../agent/plan.ts';
import { usedSecrets } from '../agent/used-secrets.ts';
import type { ComputedRequest, Policy } from '../backend/policy.ts';
import { BACKEND_KINDS } from '../backend/registry.ts';
import { systemClock } from '../base/clock.ts';
import { fail } from '../base/errors.ts';
import { makeNearest, thereIsNo } from '../base/nearest.ts';
import { version } from '../base/version.ts';
import type { SecretConfig } from '../config/config.ts';
import { readEnvironment } from '../config/environment.ts';
import { kindOf } from '../config/sections/backends/kind.ts';
import { ON_DEMAND_NAME } from '../config/sections/sds/config.ts';
import { print, tell } from './print.ts';
import { requestsOnDemand } from './requests-on-demand.ts';
import { type CommonOptions, loadPlan } from './setup.ts';
import { listenForStop } from './stop-signals.ts';

export interface PolicyCommandOptions extends CommonOptions {
  /** Names of backends; all when empty. */
  readonly backend: readonly string[];
  /** Prints one document for programs. */
  readonly json?: boolean;
  /** Asks the servers what the configuration does not say. */
  readonly direct?: boolean;
  /** A file with the token that is used for asking, instead of the configured login. */
  readonly tokenFile?: string;
}

/**
 * `pannier policy`: prints the least that the logins of a configuration must be allowed. Without `direct` nothing is
 * sent. Returns the exit status.
 */
export async function policyCommand(options: PolicyCommandOptions): Promise<number> {
  const plan = await loadPlan(options);
  const { backends, secrets, proxy, state } = plan.config;
  const key = state?.key;
  for (const name of options.backend) {
    if (backends.has(name)) continue;
    const hint = `Configured: ${[...backends.keys()].slice(0, 10).join(', ')}.`;
    throw fail('CONFIG_INVALID', `--backend ${name}`, thereIsNo('backend', name, makeNearest(backends.keys())(name)), {
      hint,
    });
  }
  using stop = listenForStop();
  const computed = await computedOf(plan);
  const used = usedSecrets(plan);
  const policies: Policy[] = [];
  for (const config of backends.values()) {
    if (options.backend.length > 0 && !options.backend.includes(config.name)) continue;
    const tools = await kindOf(BACKEND_KINDS, config).loadTools?.();
    const own = [...secrets.values()].filter(({ name, backend }) => backend === config.name && used.has(name));
    const use = {
      config,
      secrets: [...own, ...requestsOnDemand(config.name, plan.config).map(forAnyName)],
      computed: computed.get(config.name) ?? [],
      ...(key?.from === 'wrapped' && key.backend === config.name ? { wrappingKey: key } : {}),
      isProxied: proxy?.backend === config.name,
      ...(options.direct === true ? { ask: askBy(options, stop.signal) } : {}),
    };
    policies.push(...((await tools?.policiesFor?.(use)) ?? []));
  }
  await print(options.json === true ? `${JSON.stringify(policies.map(shown), null, 2)}\n` : textOf(policies));
  return 0;
}

/** A request for a certificate on demand has `*`, which a policy takes for any text, where the name will be. */
function forAnyName(secret: SecretConfig): SecretConfig {
  return JSON.parse(JSON.stringify(secret).replaceAll(ON_DEMAND_NAME, '*'));
}

function askBy({ tokenFile }: PolicyCommandOptions, signal: AbortSignal) {
  const context = {
    clock: systemClock,
    random: Math.random,
    emit: () => {},
    env: readEnvironment(),
    version,
    kept: new Map(),
  };
  return { context, signal, ...(tokenFile === undefined ? {} : { tokenFile }) };
}

/** What the templates ask for by paths, by backend. */
async function computedOf({ outputs, env }: Plan): Promise<ReadonlyMap<string, readonly ComputedRequest[]>> {
  const renderers = [...outputs, ...(env === undefined ? [] : [env])].map(({ renderer }) => renderer);
  const calls = (await Promise.all(renderers.map(async (renderer) => (await renderer.calls?.()) ?? []))).flat();
  return Map.groupBy(
    calls.map(({ backend, place, what, requests, begin, isWhole }) => {
      const known = isWhole ? 'whole' : begin === '' ? 'none' : 'begins';
      return { backend, place, request: requests[what](begin, false), known } as const;
    }),
    ({ backend }) => backend,
  );
}

/** A policy alone is what its system takes; several are told apart by a line above each. */
function textOf(policies: readonly Policy[]): string {
  const [only, ...others] = policies;
  if (only === undefined) return '# No backend of this configuration needs a policy.\n';
  if (others.length === 0) {
    if (only.kind !== 'vault') for (const note of only.notes) tell(`policy: ${note}\n`);
    return only.text;
  }
  return policies
    .map(({ backend, kind, who, text, notes }, i) => {
      // Manifests one after the other are several documents of one file.
      const head = `${kind === 'rbac' && i > 0 ? '---\n' : ''}# ==== ${backend}: ${WHAT[kind]} of ${who}\n`;
      return `${head}${kind === 'vault' ? '' : notes.map((note) => `# Note: ${note}.\n`).join('')}${text}`;
    })
    .join('\n');
}

const WHAT = { vault: 'policy', iam: 'IAM policy', rbac: 'Role' } as const;

function shown({ backend, kind, who, rules, notes, text }: Policy) {
  return { backend, kind, for: who, rules, notes, policy: kind === 'iam' ? JSON.parse(text) : text };
}
