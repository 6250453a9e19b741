import { formatDuration } from '../../base/duration.ts';
import type { Failure } from '../../base/errors.ts';
import type { Fact } from '../../base/fact.ts';
import { type HourMark, OutputHours } from './output-hours.ts';

/** How an event is shown; words say it too. */
export type Tone = 'good' | 'bad' | 'warn' | 'plain';

/** One thing that happened, as the status page tells it. */
export interface RecentEvent {
  /** The last time that it happened. */
  readonly atMs: number;
  /** How often it happened one after the other. */
  readonly times: number;
  readonly tone: Tone;
  /** What it happened to: `output shop`, `secret db`, `login of bao`. */
  readonly subject: string;
  readonly text: string;
  /** What to do next. */
  readonly hint?: string;
  /** The output that it happened to. */
  readonly output?: string;
}

type Told = Omit<RecentEvent, 'atMs' | 'times'>;

/** Events of outputs, and events of everything else: each has so many places, so that neither pushes the other out. */
const MAX_EVENTS = 100;

/** Secrets whose renewals are remembered, and how many of each. */
const MAX_RENEWED = 500;
const MAX_RENEWALS = 20;

/**
 * What happened lately, made of facts. Memory is bounded whatever happens: the newest events stay, and an event that
 * happens again right after itself is counted.
 */
export class RecentEvents {
  readonly #wallMs: () => number;
  readonly #isConfigured: (secret: string) => boolean;
  readonly #outputs: RecentEvent[] = [];
  readonly #others: RecentEvent[] = [];
  readonly #renewals = new Map<string, number[]>();
  readonly #hours: OutputHours;

  /** @param isConfigured whether a secret has a name of the configuration: other names hold paths and are not shown. */
  constructor(wallMs: () => number, isConfigured: (secret: string) => boolean) {
    this.#wallMs = wallMs;
    this.#isConfigured = isConfigured;
    this.#hours = new OutputHours(wallMs);
  }

