import type { SecretRequest } from '../../config/config.ts';
import type { ComputedRequest, Policy, PolicyRule, PolicyUse } from '../policy.ts';
import { agentLinesOf } from './agent-lines.ts';
import { askMounts, type FindMount } from './ask-mounts.ts';
import type { VaultBackendConfig } from './config/config.ts';
import type { KvRequest, VaultRequest } from './config/request.ts';
import {
  type Capability,
  formatPolicyLine,
  mountedPathOf,
  type PolicyLine,
  policyLinesOf,
  wrappingLinesOf,
} from './policy-lines.ts';
import { firstSegment } from './source/kv-path.ts';

/** A line with what needs it. */
interface Reason {
  readonly line: PolicyLine;
  readonly why: string;
}

/**
 * The policy of one backend, in the language of Vault and OpenBao. Paths are relative to the namespace of the backend.
 * What the configuration cannot tell is said in comments, and where there are two possibilities both are there.
 */
export async function policiesFor(use: PolicyUse<VaultBackendConfig>): Promise<readonly Policy[]> {
  const { config, isProxied, ask } = use;
  const notes: string[] = [];
  if (ask === undefined) return [make(config, await reasonsOf(use, notes, async () => undefined), notes, isProxied)];
  return await askMounts(config, ask, async (find) => {
    return [make(config, await reasonsOf(use, notes, find), notes, isProxied)];
  });
}

async function reasonsOf(
  { config, secrets, computed, wrappingKey }: PolicyUse<VaultBackendConfig>,
  notes: string[],
  find: FindMount,
): Promise<readonly Reason[]> {
  const reasons: Reason[] = [];
  for (const { place, request } of secrets) reasons.push(...(await reasonsFor(request, place, notes, find)));
  for (const one of computed) reasons.push(...(await reasonsForComputed(one, notes, find)));
  for (const line of wrappingKey === undefined ? [] : wrappingLinesOf(wrappingKey)) {
    reasons.push({ line, why: wrappingKey?.place ?? '' });
  }
  const requests = secrets.map(({ request }) => request as VaultRequest);
  for (const { why, ...line } of agentLinesOf(config.auth, requests)) reasons.push({ line, why });
  return reasons;
}

async function reasonsFor(
  asked: SecretRequest,
  place: string,
  notes: string[],
  find: FindMount,
): Promise<readonly Reason[]> {
  const request = asked as VaultRequest;
  const path = mountedPathOf(request);
  if (/(?:^|\/)\+(?:\/|$)|\*$/.test(path)) {
    notes.push(`${place}: ${path} has a + or a * that a policy takes for a pattern, so the line allows more than it`);
  }
  const isOpen = (request.kind === 'vault-kv' && request.kvVersion === undefined) || request.kind === 'vault-list';
  const mount = isOpen ? await find(path, place) : undefined;
  if (!isOpen || mount !== undefined) return policyLinesOf(request, mount).map((line) => ({ line, why: place }));
  const at = (request.kind === 'vault-kv' ? request.mount : undefined) ?? firstSegment(path);
  const note = `${at}/: whether it is a KV engine of version 1 or 2, mounted there, is not known: keep the lines that fit`;
  if (!notes.includes(note)) notes.push(note);
  return ([2, 1] as const).flatMap((version) =>
    policyLinesOf(request.kind === 'vault-kv' ? { ...(request as KvRequest), kvVersion: version } : request, {
      path: `${at}/`,
      version,
    }).map((line) => ({ line, why: `${place}, if ${at}/ is KV version ${version}` })),
  );
}

/** A path that goes on with a value is allowed from there on. */
async function reasonsForComputed(
  { place, request, known }: ComputedRequest,
  notes: string[],
  find: FindMount,
): Promise<readonly Reason[]> {
  if (known === 'whole') return await reasonsFor(request, place, notes, find);
  const begin = known === 'begins' ? String(request['path']) : '';
  if (!begin.includes('/')) {
    notes.push(`${place}: the path is computed from values, so its lines are not known: add them`);
    return [];
  }
  notes.push(
    `${place}: the path goes on with values, so the line allows all that begins like it: narrow it if you can`,
  );
  const reasons = await reasonsFor(request, place, notes, find);
  const end = begin.endsWith('/') ? '/*' : '*';
  return reasons.map(({ line, why }) => ({ line: { ...line, path: line.path.replace(/\/?$/, '') + end }, why }));
}

function make(config: VaultBackendConfig, reasons: readonly Reason[], notes: string[], isProxied: boolean): Policy {
  const { name, auth, namespace } = config;
  if (isProxied) notes.push('proxy: requests of clients need lines of their own, which are not known here');
  if (!auth.revokeOnExit && auth.method !== 'token' && auth.method !== 'none') {
    notes.push(
      'get --direct, render, doctor and a failed init revoke the login that they made: that takes update at auth/token/revoke-self, without which the login lives until its end',
    );
  }
  notes.push('doctor asks what a login may do: that takes update at sys/capabilities-self');
  const rules = rulesOf(reasons);
  const head = [
    `# What the backend ${name} needs at ${config.address}`,
    ...(namespace === undefined ? [] : [`# in the namespace ${namespace}; the paths are relative to it`]),
  ];
  const blocks = rules.map(({ on, allows, why }) => {
    const line = { path: on[0] ?? '', capabilities: allows as readonly Capability[] };
    return `${why.map((one) => `# ${one}\n`).join('')}${formatPolicyLine(line)}`;
  });
  const text = [head.join('\n'), ...blocks, notes.map((note) => `# Note: ${note}.`).join('\n')].join('\n\n');
  const role = 'role' in auth && auth.role !== undefined ? ` with the role ${auth.role}` : '';
  const who =
    auth.method === 'none' ? `the login of the proxy at ${config.address}` : `the login by ${auth.method}${role}`;
  return { kind: 'vault', backend: name, who, text: `${text}\n`, rules, notes };
}

/** One rule a path, with everything that needs it. */
function rulesOf(reasons: readonly Reason[]): readonly PolicyRule[] {
  const byPath = new Map<string, { allows: Set<string>; why: Set<string> }>();
  for (const { line, why } of reasons) {
    const rule = byPath.get(line.path) ?? { allows: new Set(), why: new Set() };
    byPath.set(line.path, rule);
    for (const capability of line.capabilities) rule.allows.add(capability);
    rule.why.add(why);
  }
  return [...byPath].map(([path, { allows, why }]) => ({ on: [path], allows: [...allows], why: [...why] }));
}
