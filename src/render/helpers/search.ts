import { within } from '../../base/within.ts';
import { BadArgument } from './helper.ts';

/** Far more than any sensible pattern takes, also on a busy machine. */
const MAX_MS = 1_000;

/** A pattern with one choice at most, and a text this long: the search has an end soon enough by itself. */
const SHORT = 1_000;

/**
 * Searches by a regular expression of a template. Some patterns take years for some texts (`(a+)+b`), and the text may
 * be a value that somebody else chose, so a search that could is stopped after a second.
 * @throws BadArgument
 */
export function search<T>(pattern: RegExp, text: string, work: () => T): T {
  const choices = pattern.source.match(/[*+?{|]/g)?.length ?? 0;
  if (choices === 0 || (choices === 1 && text.length <= SHORT)) return work();
  const found = within(MAX_MS, work);
  if (found === undefined) throw new BadArgument('got a text for which its pattern takes too long');
  return found.value;
}
