import { EFFECTIVE_CONFIG, PREFIX, STATUS } from '../../src/injector/annotations/known.ts';
import { VAULT_PREFIXES } from '../../src/injector/annotations/read-vault.ts';
import { MESH, PROXIES } from '../../src/injector/pod/mesh.ts';
import { OWN_ID } from '../../src/injector/pod/users.ts';
import { DEFAULT_DIR } from '../../src/injector/settings.ts';
import { quoted, quotedList } from './cel.ts';
import { FOREIGN, isFalse, isTrue, OWN, said, WRONG } from './checks.ts';

/** Variables of a policy: the name and the expression of each. */
type Named = readonly (readonly [string, string])[];

const orDefault = (name: string): string => `${said(name)}.orValue(variables.defaults[${quoted(name)}])`;
const orEmpty = (name: string): string => `${said(name)}.orValue(variables.defaults[?${quoted(name)}].orValue(''))`;

const exceeds = (one: string, other: string): string => `quantity(${one}).isGreaterThan(quantity(${other}))`;

/** A limit by default, or a request of the pod's that is more. */
const raised = (limit: string, request: string): string =>
  `${said(limit)}.orValue(
  ${said(request)}.optMap(request, ${exceeds('request', `variables.defaults[${quoted(limit)}]`)}).orValue(false)
  ? ${said(request)}.orValue('') : variables.defaults[${quoted(limit)}])`;

/** A request by default, or a limit of the pod's that is less; none in a pod with one of its own, to share it. */
const lowered = (request: string, limit: string): string => {
  const resource = request.slice('requests-'.length);
  const standard = `variables.defaults[${quoted(request)}]`;
  const hasOwn = ['requests', 'limits'].map(
    (kind) => `object.spec.?resources.?${kind}[?${quoted(resource)}].hasValue()`,
  );
  return `${said(request)}.orValue(${hasOwn.join(' ||\n  ')} ? '0' :
  ${said(limit)}.optMap(limit, ${exceeds(standard, 'limit')}).orValue(false)
  ? ${said(limit)}.orValue('') : ${standard})`;
};

const secondsOf = (name: string): string => `duration(${orDefault(name)}).getSeconds()`;

const INIT_CONTAINERS = 'object.spec.?initContainers.orValue([])';

/** The annotations by their names. The values get the type that the mutating policy does not know otherwise. */
const ANNOTATIONS_OF_POD: Named = [
  ['annotations', 'object.metadata.annotations.transformMap(name, value, string(value))'],
];

/** What the check for what is wrong needs. */
const CHECKED: Named = [
  ['path', `${said('volume-path')}.orValue(${quoted(DEFAULT_DIR)})`],
  [
    'stays',
    `${said('mode')}.orValue(
  object.metadata.?ownerReferences.orValue([]).exists(it, it.kind == 'Job') ? 'init' : 'sidecar') != 'init'`,
  ],
  ['own', OWN],
  ['foreign', FOREIGN],
  ['mesh', quotedList(MESH)],
  ['containers', `${INIT_CONTAINERS}.map(it, dyn(it)) + object.spec.containers.map(it, dyn(it))`],
  ['seeing', 'variables.containers.filter(it, !(it.name in variables.mesh))'],
];

const SETTINGS: Named = [
  ['configMap', `${said('config-map')}.orValue('')`],
  ['caConfigMap', orEmpty('ca-config-map')],
  ['image', orDefault('image')],
  ['sizeLimit', orDefault('size-limit')],
  ['limitsCpu', orEmpty('limits-cpu')],
  ['limitsMemory', raised('limits-memory', 'requests-memory')],
  ['requestsCpu', lowered('requests-cpu', 'limits-cpu')],
  ['requestsMemory', lowered('requests-memory', 'limits-memory')],
  ['audience', orEmpty('audience')],
  ['tokenSeconds', secondsOf('token-expiry')],
  ['startSeconds', secondsOf('start-within')],
  ['logLevel', orEmpty('log-level')],
  [
    'shares',
    `${isTrue('share-processes')} &&\n!object.spec.?hostPID.orValue(false) && !object.spec.?shareProcessNamespace.orValue(false)`,
  ],
];

