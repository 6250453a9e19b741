import { loadCrypto } from '../base/node-crypto.ts';

const HASHED = 'sha256:';

/** The hash of a want's identity, which may hold a path; what is a hash already stays as it is. */
export function hashOfWant(id: string): string {
  if (id.startsWith(HASHED)) return id;
  return `${HASHED}${loadCrypto().createHash('sha256').update(id).digest('base64url')}`;
}
