import type { Emit } from '../base/fact.ts';
import type { SupervisedChild } from '../process/supervised-child.ts';
import { endListeningEarly, endProcess, hurry } from './end-process.ts';
import { endInTime, exitStatusOf } from './stop-signals.ts';

/**
 * The signals that Node can listen for and that mean something to applications. `exec` itself has no use for SIGHUP.
 */
const FORWARDED: readonly NodeJS.Signals[] = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGWINCH',
  'SIGCONT',
];

/** The signals that end `exec` too: it waits for the child, and kills it after `exec.grace`. */
const STOPS: ReadonlySet<string> = new Set(['SIGTERM', 'SIGINT', 'SIGQUIT']);

/**
 * The signals that a terminal sends to its whole foreground group. The child gets them from the terminal and decides
 * what they mean, so they are not passed on.
 */
const BY_TERMINAL: ReadonlySet<string> = new Set(['SIGINT', 'SIGQUIT', 'SIGWINCH', 'SIGCONT']);

export interface ForwardedSignals extends Disposable {
  /** Aborts when a signal stops `exec` before a child was started. */
  readonly stop: AbortSignal;
  /** Acts as if the signal had come. */
  receive(signal: NodeJS.Signals): void;
  /** The child has ended with this status: from now on the second signal that stops `exec` ends it at once. */
  childEnded(status: number): void;
  /** The last signal that stopped `exec`; undefined when none did so far. */
  received(): NodeJS.Signals | undefined;
}

/**
 * Passes the signals that `exec` gets on to the child and its whole process group. SIGTERM, SIGINT and SIGQUIT also end
 * `exec`: together with the child when one was started, otherwise at once. When the child has ended and its credentials
 * are being revoked, a second one ends `exec` at once.
 *
 * On a terminal child and agent share the foreground group. There the child alone decides about Ctrl-C, since it may be
 * a shell or `psql`. Without a child Ctrl-C ends `exec`, and so does a terminal that hangs up.
 */
export function forwardSignals(
  child: SupervisedChild,
  { onTerminal, emit }: { readonly onTerminal: boolean; readonly emit: Emit },
): ForwardedSignals {
  endListeningEarly();
  const abort = new AbortController();
  let received: NodeJS.Signals | undefined;
  let childStatus: number | undefined;
  const receive = (signal: NodeJS.Signals) => {
    if (onTerminal && child.isRunning && BY_TERMINAL.has(signal)) return;
    const stops = STOPS.has(signal) || (onTerminal && signal === 'SIGHUP' && !child.isStarted);
    if (!stops) return child.forward(signal);
    if (childStatus !== undefined && received !== undefined) return void endProcess(childStatus);
    if (received === undefined) emit({ kind: 'agent-stopping', reason: signal });
    received = signal;
    hurry();
    if (child.isStarted) child.stop(signal);
    else {
      abort.abort();
      endInTime(exitStatusOf(signal));
    }
  };
  for (const signal of FORWARDED) process.on(signal, receive);
  return {
    stop: abort.signal,
    receive,
    childEnded: (status) => {
      childStatus = status;
    },
    received: () => received,
    [Symbol.dispose]: () => {
      for (const signal of FORWARDED) process.off(signal, receive);
    },
  };
}
