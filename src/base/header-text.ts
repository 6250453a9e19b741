/** See `isHeaderToken`; for schemas, which show the pattern. */
export const HEADER_TOKEN = /^[\x21-\x7e]+$/;

/**
 * Whether an HTTP header can carry `text` as a credential or an identifier: one or more visible ASCII characters, no
 * space. A token that fails this comes from a broken file or variable, often with a line break in the middle.
 */
export const isHeaderToken = (text: string): boolean => HEADER_TOKEN.test(text);

/** Whether `text` is a header value in ASCII: one or more visible characters, with spaces between them only. */
export const isHeaderText = (text: string): boolean => /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text);

/**
 * Whether a header can carry `text` at all (RFC 9110, section 5.5, without white space at its ends). Empty text counts;
 * characters up to U+00FF do, which are sent as Latin-1.
 */
export const isFieldValue = (text: string): boolean =>
  /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/.test(text);
