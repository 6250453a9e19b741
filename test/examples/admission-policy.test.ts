import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { IS_INJECTED } from '../../scripts/admission-policy/checks.ts';
import { EXAMPLE_FILE, policyFiles } from '../../scripts/admission-policy/files.ts';
import { manifests } from './configurations.ts';

// biome-ignore lint/suspicious/noExplicitAny: objects of Kubernetes are taken apart freely
const objectsOf = (file: string): readonly any[] => manifests().get(file) ?? [];
const webhooksOf = (file: string) =>
  objectsOf(file).find(({ kind }) => kind === 'MutatingWebhookConfiguration').webhooks;

describe('the admission policies', () => {
  const objects = objectsOf(EXAMPLE_FILE);
  const ofKind = (kind: string) => objects.filter((one) => one.kind === kind);

  it('are what npm run docs makes of the code of the injector', () => {
    for (const [path, text] of policyFiles()) expect([path, readFileSync(path, 'utf8')]).toEqual([path, text]);
  });

  it('look at new pods alone, fail closed, and pass over the namespaces that the injector passes over', () => {
    const policies = [...ofKind('MutatingAdmissionPolicy'), ...ofKind('ValidatingAdmissionPolicy')];
    expect(policies).toHaveLength(2);
    const [closed] = webhooksOf('examples/kubernetes/injector.yaml');
    for (const { spec } of policies) {
      const { failurePolicy, matchConstraints, matchConditions } = spec;
      expect([failurePolicy, matchConstraints.matchPolicy]).toEqual(['Fail', 'Equivalent']);
      expect(matchConstraints.resourceRules).toEqual(closed.rules);
      expect(matchConstraints.namespaceSelector.matchExpressions).toEqual([
        closed.namespaceSelector.matchExpressions[0],
      ]);
      expect(matchConditions[1].expression).toBe(`!(${IS_INJECTED})`);
    }
    expect(policies[0].spec.reinvocationPolicy).toBe('IfNeeded');
  });

  it('deny in every namespace but those whose label says that pods may start without secrets', () => {
    const bindings = ofKind('ValidatingAdmissionPolicyBinding').map(({ spec }) => spec);
    expect(bindings.map(({ validationActions }) => validationActions)).toEqual([['Deny'], ['Warn', 'Audit']]);
    const [closed, open] = bindings.map(({ matchResources }) => matchResources.namespaceSelector.matchExpressions);
    expect(closed).toEqual([{ key: 'pannier.dev/failure-policy', operator: 'NotIn', values: ['ignore'] }]);
    expect(open).toEqual([{ key: 'pannier.dev/failure-policy', operator: 'In', values: ['ignore'] }]);
    const named = objects.flatMap(({ spec }) => (spec.policyName === undefined ? [] : [spec.policyName]));
    expect(named).toEqual(['pannier-agent', 'pannier-agent-required', 'pannier-agent-required']);
  });
});
