/** The entity tag of a value: of this start of the agent and the value's number, never of its bytes. */
export const etagOf = (bootId: string, valueNumber: number): string => `"${bootId}-${valueNumber}"`;

/** Whether an `If-None-Match` names `etag`, by the weak comparison (RFC 9110, section 13.1.2). */
export function isNamedBy(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch === etag) return true;
  return ifNoneMatch.split(',').some((one) => {
    const tag = one.trim();
    return tag === '*' || (tag.startsWith('W/') ? tag.slice(2) : tag) === etag;
  });
}