/** The user that all containers name, or -1: a container names its own before the one of the pod. */
const common = (field: string): string =>
  `variables.seeing.map(it,
  it.?securityContext.?${field}.orValue(object.spec.?securityContext.?${field}.orValue(-1)))`;
const onlyOne = (list: string): string =>
  `${list}.size() > 0 && ${list}.all(it, it == ${list}[0])\n  ? ${list}[0] : -1`;

/** The user and the group of the agent, and its place among the init containers. */
const AGENT: Named = [
  ['users', common('runAsUser')],
  ['groups', common('runAsGroup')],
  ['theirUser', onlyOne('variables.users')],
  ['theirGroup', onlyOne('variables.groups')],
  [
    'user',
    `${said('run-as-user')}.optMap(it, int(it)).orValue(\n  variables.theirUser > 0 ? variables.theirUser : ${OWN_ID})`,
  ],
  [
    'group',
    `${said('run-as-group')}.optMap(it, int(it)).orValue(\n  variables.user == variables.theirUser && variables.theirGroup >= 0 ? variables.theirGroup : ${OWN_ID})`,
  ],
  [
    'place',
    `${said('order')}.orValue('') == 'after' ||
(${said('order')}.orValue('') != 'before' && ${INIT_CONTAINERS}.exists(it,
  it.name in ${quotedList(PROXIES)} && it.?restartPolicy.orValue('') == 'Always'))
  ? ${INIT_CONTAINERS}.map(it, it.name in variables.mesh).lastIndexOf(true) + 1
  : 0`,
  ],
];

const IS_MARK = `it in ${quotedList([PREFIX + STATUS, PREFIX + EFFECTIVE_CONFIG])}`;
/** Whether a pod has annotations of Pannier beside the marks of an injected one. */
export const HAS_OWN = `has(object.metadata.annotations) &&
object.metadata.annotations.exists(it, it.startsWith(${quoted(PREFIX)}) &&
  !(${IS_MARK}))`;

const ofVault = (name: string, condition: string): string =>
  VAULT_PREFIXES.map((prefix) => `variables.annotations[?${quoted(prefix + name)}].orValue('')${condition}`).join(
    ' ||\n',
  );

const ASKED: Named = [
  ['inject', said('inject')],
  ['isOn', isTrue('inject')],
  // An annotation of another injector asks too, when `pannier.dev/inject` says nothing.
  ['asksOther', `!variables.inject.hasValue() && (\n${ofVault('agent-inject', `.matches('^(?i:true|1|t)$')`)})`],
  ['hasOther', ofVault('agent-inject-status', ` == 'injected'`)],
];

/** Whether a pod without an agent may start. */
export const ALLOWED = `${isFalse('inject')} ||\n(variables.asksOther && variables.hasOther)`;

/** As many as a denial of the injector names. */
const MAX_NAMED = 10;

/** Why it may not, in one line. */
export const MESSAGE = `variables.isOn || variables.asksOther
  ? (variables.isOn && variables.wrong.size() > 0
    ? (variables.wrong.size() > ${MAX_NAMED}
      ? variables.wrong.slice(0, ${MAX_NAMED}).join('; ') + '; ' + string(variables.wrong.size() - ${MAX_NAMED}) + ' more'
      : variables.wrong.join('; '))
    : 'neither the admission policy nor an injector has injected the agent that the pod asks for')
  : variables.inject.hasValue()
    ? '${PREFIX}inject must be "true" or "false"'
    : '${PREFIX}inject is missing beside ' +
      variables.annotations.filter(it, it.startsWith(${quoted(PREFIX)}) &&
        !(${IS_MARK})).sort()[0] + ': "true" or "false"'`;

/** The variables of the policy that injects, behind `defaults`. */
export const TO_INJECT: Named = [...ANNOTATIONS_OF_POD, ...CHECKED, ['wrong', WRONG], ...SETTINGS, ...AGENT];

/** The variables of the policy that denies. */
export const TO_DENY: Named = [...ANNOTATIONS_OF_POD, ...CHECKED, ['wrong', WRONG], ...ASKED];
