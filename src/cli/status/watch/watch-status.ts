import { asFailure, failure } from '../../../base/errors.ts';
import { readEnvironment } from '../../../config/environment.ts';
import type { FailureStatus, Status } from '../../../deliver/api/status.ts';
import { wantsColours } from '../../../log/terminal/pretty.ts';
import { listenToKeys } from './keys.ts';
import { Screen, type Terminal } from './screen.ts';
import { linesOf } from './view.ts';

export interface WatchOptions {
  /** Asks the agent once. */
  readonly ask: (signal: AbortSignal) => Promise<Status>;
  /** The agent's address, for errors. */
  readonly place: string;
  /** Aborts at SIGINT, SIGTERM and SIGHUP. */
  readonly stop: AbortSignal;
  readonly everyMs: number;
}

/** How long the view says that the agent was started again. */
const NOTE_MS = 30_000;

/** The view says that an answer is missing after so long, while the request goes on waiting for it. */
const LATE_MS = 3_000;

/**
 * `pannier status --watch` on a terminal: a view of the agent that is painted in place until `q`, Ctrl-C or a signal.
 * It goes on while the agent does not answer, with what is known, and says so.
 */
export async function watchStatus({ ask, place, stop, everyMs }: WatchOptions): Promise<void> {
  const env = readEnvironment();
  const terminal = standardOutput();
  using screen = new Screen(terminal, wantsColours(env));
  const isUnicode = /utf-?8/i.test(env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '');
  const quit = new AbortController();
  const over = AbortSignal.any([stop, quit.signal]);
  let status: Status | undefined;
  let answeredMs = performance.now();
  let silent: FailureStatus | undefined;
  let askedMs: number | undefined;
  let note: { readonly text: string; readonly untilMs: number } | undefined;

  const paint = () => {
    const now = performance.now();
    const aheadMs = now - answeredMs;
    const isLate = askedMs !== undefined && now - askedMs >= LATE_MS;
    const why =
      silent ?? (isLate ? failure('AGENT_SILENT', place, 'it takes the request and does not answer') : undefined);
    const nowMs = status === undefined ? Date.now() : Date.parse(status.now) + aheadMs;
    screen.show(
      linesOf({
        status,
        nowMs,
        ...(why === undefined ? {} : { silent: { why, sinceMs: nowMs - aheadMs } }),
        ...(note === undefined || note.untilMs < now ? {} : { note: note.text }),
        columns: terminal.columns,
        rows: terminal.rows,
        isUnicode,
      }),
    );
  };
  const resized = () => {
    screen.forget();
    paint();
  };

  screen.open();
  process.stdout.on('resize', resized);
  using _keys = listenToKeys({
    quit: () => quit.abort(),
    leave: () => screen.close(),
    back: () => {
      screen.open();
      paint();
    },
  });
  // A request may wait for long; meanwhile the view says what time it is, and since when there is no answer.
  const waiting = setInterval(() => void (askedMs !== undefined && paint()), everyMs);
  try {
    while (!over.aborted && terminal.isThere()) {
      try {
        const before = status?.bootId;
        askedMs = performance.now();
        status = await ask(over);
        answeredMs = performance.now();
        silent = undefined;
        if (before !== undefined && before !== status.bootId) {
          const text = `the agent was started again at ${status.startedAt.slice(11, 19)}Z`;
          note = { text, untilMs: answeredMs + NOTE_MS };
        }
      } catch (error) {
        if (!over.aborted) silent = asFailure(error, place);
      }
      askedMs = undefined;
      if (over.aborted) break;
      paint();
      await pause(everyMs, over);
    }
  } finally {
    clearInterval(waiting);
    process.stdout.off('resize', resized);
  }
}

/** The terminal that standard output is. A terminal that has gone away takes no more, which is no failure. */
function standardOutput(): Terminal & { isThere(): boolean } {
  let isThere = true;
  const { stdout } = process;
  stdout.on('error', () => {
    isThere = false;
  });
  return {
    get columns() {
      return stdout.columns || 80;
    },
    get rows() {
      return stdout.rows || 24;
    },
    write: (text) => void (isThere && stdout.write(text)),
    isThere: () => isThere,
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
