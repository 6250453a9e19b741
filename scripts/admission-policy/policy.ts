import { completed } from '../../src/injector/settings.ts';
import { quoted } from './cel.ts';
import { IS_INJECTED, isTrue } from './checks.ts';
import { patchExpression } from './patch.ts';
import { ALLOWED, HAS_OWN, MESSAGE, TO_DENY, TO_INJECT } from './variables.ts';

/** What is different from one file to another. */
export interface PolicyValues {
  /** What stands above the objects. */
  readonly head: string;
  /** Of the policy that injects, of the one that denies pods without an agent, and of its binding that warns. */
  readonly names: { readonly injects: string; readonly requires: string; readonly open: string };
  /** Further lines of the metadata of every object, with their indent. */
  readonly metadata: string;
  /** The selector of the namespaces whose pods the policies look at, with its indent of six. */
  readonly namespaceSelector: string;
  /** What becomes of a part of the file that is for namespaces whose pods may start without their secrets. */
  readonly whereOpen?: (part: string) => string;
  /** The map in CEL that has the value of an annotation that a pod does not have. */
  readonly defaults: string;
}

/** What holds for a pod that does not say otherwise: the image, and what the injector's code has as its defaults. */
export function defaultsOf(image: string): Readonly<Record<string, string>> {
  const { sizeLimit, requests, limits, tokenExpirySeconds, startWithinSeconds } = completed({ image });
  return {
    image,
    'size-limit': sizeLimit,
    'requests-cpu': requests.cpu as string,
    'requests-memory': requests.memory as string,
    'limits-memory': limits.memory as string,
    'token-expiry': `${tokenExpirySeconds}s`,
    'start-within': `${startWithinSeconds}s`,
  };
}

/** A map in CEL. */
export const mapOf = (entries: readonly (readonly [string, string])[]): string =>
  `{\n${entries.map(([name, value]) => `  ${quoted(name)}: ${value}`).join(',\n')}\n}`;

/** The admission policies in YAML: one injects what it can, one denies pods that ask for an agent and have none. */
export function admissionPolicy(values: PolicyValues): string {
  const { head, metadata, defaults, whereOpen = (part: string) => part } = values;
  const { injects, requires, open } = values.names;
  const constraints = constraintsFor(values.namespaceSelector);
  return `${head}
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata:
  name: ${injects}${metadata}
spec:
  failurePolicy: Fail
  reinvocationPolicy: IfNeeded
${constraints}
  matchConditions:
    - name: asks-for-an-agent
      expression: ${block(`has(object.metadata.annotations) &&\n${isTrue('inject', 'object.metadata')}`, 8)}
    - name: is-not-injected
      expression: ${block(`!(${IS_INJECTED})`, 8)}
  variables:
    # The values that hold for pods whose annotations do not say otherwise.
${variable('defaults', defaults)}
${variables(TO_INJECT)}
  mutations:
    - patchType: JSONPatch
      jsonPatch:
        expression: ${block(`variables.wrong.size() > 0 ? [] :\n${patchExpression()}`, 10)}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata:
  name: ${injects}${metadata}
spec:
  policyName: ${injects}
---
# Denies a pod that asks for an agent and that neither the policy above nor the injector has given one: it would start
# without its secrets.
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: ${requires}${metadata}
spec:
  failurePolicy: Fail
${constraints}
  matchConditions:
    - name: has-annotations
      expression: ${block(HAS_OWN, 8)}
    - name: is-not-injected
      expression: ${block(`!(${IS_INJECTED})`, 8)}
  variables:
${variables(TO_DENY)}
  validations:
    - expression: ${block(ALLOWED, 8)}
      message: the pod asks for an agent of Pannier and has none
      messageExpression: ${block(MESSAGE, 8)}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: ${requires}${metadata}
spec:
  policyName: ${requires}
  validationActions: [Deny]
${whereOpen(matchOpen('NotIn'))}
${whereOpen(`---
# Where pods may start without their secrets, it warns.
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: ${open}${metadata}
spec:
  policyName: ${requires}
  validationActions: [Warn, Audit]
${matchOpen('In')}`)}
`;
}

/** The namespaces that have the label, or those that do not. */
const matchOpen = (operator: 'In' | 'NotIn'): string => `  matchResources:
    namespaceSelector:
      matchExpressions: [{ key: pannier.dev/failure-policy, operator: ${operator}, values: [ignore] }]`;

function constraintsFor(namespaceSelector: string): string {
  return `  matchConstraints:
    matchPolicy: Equivalent
    resourceRules:
      - apiGroups: [""]
        apiVersions: [v1]
        resources: [pods]
        operations: [CREATE]
        scope: Namespaced
    namespaceSelector:
${namespaceSelector}`;
}

const variable = (name: string, expression: string): string =>
  `    - name: ${name}\n      expression: ${block(expression, 8)}`;

const variables = (all: readonly (readonly [string, string])[]): string =>
  all.map(([name, expression]) => variable(name, expression)).join('\n');

/** A text of YAML, in a block. */
function block(text: string, indent: number): string {
  const margin = ' '.repeat(indent);
  return `|-\n${text
    .split('\n')
    .map((line) => `${margin}${line}`)
    .join('\n')}`;
}
