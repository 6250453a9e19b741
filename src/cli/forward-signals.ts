import type { Emit } from '../base/fact.ts';
import type { SupervisedChild } from '../process/supervised-child.ts';
import { endListeningEarly, hurry } from './end-process.ts';
import { endInTime, exitStatusOf } from './stop-signals.ts';

/** What Node can listen for and an application may mean something by; SIGHUP is one of them, and nothing to us. */
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

/** These end us: the child is waited for, and killed after its grace. */
const STOPS: ReadonlySet<string> = new Set(['SIGTERM', 'SIGINT', 'SIGQUIT']);

/**
 * The terminal sends these to its whole foreground group, the child included: once is enough, and it is the child's
 * affair.
 */
const BY_TERMINAL: ReadonlySet<string> = new Set(['SIGINT', 'SIGQUIT', 'SIGWINCH', 'SIGCONT']);

export interface ForwardedSignals extends Disposable {
  /** Aborts when we are to stop and there is no child. */
  readonly stop: AbortSignal;
  /** As if the signal had come. */
  ask(signal: NodeJS.Signals): void;
  /** The one that stopped us before there was a child. */
  received(): NodeJS.Signals | undefined;
}

/**
 * Passes the signals that we get on to the child and all of its group. SIGTERM, SIGINT and SIGQUIT also end us: with
 * the child when there is one, at once before.
 *
 * On a terminal child and agent share the foreground group. There Ctrl-C is the child's affair, as it may be a shell or
 * `psql`; without a child it ends us, and so does a terminal that hangs up.
 */
export function forwardSignals(
  child: SupervisedChild,
  { onTerminal, emit }: { readonly onTerminal: boolean; readonly emit: Emit },
): ForwardedSignals {
  endListeningEarly();
  const abort = new AbortController();
  let received: NodeJS.Signals | undefined;
  const ask = (signal: NodeJS.Signals) => {
    if (onTerminal && child.isRunning && BY_TERMINAL.has(signal)) return;
    const stops = STOPS.has(signal) || (onTerminal && signal === 'SIGHUP' && !child.isStarted);
    if (!stops) return child.forward(signal);
    if (received === undefined) emit({ kind: 'agent-stopping', reason: signal });
    received = signal;
    hurry();
    if (child.isStarted) child.stop(signal);
    else {
      abort.abort();
      endInTime(exitStatusOf(signal));
    }
  };
  for (const signal of FORWARDED) process.on(signal, ask);
  return {
    stop: abort.signal,
    ask,
    received: () => received,
    [Symbol.dispose]: () => {
      for (const signal of FORWARDED) process.off(signal, ask);
    },
  };
}
