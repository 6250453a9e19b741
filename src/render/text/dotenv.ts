import { isDroppedBySystemd } from './systemd.ts';

/** Some reader misreads these in any quotes: NUL and CR; python-dotenv also `${…}`, `\\`, and `\` at the end. */
const NEVER = /[\0\r]|\$\{|\\\\|\\$/;
/** Not literal in double quotes: `"`, `$` and backticks for sh, and what node, dotenv, Python or Go read as escapes. */
const NOT_IN_DOUBLE = /["$`]|\\[abcfnrtv'0\n]/;

/**
 * Quotes a text so that `sh`, Node, dotenv, python-dotenv, Docker Compose and systemd read back the same text. Single
 * quotes are literal for all of them, but cannot hold a `'`. Double quotes can, when nothing else in the text is
 * special for any of them. No other form is safe in a file that a shell may source. Undefined when neither form holds
 * the text.
 */
export function quoteDotenv(text: string): string | undefined {
  if (NEVER.test(text) || isDroppedBySystemd(text)) return undefined;
  if (!text.includes("'")) return `'${text}'`;
  return NOT_IN_DOUBLE.test(text) ? undefined : `"${text}"`;
}
