// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are refused
const CONTROL = /[\0-\x08\x0b-\x1f\x7f]/;

/**
 * systemd drops an assignment that holds a control character, half a surrogate pair or a noncharacter: U+FDD0 to
 * U+FDEF, and the last two of each plane. Not by classes such as \p{…}: V8 takes 1 ms of each start to make the first.
 */
export function isDroppedBySystemd(text: string): boolean {
  if (CONTROL.test(text) || !text.isWellFormed()) return true;
  return [...text].some((char) => {
    const code = char.codePointAt(0) ?? 0;
    return (code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) === 0xfffe;
  });
}
