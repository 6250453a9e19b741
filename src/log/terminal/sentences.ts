import { formatDuration } from '../../base/duration.ts';
import { type Failure, formatPosition } from '../../base/errors.ts';
import type { Fact } from '../../base/fact.ts';
import { type Line, lineOf } from '../lines.ts';

/** What a person reads of one fact. */
export interface Told {
  readonly level: Line['level'];
  readonly sentence: string;
  /** Lines that stand below the sentence, each on its own: what to do next, or a list. */
  readonly below: readonly string[];
}

/** Every kind of fact has its words, or says here that its fields are enough. */
type Sentences = { readonly [K in Fact['kind']]: ((fact: Extract<Fact, { kind: K }>) => string) | typeof FIELDS };

/** The message of the fact and its fields: for facts that people seldom look for. */
const FIELDS = 'fields';

/** A fact as a sentence. */
export function tell(fact: Fact): Told {
  const line = lineOf(fact);
  const say = SENTENCES[fact.kind] as ((fact: Fact) => string) | typeof FIELDS;
  return { level: line.level, sentence: say === FIELDS ? plain(line) : say(fact), below: belowOf(fact) };
}

/** Failures come with their hint below. */
const SENTENCES: Sentences = {
  'agent-started': ({ version, command, secrets, outputs }) =>
    `pannier ${version} ${command}: ${count(secrets, 'secret')}, ${count(outputs, 'output')}`,
  'agent-stopping': ({ reason }) => `stopping: ${reason}`,
  'agent-warning': ({ warning }) => reasonOf(warning),
  'task-crashed': ({ task, failure }) => `${task} failed and was started again: ${reasonOf(failure)}`,
  'log-level-changed': ({ level }) => `the log has the level ${level} now`,
  'clock-jumped': ({ byMs }) => `the clock jumped by ${byMs < 0 ? '-' : ''}${formatDuration(Math.abs(byMs))}`,
  'config-applied': ({ secrets, outputs }) =>
    `configuration taken: ${count(secrets, 'secret')}, ${count(outputs, 'output')}`,
  'config-rejected': ({ failure, problem, problems }) =>
    `configuration refused (problem ${problem} of ${problems}), the running one stays: ${reasonOf(failure)}`,
  'login-made': ({ backend, method, ttlMs }) =>
    `logged in to ${backend} by ${method}${ttlMs === 'forever' ? '' : `, for ${formatDuration(ttlMs)}`}`,
  'login-failed': ({ backend, failure, retryInMs }) =>
    `cannot log in to ${backend}: ${reasonOf(failure)}${again(retryInMs)}`,
  'login-inline': ({ backend, failure }) =>
    failure === undefined ? `${backend} needs no login` : `${backend} needs a login: ${reasonOf(failure)}`,
  'login-resumed': ({ backend, failure }) =>
    `login to ${backend} taken up from an earlier process${failure === undefined ? '' : `, not asked for yet: ${reasonOf(failure)}`}`,
  'login-renewed': ({ backend, ttlMs }) => `login to ${backend} renewed, for ${formatDuration(ttlMs)}`,
  'login-renew-failed': ({ backend, failure, retryInMs }) =>
    `cannot renew the login to ${backend}: ${reasonOf(failure)}${again(retryInMs)}`,
  'login-replaced': ({ backend, reason }) => `login to ${backend} replaced (${reason})`,
  'login-revoked': ({ backend, failure }) =>
    failure === undefined ? `login to ${backend} revoked` : `login to ${backend} not revoked: ${reasonOf(failure)}`,
  'backend-answered': ({ backend, call, status, durationMs }) =>
    `${backend}: ${call}: ${status} in ${formatDuration(durationMs)}`,
  'backend-failed': ({ backend, call, failure, durationMs }) =>
    `${backend}: ${call}: ${reasonOf(failure)} after ${formatDuration(durationMs)}`,
  'backend-circuit': ({ backend, state, failure, probeInMs }) =>
    state === 'closed'
      ? `${backend} answers again`
      : `${backend} does not answer${failure === undefined ? '' : `: ${reasonOf(failure)}`}; nothing is sent for ${formatDuration(probeInMs ?? 0)}, and then one request after each pause`,
  'feed-up': ({ backend }) => `${backend} tells of changes from now on`,
  'feed-down': ({ backend, failure }) => `${backend} does not tell of changes: ${reasonOf(failure)}`,
  'secret-changed': ({ secrets, first, lifeMs }) =>
    `${secretsOf(secrets)} ${first ? 'fetched' : 'changed'}${lifeMs === undefined ? '' : `, good for ${formatDuration(lifeMs)}`}`,
  'secret-kept': ({ secrets, lifeMs, ageMs }) =>
    `${secretsOf(secrets)} kept from before the start, ${formatDuration(ageMs)} old${lifeMs === undefined ? '' : `, good for ${formatDuration(lifeMs)}`}`,
  'secret-revoked': ({ secrets, life }) => `old ${life} of ${secretsOf(secrets)} revoked`,
  'secret-unchanged': ({ secrets }) => `${secretsOf(secrets)} unchanged`,
  'secret-renewed': ({ secrets, ttlMs }) => `lease of ${secretsOf(secrets)} renewed, for ${formatDuration(ttlMs)}`,
  'secret-failed': ({ secrets, doing, failure, retryInMs }) =>
    `cannot ${doing} ${secretsOf(secrets)}: ${reasonOf(failure)}${again(retryInMs)}`,
  'secret-absent': ({ secrets, failure }) => `optional ${secretsOf(secrets)} is not there: ${reasonOf(failure)}`,
  'secret-state': ({ secrets, state, reason }) =>
    `${secretsOf(secrets)} is ${STATES[state]}${reason === undefined ? '' : ` (${reason})`}`,
  'secret-dropped': ({ secrets }) =>
    secrets.every((name) => CONFIGURED.test(name))
      ? `${secretsOf(secrets)} is no longer configured`
      : `${secretsOf(secrets)} is let go: nothing asks for it any more`,
  'output-waiting': ({ output, missing }) => `output ${output} waits for ${missing.join(', ')}`,
  'output-rendered': FIELDS,
  'output-checked': FIELDS,
  'output-published': ({ output, dir, generation, files, durationMs }) =>
    dir === undefined
      ? `${count(files, 'variable')} of ${output} made (generation ${generation})`
      : `output ${output}: ${count(files, 'file')} published in ${dir} (generation ${generation}, ${formatDuration(durationMs)})`,
  'output-unchanged': ({ output }) => `output ${output} unchanged`,
  'output-failed': ({ output, failure, retryInMs }) =>
    `output ${output} failed: ${reasonOf(failure)}${again(retryInMs)}`,
  'output-rolled-back': ({ output, generation, held, failure }) =>
    `output ${output}: generation ${generation} published again, ${held} held back: ${reasonOf(failure)}`,
  'output-drifted': ({ output, failure, restoreInMs }) =>
    `output ${output} was changed by another process: ${reasonOf(failure)}${restored(restoreInMs)}`,
  'output-drift-over': ({ output }) => `output ${output} is again what was published`,
  'output-recovered': ({ output, generation, removed }) =>
    `output ${output}: ${count(removed, 'leftover')} of an earlier run removed, generation ${generation} kept`,
  'reload-planned': ({ output, inMs }) => `reload of ${output} waits for its turn, in ${formatDuration(inMs)}`,
  'reload-skipped': ({ output }) => `reload of ${output} not needed: nothing has read it yet`,
  'reload-step': ({ output, step, how, durationMs, failure }) =>
    `reload of ${output}, step ${step} (${how}): ${failure === undefined ? `done in ${formatDuration(durationMs)}` : reasonOf(failure)}`,
  'reload-output': ({ output, place }) => `reload of ${output}: ${place} failed and printed`,
  'reload-done': ({ output, durationMs }) => `reload of ${output} done in ${formatDuration(durationMs)}`,
  'reload-failed': ({ output, failure, retryInMs }) =>
    `reload of ${output} failed: ${reasonOf(failure)}${again(retryInMs)}`,
  'init-done': ({ published, unchanged, durationMs }) =>
    `done in ${formatDuration(durationMs)}: ${count(published, 'output')} published, ${unchanged} unchanged`,
  'child-started': ({ pid, why }) => `child started (pid ${pid}${why === 'first' ? '' : `, it ${why}`})`,
  'child-failed': ({ failure, retryInMs }) => `child cannot be started: ${reasonOf(failure)}${again(retryInMs)}`,
  'child-signalled': ({ signal }) => `${signal} passed on to the child`,
  'child-stopping': ({ signal }) => `child is asked to stop (${signal})`,
  'child-killed': ({ graceMs }) => `child killed, since it did not stop within ${formatDuration(graceMs)}`,
  'child-ended': ({ status, livedMs, retryInMs }) =>
    `child ended with status ${status} after ${formatDuration(livedMs)}${retryInMs === undefined ? '' : `, started again in ${formatDuration(retryInMs)}`}`,
  'listener-opened': ({ service, where }) => `${service} listens on ${where}`,
  'listener-closed': ({ service, where }) => `${service} no longer listens on ${where}`,
  'api-audit': FIELDS,
  'sds-sent': ({ names, secrets }) => `sent to Envoy: ${namesOf(names, secrets)}`,
  'sds-accepted': ({ names, secrets }) => `Envoy took up ${namesOf(names, secrets)}`,
  'sds-refused': ({ names, node, failure }) =>
    `Envoy${node === '' ? '' : ` ${node}`} refused ${names.join(', ')}: ${reasonOf(failure)}`,
  'sds-unknown': ({ name }) => `Envoy asked for ${name}, which sds does not have`,
  'sds-unusable': ({ name, failure }) => `${name} cannot be served to Envoy: ${reasonOf(failure)}`,
  'proxy-renew-failed': ({ call, failure, retryInMs }) =>
    `proxy: cannot renew ${call}: ${reasonOf(failure)}${again(retryInMs)}`,
  'relay-listening': ({ where }) => `listening on ${where} for agents`,
  'relay-live': ({ file }) => `${file} is read, and agents are told of its changes`,
  'relay-down': ({ failure }) => `agents are told of no changes: ${reasonOf(failure)}`,
  'injector-listening': ({ where }) => `the injector listens on ${where}`,
  'injector-certificate': () => 'the injector shows another certificate',
  'pod-injected': ({ namespace, pod, warnings }) =>
    [`pod ${pod} of ${namespace} gets the agent`, ...warnings].join('; '),
  'pod-denied': ({ namespace, pod, reason }) => `pod ${pod} of ${namespace} was denied: ${reason}`,
  'proxy-answered': ({ call, status, cache, durationMs }) =>
    `proxy: ${call}: ${status} (cache ${cache}) in ${formatDuration(durationMs)}`,
  'traces-sent': FIELDS,
  'logs-sent': FIELDS,
  'logs-dropped': ({ lines, failure }) => `${count(lines, 'log line')} not sent: ${reasonOf(failure)}`,
  'audit-lost': ({ lines, failure }) => `${count(lines, 'line')} of the audit lost: ${reasonOf(failure)}`,
  'traces-dropped': ({ spans, failure }) => `${count(spans, 'span')} of traces dropped: ${reasonOf(failure)}`,
};

