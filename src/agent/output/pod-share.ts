import type { Environment } from '../../config/environment.ts';

/** The variables that tell one replica from another, the best first; Kubernetes sets HOSTNAME to the pod's name. */
const IDENTITY = ['POD_UID', 'POD_NAME', 'HOSTNAME'] as const;

/**
 * This replica's share in [0, 1): the same at each call, and another one for each replica and each `purpose`. Undefined
 * when nothing in the environment tells replicas apart.
 */
export function podShare(env: Environment, purpose: string): number | undefined {
  const name = IDENTITY.map((variable) => env[variable]).find((value) => value !== undefined && value !== '');
  return name === undefined ? undefined : hash(`${name}\n${purpose}`) / 2 ** 32;
}

/** FNV-1a, and then the end of MurmurHash3: names that differ in their last digit get shares that are far apart. */
function hash(text: string): number {
  let bits = 0x811c9dc5;
  for (const byte of Buffer.from(text)) bits = Math.imul(bits ^ byte, 0x01000193);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
