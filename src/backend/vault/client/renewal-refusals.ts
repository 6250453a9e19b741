/** Reasons for refusing to extend a login, as messages show them. Every later renewal is refused too. */
export const OTHER_CERTIFICATE = 'another client certificate than at the login';
export const POLICIES_CHANGED = 'the policies of the role have changed';
/** OpenBao lets Kubernetes review the JWT of a login again at each renewal. */
export const JWT_REVIEWED = 'the JWT of the login is no longer good';
export const ROLE_NOT_FOUND_SHOWN = 'role not found';
export const FINAL_AT_RENEWAL: ReadonlySet<string> = new Set([
  OTHER_CERTIFICATE,
  POLICIES_CHANGED,
  JWT_REVIEWED,
  ROLE_NOT_FOUND_SHOWN,
]);
