/** Read differently by someone whatever the quotes: NUL and CR, `${…}` and `\\` and a last `\` (python-dotenv). */
const NEVER = /[\0\r]|\$\{|\\\\|\\$/;
/** Not the same between double quotes: what sh expands or ends at, and a `\` that node, dotenv or Python would read. */
const NOT_IN_DOUBLE = /["$`]|\\[abfnrtv'\n]/;

/**
 * A quoting that `sh`, Node, dotenv and python-dotenv read back as the same text. There is at most one: single quotes
 * are literal for all four but have no escape; double quotes carry a `'` when nothing in them is special for anyone.
 * No other form is safe in a file that a shell may source, so for what neither carries there is none.
 */
export function quoteDotenv(text: string): string | undefined {
  if (NEVER.test(text)) return undefined;
  if (!text.includes("'")) return `'${text}'`;
  return NOT_IN_DOUBLE.test(text) ? undefined : `"${text}"`;
}
