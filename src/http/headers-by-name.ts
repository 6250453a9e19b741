/**
 * Raw headers (name, value, name, value, …) by name in lower case; a header that came several times is joined with
 * `, `.
 */
export function headersByName(raw: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = Object.create(null);
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    const before = headers[name];
    headers[name] = before === undefined ? (raw[i + 1] as string) : `${before}, ${raw[i + 1]}`;
  }
  return headers;
}
