import type { Fact } from '../../base/fact.ts';

export const HOUR_MS = 3_600_000;

/** What happened to an output at a moment; the same in one minute is one mark: the line has no room for more. */
export interface HourMark {
  /** The last time that it happened. */
  readonly atMs: number;
  readonly times: number;
  /** Plain: a generation was published; good: it was taken up; bad: one of both failed. */
  readonly tone: 'plain' | 'good' | 'bad';
}

const TONES: Partial<Readonly<Record<Fact['kind'], HourMark['tone']>>> = {
  'output-published': 'plain',
  'output-rolled-back': 'bad',
  'output-failed': 'bad',
  'reload-done': 'good',
  'reload-failed': 'bad',
};

const MINUTE_MS = 60_000;

/**
 * The last hour of each output. Outputs have places of their own, so that however many there are, none pushes out what
 * happened to another one: memory is bounded by three marks a minute for each.
 */
export class OutputHours {
  readonly #wallMs: () => number;
  readonly #marks = new Map<string, HourMark[]>();

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs;
  }

  notice(fact: Fact): void {
    if (fact.kind === 'config-applied') this.#forgetTheQuiet();
    const tone = TONES[fact.kind];
    if (tone === undefined || !('output' in fact) || fact.output === undefined) return;
    const atMs = this.#wallMs();
    const marks = this.#lately(fact.output);
    const at = marks.findLastIndex((mark) => mark.tone === tone);
    const last = marks[at];
    const isSame = last !== undefined && Math.floor(last.atMs / MINUTE_MS) === Math.floor(atMs / MINUTE_MS);
    if (isSame) marks.splice(at, 1);
    marks.push({ atMs, tone, times: isSame ? last.times + 1 : 1 });
    this.#marks.set(fact.output, marks);
  }

  /** The marks of an output, the oldest first. */
  of(output: string): readonly HourMark[] {
    return this.#lately(output);
  }

  #lately(output: string): HourMark[] {
    const sinceMs = this.#wallMs() - HOUR_MS;
    return (this.#marks.get(output) ?? []).filter(({ atMs }) => atMs > sinceMs);
  }

  /** Outputs that the configuration no longer has would stay for ever. */
  #forgetTheQuiet(): void {
    for (const output of [...this.#marks.keys()]) {
      if (this.#lately(output).length === 0) this.#marks.delete(output);
    }
  }
}
