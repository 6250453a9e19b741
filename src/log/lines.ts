import { type Failure, formatPosition } from '../base/errors.ts';
import type { Fact } from '../base/fact.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';

/** One log line: a constant message, and fields under the names of docs/agent.md. */
export interface Line {
  readonly level: Level;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Level and constant message of each fact, as one text: the bytecode of pairs would be twice as large. */
const LINES: { readonly [K in Fact['kind']]: `${Level} ${string}` } = {
  'agent-started': 'info started',
  'agent-stopping': 'info stopping',
  'agent-warning': 'warn warning',
  'task-crashed': 'error a task failed and was started again',
  'log-level-changed': 'info the log has another level',
  'clock-jumped': 'warn the clock jumped',
  'init-done': 'info done',
  'config-applied': 'info configuration taken',
  'config-rejected': 'error configuration refused, the running one stays',
  'login-made': 'info logged in',
  'login-resumed': 'info login of an earlier process taken up',
  'login-inline': 'info inline auth',
  'login-failed': 'warn login failed',
  'login-renewed': 'debug login renewed',
  'login-renew-failed': 'warn login renewal failed',
  'login-replaced': 'info login replaced',
  'login-revoked': 'info login revoked',
  'backend-answered': 'debug backend answered',
  'backend-failed': 'debug backend request failed',
  'backend-circuit': 'info circuit breaker of the backend changed',
  'feed-up': 'info changes are told',
  'feed-down': 'warn changes are not told',
  'secret-changed': 'info secret changed',
  'secret-kept': 'info secret kept from before',
  'secret-unchanged': 'debug secret unchanged',
  'secret-revoked': 'info old value revoked',
  'secret-renewed': 'debug lease renewed',
  'secret-failed': 'warn secret failed',
  'secret-absent': 'info secret is not there',
  'secret-state': 'warn secret changed state',
  'secret-dropped': 'info secret dropped',
  'output-waiting': 'info output waits',
  'output-rendered': 'debug output rendered',
  'output-checked': 'debug candidate checked',
  'output-published': 'info output published',
  'output-unchanged': 'debug output unchanged',
  'output-failed': 'error output failed',
  'output-rolled-back': 'error output rolled back',
  'output-drifted': 'warn published files were changed',
  'output-drift-over': 'info published files are right again',
  'output-recovered': 'info output recovered',
  'reload-planned': 'info reload waits for its turn',
  'reload-skipped': 'info reload not needed',
  'reload-step': 'debug reload step ended',
  'reload-output': 'warn a reload command failed and printed',
  'reload-done': 'info reload done',
  'reload-failed': 'error reload failed',
  'child-started': 'info child started',
  'child-failed': 'error child cannot be started',
  'child-signalled': 'debug signal passed on to the child',
  'child-stopping': 'info child is asked to stop',
  'child-killed': 'warn child killed',
  'child-ended': 'info child ended',
  'listener-opened': 'info listening',
  'listener-closed': 'info no longer listening',
  'api-audit': 'info API',
  'sds-sent': 'debug secrets sent to Envoy',
  'sds-accepted': 'debug Envoy took secrets up',
  'sds-refused': 'error Envoy refused a secret',
  'sds-unknown': 'warn Envoy asked for a name that is not in sds',
  'sds-unusable': 'error a secret cannot be served to Envoy',
  'proxy-renew-failed': 'warn lease of the proxy not renewed',
  'proxy-answered': 'debug proxy answered',
  'traces-sent': 'debug traces sent',
  'traces-dropped': 'warn traces dropped',
  'logs-sent': 'debug log lines sent',
  'logs-dropped': 'warn log lines dropped',
  'audit-lost': 'warn lines of the audit lost',
  'relay-listening': 'info the relay listens',
  'relay-live': 'info the audit log is read',
  'relay-down': 'warn the audit log tells of no changes',
  'injector-listening': 'info the injector listens',
  'injector-certificate': 'info the injector has another certificate',
  'pod-injected': 'info pod injected',
  'pod-denied': 'warn pod denied',
};

/** The level of a fact's line. */
export function levelOf(fact: Fact): Level {
  if ('again' in fact && fact.again) return 'debug';
  if (fact.kind === 'login-revoked' && fact.failure !== undefined) return 'warn';
  const isRelief = fact.kind === 'secret-state' && fact.state === 'fresh';
  return isRelief ? 'info' : levelAndMessage(fact)[0];
}

function levelAndMessage({ kind }: Fact): readonly [Level, string] {
  const line = LINES[kind];
  const space = line.indexOf(' ');
  return [line.slice(0, space) as Level, line.slice(space + 1)];
}

/**
 * A fact as a log line. Redaction is by construction: a fact holds no Secret, failures speak in our own words, and
 * only the members of the fact are taken. `fact` repeats the kind, so that machines need no messages.
 */
export function lineOf(fact: Fact): Line {
  const isLeft = fact.kind === 'login-revoked' && fact.failure !== undefined;
  const message = isLeft ? 'login not revoked' : levelAndMessage(fact)[1];
  const { kind, ...rest } = fact;
  const fields: Record<string, unknown> = { fact: kind };
  for (const [name, value] of Object.entries(rest)) {
    if (name === 'failure' || name === 'warning') Object.assign(fields, failureFields(value as Failure));
    // A life without an end has no length: a text in a field of numbers would break indexes.
    else if (value !== undefined && value !== 'forever')
      fields[name] = typeof value === 'number' ? Math.round(value) : value;
  }
  return { level: levelOf(fact), message, fields };
}

function failureFields({ code, place, seen, hint, at }: Failure): Record<string, unknown> {
  return { code, place, seen, hint, ...(at === undefined ? {} : { at: formatPosition(at) }) };
}
