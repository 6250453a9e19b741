/** Some reader misreads these in any quotes: NUL and CR; python-dotenv also `${…}`, `\\`, and `\` at the end. */
const NEVER = /[\0\r]|\$\{|\\\\|\\$/;
/** Not literal in double quotes: `"`, `$` and backticks for sh, and escapes that node, dotenv or Python would read. */
const NOT_IN_DOUBLE = /["$`]|\\[abfnrtv'\n]/;

/**
 * Quotes a text so that `sh`, Node, dotenv and python-dotenv read back the same text. Single quotes are literal for all
 * four, but cannot hold a `'`. Double quotes can, when nothing else in the text is special for any of the four. No
 * other form is safe in a file that a shell may source. Undefined when neither form holds the text.
 */
export function quoteDotenv(text: string): string | undefined {
  if (NEVER.test(text)) return undefined;
  if (!text.includes("'")) return `'${text}'`;
  return NOT_IN_DOUBLE.test(text) ? undefined : `"${text}"`;
}
