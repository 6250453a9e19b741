/** The entity tag of a value. It is made of the agent's boot id and the value's number, never of the value itself. */
export const etagOf = (bootId: string, valueNumber: number): string => `"${bootId}-${valueNumber}"`;

/** Whether an `If-None-Match` names `etag`, by the weak comparison (RFC 9110, section 13.1.2). */
export function isNamedBy(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch === etag) return true;
  return ifNoneMatch.split(',').some((one) => {
    const tag = one.trim();
    return tag === '*' || (tag.startsWith('W/') ? tag.slice(2) : tag) === etag;
  });
}