  notice(fact: Fact): void {
    this.#hours.notice(fact);
    if (fact.kind === 'secret-renewed') this.#noteRenewal(fact.secrets);
    if (fact.kind === 'secret-changed') for (const name of fact.secrets) this.#renewals.delete(name);
    const told = this.#told(fact);
    if (told === undefined) return;
    const events = told.output === undefined ? this.#others : this.#outputs;
    const last = events.at(-1);
    const isAgain = last !== undefined && last.subject === told.subject && last.text === told.text;
    if (isAgain) events.pop();
    else if (events.length >= MAX_EVENTS) events.shift();
    events.push({ ...told, atMs: this.#wallMs(), times: isAgain ? last.times + 1 : 1 });
  }

  /** All events, the newest first. */
  list(): readonly RecentEvent[] {
    return [...this.#outputs, ...this.#others].sort((a, b) => b.atMs - a.atMs);
  }

  /** When the lease of a secret was renewed, since its value changed. */
  renewalsOf(secret: string): readonly number[] {
    return this.#renewals.get(secret) ?? [];
  }

  /** What happened to an output in the last hour, the oldest first, whatever happened to the others. */
  hourOf(output: string): readonly HourMark[] {
    return this.#hours.of(output);
  }

  #noteRenewal(secrets: readonly string[]): void {
    for (const name of secrets) {
      const times = this.#renewals.get(name) ?? [];
      if (times.length === 0 && this.#renewals.size >= MAX_RENEWED) continue;
      times.push(this.#wallMs());
      if (times.length > MAX_RENEWALS) times.shift();
      this.#renewals.set(name, times);
    }
  }

  #told(fact: Fact): Told | undefined {
    if ('output' in fact && fact.kind !== 'api-audit') return tellOutput(fact);
    if ('secrets' in fact && Array.isArray(fact.secrets)) return tellSecrets(fact, this.#namesOf(fact.secrets));
    return tellOther(fact);
  }

  #namesOf(secrets: readonly string[]): string {
    const names = secrets.filter((name) => this.#isConfigured(name));
    const hidden = secrets.length - names.length;
    const shown = names.slice(0, MAX_NAMES);
    const rest = names.length - shown.length;
    const more = [rest === 0 ? [] : `${rest} more`, hidden === 0 ? [] : `${hidden} computed`].flat();
    return `${secrets.length === 1 ? 'secret' : 'secrets'} ${[...shown, ...more].join(', ')}`;
  }
}

const MAX_NAMES = 3;

function tellOutput(fact: Extract<Fact, { readonly output?: string }>): Told | undefined {
  const output = fact.output ?? '';
  const subject = `output ${output}`;
  const good = (text: string): Told => ({ tone: 'good', subject, text, output });
  const bad = (text: string, failure: Failure): Told => ({ ...failed(subject, text, failure), output });
  switch (fact.kind) {
    case 'output-published':
      return { ...good(`generation ${fact.generation} published`), tone: 'plain' };
    case 'output-rolled-back':
      return bad(`generation ${fact.held} held back, ${fact.generation} published again`, fact.failure);
    case 'output-failed':
      return bad('not rendered or published', fact.failure);
    case 'output-drifted':
      return bad('changed on disk by another process', fact.failure);
    case 'output-drift-over':
      return { ...good('on disk again as it was published'), tone: 'plain' };
    case 'reload-done':
      return good(`generation ${fact.generation} taken up${took(fact.durationMs)}`);
    case 'reload-failed':
      return bad(`reload for generation ${fact.generation} failed`, fact.failure);
    default:
      return undefined;
  }
}

function tellSecrets(fact: Fact, subject: string): Told | undefined {
  switch (fact.kind) {
    case 'secret-revoked':
      return { tone: 'plain', subject, text: 'replaced value revoked' };
    case 'secret-changed':
      return { tone: 'good', subject, text: fact.first ? 'fetched' : 'changed' };
    case 'secret-kept':
      return { tone: 'plain', subject, text: `kept from before the start, ${formatDuration(fact.ageMs)} old` };
    case 'secret-renewed':
      return { tone: 'good', subject, text: 'lease renewed' };
    case 'secret-failed':
      return failed(subject, fact.doing === 'renew' ? 'lease not renewed' : 'not fetched', fact.failure);
    case 'secret-state':
      return {
        tone: fact.state === 'fresh' ? 'good' : fact.state === 'stale' ? 'warn' : 'bad',
        subject,
        text: fact.state,
      };
    default:
      return undefined;
  }
}

function tellOther(fact: Fact): Told | undefined {
  const login = 'backend' in fact ? `login of ${fact.backend}` : '';
  switch (fact.kind) {
    case 'login-made':
      return { tone: 'good', subject: login, text: `made by ${fact.method}` };
    case 'login-resumed':
      return { tone: 'good', subject: login, text: 'taken up from an earlier process' };
    case 'login-renewed':
      return { tone: 'good', subject: login, text: 'renewed' };
    case 'login-replaced':
      return { tone: 'plain', subject: login, text: `replaced (${fact.reason})` };
    case 'login-failed':
      return failed(login, 'not made', fact.failure);
    case 'login-renew-failed':
      return failed(login, 'not renewed', fact.failure);
    case 'feed-up':
      return { tone: 'good', subject: `backend ${fact.backend}`, text: 'tells of changes' };
    case 'feed-down':
      return failed(`backend ${fact.backend}`, 'does not tell of changes', fact.failure);
    case 'backend-circuit': {
      const subject = `backend ${fact.backend}`;
      if (fact.state === 'closed') return { tone: 'good', subject, text: 'answers again' };
      const { failure } = fact;
      return failure === undefined
        ? { tone: 'bad', subject, text: 'is given a pause' }
        : failed(subject, 'is given a pause', failure);
    }
    case 'config-applied':
      return { tone: 'good', subject: 'configuration', text: 'taken' };
    case 'config-rejected':
      return failed('configuration', 'refused, the running one stays', fact.failure);
    case 'agent-warning':
      return { ...failed('agent', 'warning', fact.warning), tone: 'warn' };
    case 'task-crashed':
      return failed('agent', `${fact.task} was started again`, fact.failure);
    case 'clock-jumped':
      return { tone: 'warn', subject: 'agent', text: `the clock jumped by ${Math.round(fact.byMs / 1000)}s` };
    case 'child-started':
      return { tone: 'good', subject: 'child', text: fact.why === 'first' ? 'started' : `started again (${fact.why})` };
    case 'child-ended':
      return { tone: fact.status === 0 ? 'plain' : 'warn', subject: 'child', text: `ended with status ${fact.status}` };
    case 'child-failed':
      return failed('child', 'cannot be started', fact.failure);
    case 'child-killed':
      return { tone: 'warn', subject: 'child', text: 'killed, since it did not stop in time' };
    default:
      return undefined;
  }
}

function failed(subject: string, what: string, { seen, code, hint }: Failure): Told {
  return { tone: 'bad', subject, text: `${what}: ${seen} (${code})`, hint };
}

const took = (ms: number): string => ` in ${formatDuration(Math.round(ms))}`;
