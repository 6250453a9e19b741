import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { kubernetesProblems } from '../examples/schemas.ts';
import { SHAPES } from './pods.ts';
import { agentOf, answerTo, operationsOf, type Pod, patched } from './review.helpers.ts';

const injected = SHAPES.filter(({ becomes }) => becomes === 'injected');

/** The value at a path; `~` stands for a dot in a name. `effective` is the configuration of the agent. */
function at(pod: Pod, path: string): unknown {
  const effective = pod.metadata.annotations['pannier.dev/effective-config'];
  const root = { ...pod, effective: effective === undefined ? undefined : parse(effective) };
  return path.split('.').reduce((value: Pod, name) => value?.[name.replaceAll('~', '.')], root);
}

describe('a pod that is created', () => {
  it('has one of more than sixty shapes here', () => {
    expect(SHAPES.length).toBeGreaterThanOrEqual(60);
  });

  it.each(SHAPES)('$name: becomes what is expected', async ({ pod, becomes, has = {} }) => {
    const before = JSON.stringify(pod);
    const answer = await answerTo(pod);
    expect(JSON.stringify(pod)).toBe(before);
    if (typeof becomes === 'object') {
      expect(answer.denied).toContain(becomes.denied);
      expect(answer.denied).not.toMatch(/\n/);
      expect(answer.review.response).toMatchObject({ allowed: false, status: { code: 422 } });
      expect(answer.review.response.patch).toBeUndefined();
      return;
    }
    expect(answer.denied).toBeUndefined();
    expect(answer.review.response.allowed).toBe(true);
    expect(answer.isInjected).toBe(becomes === 'injected');
    if (becomes === 'same') return expect(operationsOf(answer)).toEqual([]);
    const result = patched(pod, answer);
    for (const [path, value] of Object.entries(has)) expect([path, at(result, path)]).toEqual([path, value]);
    return undefined;
  });

  it.each(injected)('$name: the patch only adds, and never where something is', async ({ pod }) => {
    const result = structuredClone(pod);
    for (const { op, path, value } of operationsOf(await answerTo(pod)) as Pod[]) {
      expect(op).toBe('add');
      const names = path
        .slice(1)
        .split('/')
        .map((name: string) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
      const last = names.pop();
      const parent = names.reduce((one: Pod, name: string) => one[name], result);
      if (Array.isArray(parent)) parent.splice(last === '-' ? parent.length : Number(last), 0, value);
      else {
        const isStatus = /pannier\.dev\/(?:status|effective-config)$/.test(last);
        if (!isStatus) expect([path, parent[last] ?? undefined]).toEqual([path, undefined]);
        parent[last] = value;
      }
    }
    expect(result).toEqual(patched(pod, await answerTo(pod)));
  });

  it.each(injected)('$name: a second review changes nothing', async ({ pod }) => {
    const once = patched(pod, await answerTo(pod));
    const again = await answerTo(once);
    expect(again.denied).toBeUndefined();
    expect(operationsOf(again)).toEqual([]);
  });

  it.each(injected)('$name: the agent may do nothing that the standard "restricted" forbids', async ({ name, pod }) => {
    const { securityContext, volumeMounts } = agentOf(patched(pod, await answerTo(pod)));
    if (!name.startsWith('agent-set-security-context')) {
      expect(securityContext).toMatchObject({
        runAsNonRoot: true,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
        seccompProfile: { type: 'RuntimeDefault' },
      });
    }
    const paths = volumeMounts.map(({ mountPath }: Pod) => mountPath);
    expect(new Set(paths).size).toBe(paths.length);
  });

  it('matches the schemas of Kubernetes 1.34 to 1.37 when it was injected', { timeout: 120_000 }, async () => {
    const known = injected.filter(({ isOfTheFuture }) => isOfTheFuture !== true);
    const pods = await Promise.all(known.map(async ({ pod }) => patched(pod, await answerTo(pod))));
    expect(await kubernetesProblems(pods.map(withoutNull), ['1.34', '1.35', '1.36', '1.37'])).toEqual([]);
  });
});

/** A null counts as absent for the API server, and the schemas take none. */
const withoutNull = (pod: Pod): Pod => JSON.parse(JSON.stringify(pod, (_, value) => value ?? undefined));
