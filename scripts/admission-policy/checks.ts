import { ANNOTATIONS, EFFECTIVE_CONFIG, PREFIX, STATUS } from '../../src/injector/annotations/known.ts';
import { DAY_SECONDS, LEVELS, MAX_ID, ORDERS } from '../../src/injector/annotations/read-own.ts';
import { VAULT_PREFIXES } from '../../src/injector/annotations/read-vault.ts';
import { MAX_NAME, OBJECT_NAME } from '../../src/injector/annotations/reader.ts';
import {
  AGENT,
  CONFIG_VOLUME,
  INIT_AGENT,
  RUN_VOLUME,
  SECRETS_VOLUME,
} from '../../src/injector/pod/agent-containers.ts';
import { QUANTITY } from '../../src/injector/pod/amount.ts';
import { MAX_CONTAINERS, OWN_DIRS, SYSTEM_DIRS } from '../../src/injector/pod/check-pod.ts';
import { quoted, quotedList } from './cel.ts';

/** Annotations, and what their values must be: a condition in CEL on `value`, and what a denial says otherwise. */
interface Rule {
  readonly names: readonly string[];
  readonly holds: string;
  readonly seen: string;
}

/** One absolute path of printable characters, without a comma, a colon, double slashes and a slash at the end. */
const ONE_PATH = /^(?:\/[!-+\-.0-9;-~]+)+$/;

/** Hours, minutes and seconds, in numbers that CEL's durations can hold. */
const DURATION = /^(?:\d{1,6}h)?(?:\d{1,6}m)?(?:\d{1,6}s)?$/;

const matches = (pattern: RegExp, of: string): string => `${of}.matches(r'${pattern.source}')`;
const meansTrue = (of: string): string => `${of}.matches('^(?i:true|1|t)$')`;
const meansFalse = (of: string): string => `${of}.matches('^(?i:false|0|f)$')`;

const oneOf = (name: string, choices: readonly string[]): Rule => ({
  names: [name],
  holds: `value in ${quotedList(choices)}`,
  seen: `must be one of ${choices.join(', ')}`,
});

const seconds = (name: string, least: number): Rule => ({
  names: [name],
  holds: `value != '' && ${matches(DURATION, 'value')} &&
    duration(value) >= duration('${least}s') && duration(value) <= duration('${DAY_SECONDS}s')`,
  seen: `must be a duration from ${least}s to ${DAY_SECONDS}s in hours, minutes and seconds, such as 10m`,
});

const number = (name: string, least: number): Rule => ({
  names: [name],
  holds: `value.matches(r'^\\d{1,10}$') && int(value) >= ${least} && int(value) <= ${MAX_ID}`,
  seen: `must be a number from ${least} to ${MAX_ID}`,
});

const IS_NAME = `value.size() <= ${MAX_NAME} &&\n    ${matches(OBJECT_NAME, 'value')}`;

/** What the policy takes beside `inject`. */
const RULES: readonly Rule[] = [
  { names: ['config-map'], holds: IS_NAME, seen: 'must be the name of an object' },
  { names: ['ca-config-map'], holds: `value == '' || ${IS_NAME}`, seen: 'must be the name of an object' },
  oneOf('mode', ['sidecar', 'init']),
  oneOf('order', ORDERS),
  {
    names: ['volume-path'],
    holds: `${matches(ONE_PATH, 'value')} && !${matches(/\/\.\.?(?:\/|$)/, 'value')}`,
    seen: 'must be one absolute path, in its shortest form',
  },
  {
    names: ['size-limit'],
    holds: `${matches(QUANTITY, 'value')} && isQuantity(value) && quantity(value).isGreaterThan(quantity('0'))`,
    seen: 'must be a quantity such as 4Mi, and more than 0',
  },
  {
    names: ['requests-cpu', 'requests-memory', 'limits-cpu', 'limits-memory'],
    holds: `${matches(QUANTITY, 'value')} && isQuantity(value)`,
    seen: 'must be a quantity such as 100m or 64Mi',
  },
  { names: ['image'], holds: matches(/^\S+$/, 'value'), seen: 'must be the name of an image' },
  { names: ['audience'], holds: `value.trim() != ''`, seen: 'is empty' },
  number('run-as-user', 1),
  number('run-as-group', 0),
  seconds('token-expiry', 600),
  seconds('start-within', 1),
  {
    names: ['share-processes'],
    holds: `${meansTrue('value')} || ${meansFalse('value')}`,
    seen: 'must be "true" or "false"',
  },
  oneOf('log-level', LEVELS),
];

/** The annotations of the injector that the policy takes. */
export const TAKEN: readonly string[] = ['inject', ...RULES.flatMap(({ names }) => names)];

const ALL = ANNOTATIONS.map(({ name }) => name);
for (const name of TAKEN) if (!ALL.includes(name)) throw new Error(`the injector has no annotation ${name}`);

/** Annotations that end with a name of the user's. */
const isFamily = (name: string): boolean => name.endsWith('-NAME');
const FAMILY = `^(?:${ALL.filter(isFamily)
  .map((name) => name.slice(0, -'-NAME'.length))
  .join('|')})-.`;

const OTHERS = ALL.filter((name) => !TAKEN.includes(name) && !isFamily(name));

