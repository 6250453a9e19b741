import { Html, html } from './html.ts';

/** How a state is marked: a sign and a colour beside the word that says it. */
export type Mark = 'good' | 'warn' | 'bad' | 'plain';

const SIGNS: Readonly<Record<Mark, string>> = { good: '✓', warn: '▲', bad: '✕', plain: '•' };

/** A state as a word with its mark. The sign is not read aloud: the word says it all. */
export function state(word: string, mark: Mark): Html {
  return html`<span class="state ${mark}"><span aria-hidden="true">${SIGNS[mark]}</span> ${word}</span>`;
}

/** A duration in its two largest units, as the script of the page writes it too. */
export function briefly(ms: number): string {
  const seconds = Math.floor(Math.abs(ms) / 1000);
  const [d, h, m, s] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
    seconds % 60,
  ];
  if (d > 0) return h > 0 && d < 10 ? `${d}d ${h}h` : `${d}d`;
  if (h > 0) return m > 0 ? `${h}h ${m}m` : `${h}h`;
  if (m > 0) return s > 0 && m < 10 ? `${m}m ${s}s` : `${m}m`;
  return `${s}s`;
}

/** An entity, since esbuild leaves what is not ASCII in a tagged template as it is, and scripts are read as Latin-1. */
export const DASH = html`&ndash;`;

/** A moment as the time that is left until it, or has passed since; the script keeps it true. A dash: there is none. */
export function moment(at: string | number | undefined, nowMs: number): Html {
  if (at === undefined) return DASH;
  const [ms, iso] = readMoment(at);
  const text = ms > nowMs ? `in ${briefly(ms - nowMs)}` : `${briefly(nowMs - ms)} ago`;
  return html`<time datetime="${iso}" title="${iso}" data-rel>${text}</time>`;
}

/** The moment when something is due: once it has come, the thing is being done, however long ago that was. */
export function due(at: string | undefined, nowMs: number): Html {
  if (at === undefined) return DASH;
  const [ms, iso] = readMoment(at);
  return html`<time datetime="${iso}" title="${iso}" data-rel="due">${ms > nowMs ? `in ${briefly(ms - nowMs)}` : 'now'}</time>`;
}

function readMoment(at: string | number): readonly [ms: number, iso: string] {
  const ms = typeof at === 'number' ? at : Date.parse(at);
  return [ms, new Date(ms).toISOString()];
}

export interface Bar {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly nowMs: number;
  /** What is marked on the bar: the renewals that were made, and the one that comes next. */
  readonly ticks?: readonly number[];
  readonly nextMs?: number | undefined;
  readonly mark: Mark;
  /** What the bar shows, for those who do not see it. */
  readonly label: string;
}

/** A life as a bar: what has passed is pale, what is left has the colour of the state. */
export function bar({ fromMs, untilMs, nowMs, ticks = [], nextMs, mark, label }: Bar): Html {
  const span = Math.max(1, untilMs - fromMs);
  const at = (ms: number) => Math.round(Math.min(1, Math.max(0, (ms - fromMs) / span)) * 1000) / 10;
  const now = at(nowMs);
  const isOn = (ms: number) => ms >= fromMs && ms <= untilMs;
  return html`<svg class="bar ${mark}" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="${label}" data-from="${fromMs}" data-until="${untilMs}"><rect class="whole" x="0" y="2" width="100" height="6"/><rect class="left" x="${now}" y="2" width="${Math.round((100 - now) * 10) / 10}" height="6"/>${ticks.filter(isOn).map((ms) => html`<rect class="tick" x="${at(ms)}" y="0" width="0.6" height="10"/>`)}${nextMs !== undefined && isOn(nextMs) ? html`<rect class="next" x="${at(nextMs)}" y="0" width="1.2" height="10"/>` : undefined}</svg>`;
}

export interface Table {
  readonly id: string;
  readonly title: string;
  /** What the table is about, below the title. */
  readonly note?: string;
  readonly heads: readonly string[];
  /** The first cell of a row is its head. */
  readonly rows: readonly (readonly (Html | string)[])[];
  /** How many rows were left out. */
  readonly more?: number;
}

/**
 * A section with a table; nothing when there are no rows, and no column that would be empty. On a narrow screen each
 * cell says what it is.
 */
export function table({ id, title, note, heads, rows, more = 0 }: Table): Html | undefined {
  if (rows.length === 0) return undefined;
  const isShown = heads.map((_, at) => at === 0 || rows.some((row) => !isEmpty(row[at])));
  const cells = ([first = '', ...rest]: readonly (Html | string)[]) =>
    html`<tr><th scope="row">${first}</th>${rest.map((cell, at) => (isShown[at + 1] ? html`<td data-head="${heads[at + 1]}">${cell}</td>` : undefined))}</tr>`;
  return html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>${note === undefined ? undefined : html`<p class="note">${note}</p>`}<table><thead><tr>${heads.map((head, at) => (isShown[at] ? html`<th scope="col">${head}</th>` : undefined))}</tr></thead><tbody>${rows.map(cells)}</tbody></table>${more > 0 ? html`<p class="note">and ${more} more, which need no attention before these</p>` : undefined}</section>`;
}

const isEmpty = (cell: Html | string | undefined): boolean => (cell instanceof Html ? cell.text : (cell ?? '')) === '';
