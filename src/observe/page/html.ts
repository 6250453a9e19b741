import { printable } from '../../base/printable.ts';

/** Text that is HTML: only `html` makes one, so that every other text is escaped on its way into a page. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = Html | string | number | undefined | readonly (Html | undefined)[];

/** HTML with the parts put in, escaped unless they are HTML themselves; undefined puts in nothing. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(texts.map((text, at) => text + (at < parts.length ? textOf(parts[at]) : '')).join(''));
}

function textOf(part: Part): string {
  if (part === undefined) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(textOf).join('');
  return escaped(String(part));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Characters that reverse the direction of writing could make a name look like another one, as in a terminal. */
const escaped = (text: string): string => printable(text).replace(/[&<>"']/g, (found) => ENTITIES[found] ?? '');
