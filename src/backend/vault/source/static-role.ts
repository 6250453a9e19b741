/** `database/static-creds/shop`, `ldap/static-cred/shop`. */
export const STATIC_ROLE = /(?:^|\/)static-creds?\//;
