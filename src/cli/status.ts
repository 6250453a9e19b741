import { asFailure, formatFailure } from '../base/errors.ts';
import { readEnvironment } from '../config/environment.ts';
import type { Status } from '../deliver/api/status.ts';
import { type LocalPlace, nameOf } from '../http/local-api.ts';
import { advised, askAgent } from './agent-advice.ts';
import { refusedAnswer } from './agent-answer.ts';
import { type AgentOptions, findAgent } from './find-agent.ts';
import { print, printLines } from './print.ts';

export interface StatusCommandOptions extends AgentOptions {
  readonly json: boolean;
  readonly watch: boolean;
}

/** How often `--watch` asks the agent. */
const WATCH_MS = 1_000;

/**
 * `pannier status`: prints the state of a running agent as tables, or with `--json` as the document of `GET
 * /v1/status`. Returns 0 whatever the state is; an exit status that depends on it is what `probe` is for.
 *
 * With `--watch` it asks once a second until SIGINT or SIGTERM. A terminal gets a view that is painted in place, see
 * `watchStatus`; elsewhere, and on a terminal that cannot move its cursor, it prints again, with `--json` a line,
 * whenever a state has changed.
 */
export async function statusCommand({ json, watch, ...options }: StatusCommandOptions): Promise<number> {
  const where = await findAgent(options);
  const { shownStatus, statesOf } = await import('./status/shown-status.ts');
  if (!watch) {
    const { text, status } = await askStatus(where);
    await (json ? print(text) : printLines(shownStatus(status)));
    return 0;
  }
  const stop = stopped();
  if (process.stdout.isTTY === true && !json && readEnvironment()['TERM'] !== 'dumb') {
    const { watchStatus } = await import('./status/watch/watch-status.ts');
    const ask = async (signal: AbortSignal) => (await askStatus(where, signal)).status;
    await watchStatus({ ask, place: nameOf(where), stop, everyMs: WATCH_MS });
    return 0;
  }
  let before: string | undefined;
  while (!stop.aborted) {
    const shown = await askStatus(where, stop).then(
      ({ text, status }) => ({ text: json ? text : shownStatus(status), states: statesOf(status) }),
      (error: unknown) => {
        const text = `${formatFailure(asFailure(error, nameOf(where)))}\n`;
        return { text: json ? '' : text, states: text };
      },
    );
    if (stop.aborted) break;
    const isNews = shown.states !== before;
    const lines = before === undefined ? shown.text : `\n${shown.text}`;
    if (isNews && !(await (json ? print(shown.text) : printLines(lines)))) break;
    before = shown.states;
    await pause(WATCH_MS, stop);
  }
  return 0;
}

async function askStatus(where: LocalPlace, signal?: AbortSignal): Promise<{ text: string; status: Status }> {
  const answer = await askAgent(where, { path: '/v1/status', ...(signal === undefined ? {} : { signal }) });
  if (answer.status !== 200) throw advised(refusedAnswer(answer, where), where);
  const { readStatus } = await import('./status/read-status.ts');
  const text = answer.body.toString();
  return { text, status: readStatus(text, nameOf(where)) };
}

function stopped(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort());
  return stop.signal;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
