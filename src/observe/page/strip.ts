import { type Html, html } from './html.ts';
import { HOUR_MS, type HourMark } from './output-hours.ts';
import type { Mark } from './parts.ts';

/** Where the mark of this moment begins, of the 100 of the line: there is room for its width. */
export const MARKS_WIDTH = 98.5;

/**
 * The last hour of an output as marks on a line: what was published is plain, taken up good, failed bad. The script of
 * the page moves the marks as time passes.
 */
export function strip(output: string, marks: readonly HourMark[], nowMs: number): Html {
  const counted = (tone: Mark) => marks.filter((mark) => mark.tone === tone).reduce((sum, { times }) => sum + times, 0);
  const label = `${output} in the last hour: ${counted('plain')} published, ${counted('good')} taken up, ${counted('bad')} failed`;
  const rect = ({ atMs, tone }: HourMark) => {
    const x = Math.round((1 - (nowMs - atMs) / HOUR_MS) * MARKS_WIDTH * 10) / 10;
    return html`<rect class="${tone}" data-at="${atMs}" x="${x}" y="${tone === 'plain' ? 0 : 5}" width="1.5" height="5"/>`;
  };
  return html`<svg class="strip" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="${label}"><rect class="whole" x="0" y="4.7" width="100" height="0.6"/>${marks.map(rect)}</svg>`;
}
