import { type Failure, formatPosition } from '../base/errors.ts';
import type { Fact } from '../base/fact.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';

/** One log line: a constant message, and fields under the names of docs/agent.md. */
export interface Line {
  readonly level: Level;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

type Messages = { readonly [K in Fact['kind']]?: string };

/** The constant message of each fact, by level: a level beside each message would be read at each start. */
const LINES = {
  debug: {
    'login-renewed': 'login renewed',
    'backend-answered': 'backend answered',
    'backend-failed': 'backend request failed',
    'secret-unchanged': 'secret unchanged',
    'secret-renewed': 'lease renewed',
    'output-rendered': 'output rendered',
    'output-checked': 'candidate checked',
    'output-unchanged': 'output unchanged',
    'reload-step': 'reload step ended',
    'child-signalled': 'signal passed on to the child',
    'sds-sent': 'secrets sent to Envoy',
    'sds-accepted': 'Envoy took secrets up',
    'proxy-answered': 'proxy answered',
    'traces-sent': 'traces sent',
    'logs-sent': 'log lines sent',
  },
  info: {
    'agent-started': 'started',
    'agent-stopping': 'stopping',
    'log-level-changed': 'the log has another level',
    'init-done': 'done',
    'config-applied': 'configuration taken',
    'login-made': 'logged in',
    'login-resumed': 'login of an earlier process taken up',
    'login-inline': 'inline auth',
    'login-replaced': 'login replaced',
    'login-revoked': 'login revoked',
    'backend-circuit': 'circuit breaker of the backend changed',
    'feed-up': 'changes are told',
    'secret-changed': 'secret changed',
    'secret-kept': 'secret kept from before',
    'secret-revoked': 'old value revoked',
    'secret-absent': 'secret is not there',
    'secret-dropped': 'secret dropped',
    'output-waiting': 'output waits',
    'output-published': 'output published',
    'output-drift-over': 'published files are right again',
    'output-recovered': 'output recovered',
    'reload-planned': 'reload waits for its turn',
    'reload-skipped': 'reload not needed',
    'reload-done': 'reload done',
    'child-started': 'child started',
    'child-stopping': 'child is asked to stop',
    'child-ended': 'child ended',
    'listener-opened': 'listening',
    'listener-closed': 'no longer listening',
    'api-audit': 'API',
    'relay-listening': 'the relay listens',
    'relay-live': 'the audit log is read',
    'injector-listening': 'the injector listens',
    'injector-certificate': 'the injector has another certificate',
    'pod-injected': 'pod injected',
  },
  warn: {
    'agent-warning': 'warning',
    'clock-jumped': 'the clock jumped',
    'login-failed': 'login failed',
    'login-renew-failed': 'login renewal failed',
    'feed-down': 'changes are not told',
    'secret-failed': 'secret failed',
    'secret-state': 'secret changed state',
    'output-drifted': 'published files were changed',
    'reload-output': 'a reload command failed and printed',
    'child-killed': 'child killed',
    'sds-unknown': 'Envoy asked for a name that is not in sds',
    'proxy-renew-failed': 'lease of the proxy not renewed',
    'traces-dropped': 'traces dropped',
    'logs-dropped': 'log lines dropped',
    'audit-lost': 'lines of the audit lost',
    'relay-down': 'the audit log tells of no changes',
    'pod-denied': 'pod denied',
  },
  error: {
    'task-crashed': 'a task failed and was started again',
    'config-rejected': 'configuration refused, the running one stays',
    'output-failed': 'output failed',
    'output-rolled-back': 'output rolled back',
    'reload-failed': 'reload failed',
    'child-failed': 'child cannot be started',
    'sds-refused': 'Envoy refused a secret',
    'sds-unusable': 'a secret cannot be served to Envoy',
  },
} as const satisfies Readonly<Record<Level, Messages>>;

/** A fact without a message does not compile. */
type Told = { [L in Level]: keyof (typeof LINES)[L] }[Level];

/** The level of a fact's line. */
export function levelOf(fact: Fact): Level {
  if ('again' in fact && fact.again) return 'debug';
  if (fact.kind === 'login-revoked' && fact.failure !== undefined) return 'warn';
  const isRelief = fact.kind === 'secret-state' && fact.state === 'fresh';
  return isRelief ? 'info' : groupOf(fact);
}

function groupOf({ kind }: Fact): Level {
  if (kind in LINES.debug) return 'debug';
  if (kind in LINES.info) return 'info';
  return kind in LINES.warn ? 'warn' : 'error';
}

/**
 * A fact as a log line. Redaction is by construction: a fact holds no Secret, failures speak in our own words, and
 * only the members of the fact are taken. `fact` repeats the kind, so that machines need no messages.
 */
export function lineOf(fact: Fact): Line {
  const isLeft = fact.kind === 'login-revoked' && fact.failure !== undefined;
  const { kind, ...rest } = fact;
  const messages: Messages = LINES[groupOf(fact)];
  const message = isLeft ? 'login not revoked' : (messages[kind satisfies Told] ?? '');
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
