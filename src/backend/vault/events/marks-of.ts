import { trimSlashes } from '../../../config/api-path.ts';
import { kvForms, type Marks } from '../../../feed/marks.ts';
import type { VaultRequest } from '../config/request.ts';
import { kvPathOf } from '../source/kv-path.ts';
import { STATIC_ROLE } from '../source/static-role.ts';

/** What a secret wants to hear of. */
export interface Wanted {
  readonly marks: Marks;
  /**
   * Whether every change of it is a request to the server that names it, so that it need not be polled meanwhile. Not
   * so for what an engine changes by itself, such as the password of a static role.
   */
  readonly isWhole: boolean;
}

/** What of a PKI mount changes the certificates of its issuers, or ends certificates. */
const ISSUERS = ['config/', 'root/', 'intermediate/', 'issuer/', 'issuers/', 'keys/'];

/**
 * The marks of what a request reads. Undefined for what makes something new at each request, such as the credentials of
 * a dynamic role: that has a lease, which says when it is due.
 */
export function marksOf(request: VaultRequest, namespace = ''): Wanted | undefined {
  const within = namespace === '' ? '' : `${trimSlashes(namespace)}/`;
  const marks = (...paths: readonly string[]) => [...new Set(paths.map((path) => within + path))];
  switch (request.kind) {
    case 'vault-kv':
      return { marks: marks(...kvForms(kvPathOf(request).path)), isWhole: true };
    case 'vault-list':
      return { marks: marks(...kvForms(`${trimSlashes(request.path)}/`)), isWhole: true };
    case 'vault-read': {
      const path = trimSlashes(request.path);
      return { marks: marks(path, `${path}/`, ...ofStaticRole(path)), isWhole: false };
    }
    case 'vault-certificate':
    case 'vault-trust-bundle': {
      const issuer = trimSlashes(request.issuer);
      const revoked = request.kind === 'vault-certificate' ? [`${issuer}/revoke`, `${issuer}/revoke-with-key`] : [];
      return { marks: marks(...ISSUERS.map((part) => `${issuer}/${part}`), ...revoked), isWhole: false };
    }
    default:
      return undefined;
  }
}

/** The requests that change a static role, or rotate it by hand: `database/static-roles/shop`, `…/rotate-role/shop`. */
function ofStaticRole(path: string): Marks {
  const found = STATIC_ROLE.exec(path);
  if (found === null) return [];
  const mount = path.slice(0, found.index + (found[0].startsWith('/') ? 1 : 0));
  const name = path.slice(found.index + found[0].length);
  return ['static-roles', 'static-role', 'rotate-role'].map((part) => `${mount}${part}/${name}`);
}