/** What goes below the sentence: the hint of a failure, what a command printed, what became of each output. */
function belowOf(fact: Fact): readonly string[] {
  if (fact.kind === 'reload-output') return fact.lines;
  if (fact.kind === 'init-done') {
    const lines = fact.outputs.map(({ output, dir, files }) =>
      files === undefined ? `unchanged: ${dir ?? output}` : `${count(files, 'file')} published in ${dir ?? output}`,
    );
    const left = fact.published + fact.unchanged - lines.length;
    return left === 0 ? lines : [...lines, `and ${left} more`];
  }
  const failed = 'failure' in fact ? fact.failure : 'warning' in fact ? fact.warning : undefined;
  return failed === undefined || failed.hint === '' ? [] : [failed.hint];
}

function reasonOf({ code, place, seen, at }: Failure): string {
  return `${at === undefined ? '' : `${formatPosition(at)}: `}${place}: ${seen} (${code})`;
}

const again = (ms: number | undefined): string => (ms === undefined ? '' : `; tried again in ${formatDuration(ms)}`);

function restored(ms: number | undefined): string {
  if (ms === undefined) return '';
  return ms === 0 ? '; it is put right' : `; it is put right in ${formatDuration(ms)}`;
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;

const secretsOf = (names: readonly string[]): string =>
  `${names.length === 1 ? 'secret' : 'secrets'} ${names.slice(0, MAX_NAMES).join(', ')}${
    names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : ''
  }`;

/** Those of a fact that lists some of all. */
const namesOf = (names: readonly string[], all: number): string =>
  `${names.join(', ')}${all > names.length ? ` and ${all - names.length} more` : ''}`;

const MAX_NAMES = 5;

const STATES = {
  fresh: 'fresh again',
  stale: 'stale: what was fetched last stays in use',
  expired: 'expired: what was fetched last is past its end',
};

/** A name of the configuration. Secrets that a template or a client asks for have other ones. */
const CONFIGURED = /^[A-Za-z_][\w-]*$/;

/** `listening: service api, where unix:///run/x.sock`. */
function plain({ message, fields }: Line): string {
  const { fact: _fact, hint: _hint, ...rest } = fields;
  const parts = Object.entries(rest).map(([name, value]) => {
    return `${name} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`;
  });
  return parts.length === 0 ? message : `${message}: ${parts.join(', ')}`;
}
