import type { VaultRequest } from '../config/request.ts';
import { STATIC_ROLE } from '../source/static-role.ts';

/**
 * Whether a request can be made by inline auth. A server refuses to make a lease for a token that it does not keep, so
 * reads and writes that may give one need a login; a computed path is always one of a KV engine.
 */
export function canBeInline(request: VaultRequest): boolean {
  switch (request.kind) {
    case 'vault-kv':
    case 'vault-list':
    case 'vault-trust-bundle':
    case 'vault-certificate':
      return true;
    case 'vault-read':
      return STATIC_ROLE.test(request.path);
    case 'vault-write':
      return false;
  }
}
