const NAMED: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\f': '\\f', '\r': '\\r' };

/** Characters to escape in a key: they would end it, begin a comment or begin an escape; and all but ASCII. */
const IN_KEY = /[ =:#!\\]|[^ -~]/g;
/** Characters to escape in a value. It goes to the end of the line, so only its ends and `\` can be misread. */
const IN_VALUE = /^[ =:#!]|[ ]$|\\|[^ -~]/g;

/** The key of a line of a Java properties file, in ASCII: `pass\ word`. */
export const escapePropertyKey = (key: string): string => key.replace(IN_KEY, escapeChar);

/** The value after `=`, in ASCII: `\  leading`, `\u00E9`. Characters beyond U+FFFF are two escapes, as in Java. */
export const escapePropertyValue = (text: string): string => text.replace(IN_VALUE, escapeChar);

function escapeChar(char: string): string {
  if (char >= ' ' && char <= '~') return `\\${char}`;
  return NAMED[char] ?? `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
}
