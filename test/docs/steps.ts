/**
 * The blocks of a page that are run or compared:
 *
 * - Each `sh` block is run. When a `text` block is next on the page, it is what the terminal shows; otherwise every
 *   command of the block must succeed.
 * - A block below a sentence that ends with "as `NAME`:" is written to that file.
 * - Blocks below a comment `<!-- not run: REASON -->` are left out.
 */

/** A fenced block that the page wants run, written to a file, or compared. */
export interface Step {
  readonly kind: 'run' | 'file' | 'shown' | 'other';
  readonly text: string;
  /** Where the text of the block begins on the page. */
  readonly index: number;
  readonly language: string;
  readonly heading: string;
  /** Of a `file`: its name. Of a block that is `other`: why it is not run. */
  readonly note?: string | undefined;
}

const FENCE = /(?<before>[^\n]*\n\n|^|\n)(?<open>( *)```(\w*)[^\n]*\n)(?<text>.*?)^ *```$/gms;

/** The blocks of a page, in order. */
export function stepsOf(page: string): readonly Step[] {
  let ran = false;
  return [...page.matchAll(FENCE)].map((match): Step => {
    const { before = '', open = '', text = '' } = match.groups ?? {};
    const language = /```(\w*)/.exec(open)?.[1] ?? '';
    const indent = /^ */.exec(open)?.[0] ?? '';
    const index = match.index + before.length + open.length;
    const heading = [...page.slice(0, index).matchAll(/^#+ (.*)$/gm)].at(-1)?.[1] ?? '';
    const step = { text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''), index, language, heading };
    const above = `${page.slice(0, match.index)}${before}`.trimEnd();
    const reason = /<!-- not run: ([^>]*?) -->$/.exec(above)?.[1];
    const file = /\bas\s+`([\w./-]+)`[^`\n]*:$/.exec(above)?.[1];
    const wasRun = ran;
    ran = language === 'sh' && reason === undefined;
    if (ran) return { ...step, kind: 'run' };
    if (reason !== undefined) return { ...step, kind: 'other', note: reason };
    if (file !== undefined) return { ...step, kind: 'file', note: file };
    return { ...step, kind: language === 'text' && wasRun ? 'shown' : 'other' };
  });
}

/** A line of the log, and the hint below it: as JSON, or as a terminal shows it. */
const ENTRY = /^(?:\{"level"|\[?\d\d:\d\d:\d\d\b).*\n(?: {9}.*\n)*/gm;
const LOG = new RegExp(`(?:${ENTRY.source}){2,}`, 'gm');

/** Parts of the agent log at the same time, so the order of their lines is not compared. */
const byFact = (one: string, other: string): number => (withoutTime(one) < withoutTime(other) ? -1 : 1);
const withoutTime = (line: string): string => line.replace(/^\[?[\d:.]+\]?|"time":"[^"]*"/, '');

/** The text without what is another at each run: times, ids, and the widths of columns that follow from them. */
export const stable = (text: string): string =>
  text
    .replaceAll(LOG, (entries) =>
      [...entries.matchAll(ENTRY)]
        .map(([entry]) => entry)
        .sort(byFact)
        .join(''),
    )
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?/g, 'TIME')
    .replaceAll(/\b\d\d:\d\d:\d\d(\.\d+)?\b/g, 'TIME')
    .replaceAll(/\b(\d+(\.\d+)?(ms|s|m|h|d) ?)+\b/g, 'DURATION')
    .replaceAll(/"(time|durationMs|lifeMs|ttlMs|retryInMs|pid)":\d+/g, '"$1":N')
    .replaceAll(/\b[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}\b/g, 'UUID')
    .replaceAll(/\b[\da-z]{12,20}-\d+\b/g, 'ETAG')
    .replaceAll(/\b(Age: |ageSeconds":)\d+/g, '$1N')
    .replaceAll(/"(sources|configuration)":"[\da-f]{16}"/g, '"$1":"HASH"') // of the address of the server too
    .replaceAll(/\b(pid|process) \d+\b/g, '$1 N')
    .replaceAll(/\b(pannier|version) \d+\.\d+\.\d+\b/g, '$1 VERSION')
    .replaceAll(/(?<= )(-|over)(?= )/g, 'DURATION') // a column without one, for the moment
    .replaceAll(/[ \t]+/g, ' ')
    .replaceAll(/ $/gm, '');

/** What the page says that its `sh` blocks show, by the number of the block. */
export function samplesOf(page: string): ReadonlyMap<number, string> {
  const samples = new Map<number, string>();
  let block = -1;
  for (const { kind, text } of stepsOf(page)) {
    if (kind === 'run') block++;
    if (kind === 'shown') samples.set(block, text);
  }
  return samples;
}

/** The page with its `text` blocks made of what was shown; those that differ in volatile parts only stay. */
export function withSamples(page: string, shown: readonly string[]): string {
  let block = -1;
  let text = page;
  let moved = 0;
  for (const { kind, text: old, index } of stepsOf(page)) {
    if (kind === 'run') block++;
    const now = shown[block];
    if (kind !== 'shown' || now === undefined || stable(now) === stable(old)) continue;
    text = `${text.slice(0, index + moved)}${now}${text.slice(index + moved + old.length)}`;
    moved += now.length - old.length;
  }
  return text;
}