/** The optional value of an annotation of Pannier. */
export const said = (name: string, owner = 'variables'): string => `${owner}.annotations[?${quoted(PREFIX + name)}]`;

export const isTrue = (name: string, owner?: string): string => meansTrue(`${said(name, owner)}.orValue('')`);
export const isFalse = (name: string): string => meansFalse(`${said(name)}.orValue('')`);

const AGENTS = quotedList([AGENT, INIT_AGENT]);

/** Whether a pod has an agent already, as the injector sees it: the annotation alone does not count. */
export const IS_INJECTED = `object.metadata.?annotations[?${quoted(PREFIX + STATUS)}].orValue('') == 'injected' &&
(object.spec.?initContainers.orValue([]).exists(it, it.name in ${AGENTS}) ||
object.spec.containers.exists(it, it.name in ${AGENTS}))`;

/** Names of annotations of Pannier without the prefix, in the order in which denials name them: a map has none. */
export const OWN = `variables.annotations.filter(it, it.startsWith(${quoted(PREFIX)}))
  .map(it, it.substring(${PREFIX.length})).sort()`;

const isOfVault = VAULT_PREFIXES.map((prefix) => `it.startsWith(${quoted(prefix)})`).join(' || ');

/** Names of annotations of other injectors, whole. */
export const FOREIGN = `variables.annotations.filter(it, ${isOfVault}).sort()`;

const texts = (list: string, condition: string, text: string): string =>
  `${list}.filter(it,\n  ${condition}\n).map(it, ${text})`;

const ownWith = (seen: string): string => `${quoted(PREFIX)} + it + ${quoted(` ${seen}`)}`;

const INJECTOR_ONLY = 'needs the injector: the admission policy does not take it';

const KNOWN = [...ALL.filter((name) => !isFamily(name)), STATUS, EFFECTIVE_CONFIG];
const vault = (name: string): string => quotedList(VAULT_PREFIXES.map((prefix) => prefix + name));

const onlyIf = (condition: string, text: string): string => `(${condition} ?\n  [${quoted(text)}] : [])`;

/** The list of all that keeps the policy from injecting a pod that asks for an agent. */
export const WRONG = [
  texts('variables.own', `!(it in ${quotedList(KNOWN, 2)}) && !it.matches('${FAMILY}')`, ownWith('is unknown')),
  texts('variables.own', `it in ${quotedList(OTHERS, 2)} || it.matches('${FAMILY}')`, ownWith(INJECTOR_ONLY)),
  texts(
    'variables.foreign',
    `!(it in ${vault('agent-inject-status')}) &&
  !(it in ${vault('agent-inject')} &&
    ${meansFalse('variables.annotations[it]')})`,
    `it + ${quoted(` ${INJECTOR_ONLY}`)}`,
  ),
  onlyIf(
    `!${said('config-map')}.hasValue()`,
    `${PREFIX}config-map is missing: the admission policy takes no other configuration`,
  ),
  ...RULES.map(({ names, holds, seen }) =>
    texts(
      quotedList(names),
      `!variables.annotations[?${quoted(PREFIX)} + it].optMap(value,\n    ${holds}\n  ).orValue(true)`,
      ownWith(seen),
    ),
  ),
  onlyIf(
    matches(SYSTEM_DIRS, 'variables.path'),
    `${PREFIX}volume-path would hide files of the application: use a directory of its own`,
  ),
  ...['cpu', 'memory'].map((resource) =>
    onlyIf(
      `${said(`requests-${resource}`)}.optMap(request, isQuantity(request) &&
    ${said(`limits-${resource}`)}.optMap(limit, isQuantity(limit) &&
      quantity(request).isGreaterThan(quantity(limit))
    ).orValue(false)
  ).orValue(false)`,
      `${PREFIX}requests-${resource} is more than ${PREFIX}limits-${resource}`,
    ),
  ),
  onlyIf(
    `${quotedList(OWN_DIRS)}.exists(it, variables.path == it || variables.path.startsWith(it + '/'))`,
    `${PREFIX}volume-path is in a directory of the agent: use another one`,
  ),
  onlyIf(
    `object.spec.?os.?name.orValue('') == 'windows' ||
  object.spec.?nodeSelector[?'kubernetes.io/os'].orValue('') == 'windows'`,
    'spec.os is windows: the agent runs on Linux',
  ),
  onlyIf(
    `variables.containers.size() > ${MAX_CONTAINERS}`,
    `spec.containers are more than ${MAX_CONTAINERS}, the most of an injected pod`,
  ),
  texts('variables.containers', `it.name in ${AGENTS}`, `'container ' + it.name + ' is in the pod already: rename it'`),
  texts(
    'object.spec.?volumes.orValue([])',
    `it.name in ${quotedList([SECRETS_VOLUME, CONFIG_VOLUME])} ||
  (variables.stays && it.name == ${quoted(RUN_VOLUME)})`,
    `'volume ' + it.name + ' is in the pod already: rename it'`,
  ),
  texts(
    'variables.seeing',
    `it.?volumeMounts.orValue([]).exists(mount, mount.mountPath.contains('..') ||
    '/' + mount.mountPath.split('/').filter(part, !(part in ['', '.'])).join('/') == variables.path)`,
    `'container ' + it.name + ' mounts another volume at the place of the files, or at a path with ".."'`,
  ),
].join(' +\n');
