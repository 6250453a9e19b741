import { trimSlashes } from '../../config/api-path.ts';
import type { WrappingKey } from '../../config/config.ts';
import type { VaultRequest } from './config/request.ts';
import { certificatePath } from './source/certificate-path.ts';
import { firstSegment, kvApiPath, kvFormOf, kvPathOf } from './source/kv-path.ts';

/** What a policy allows at a path. https://openbao.org/docs/concepts/policies/#capabilities */
export type Capability = 'read' | 'list' | 'update';

/** One line of a policy: a path of the API, relative to the namespace of the policy, and what it allows there. */
export interface PolicyLine {
  readonly path: string;
  readonly capabilities: readonly Capability[];
}

/** The mount that a path lies in, as the server reports it: `secret/`, with the version of KV engines. */
export interface PolicyMount {
  readonly path: string;
  readonly version: 1 | 2;
}

/**
 * The lines of a policy that a login needs to fetch what `request` asks for.
 * @param mount that the path lies in. Absent: it is not known, and version 2 mounted at the configured mount or at the
 * first segment is assumed for KV engines, unless the request says the version.
 */
export function policyLinesOf(request: VaultRequest, mount?: PolicyMount): readonly PolicyLine[] {
  switch (request.kind) {
    case 'vault-kv': {
      const { path, guessed } = kvPathOf(request);
      const { path: at, version } =
        request.kvVersion === undefined && mount !== undefined
          ? mount
          : { path: guessed, version: request.kvVersion ?? 2 };
      return [{ path: kvApiPath(kvFormOf(path, at, version, request.mount)), capabilities: ['read'] }];
    }
    case 'vault-list': {
      const path = trimSlashes(request.path);
      const { path: at, version } = mount ?? { path: `${firstSegment(path)}/`, version: 2 };
      const rest = path.slice(at.length);
      return [{ path: version === 2 ? `${at}metadata/${rest}` : at + rest, capabilities: ['list'] }];
    }
    case 'vault-read':
      return [{ path: request.path, capabilities: ['read'] }];
    case 'vault-write':
      return [{ path: request.path, capabilities: ['update'] }];
    case 'vault-certificate':
      return [
        { path: certificatePath(request), capabilities: ['update'] },
        // The CA and revoked certificates are read without a token.
        ...(request.upkeep?.revokeOldAfterMs === undefined
          ? []
          : ([{ path: `${trimSlashes(request.issuer)}/revoke`, capabilities: ['update'] }] as const)),
      ];
    case 'vault-trust-bundle':
      return []; // the server answers these paths without a token
  }
}

/** The lines of a policy that a login needs to have a key of the transit engine encrypt and decrypt other keys. */
export function wrappingLinesOf({ mount, name }: WrappingKey): readonly PolicyLine[] {
  return ['encrypt', 'decrypt'].map((doing) => ({ path: `${mount}/${doing}/${name}`, capabilities: ['update'] }));
}

/** The path by which the server is asked for the mount of a request. */
export function mountedPathOf(request: VaultRequest): string {
  switch (request.kind) {
    case 'vault-kv':
      return kvPathOf(request).path;
    case 'vault-certificate':
      return certificatePath(request);
    case 'vault-trust-bundle':
      return `${trimSlashes(request.issuer)}/issuers`;
    default:
      return trimSlashes(request.path);
  }
}

/** A line as a policy file has it: `path "secret/data/shop/app" { capabilities = ["read"] }`. */
export function formatPolicyLine({ path, capabilities }: PolicyLine): string {
  const quoted = path.replace(/["\\]/g, '\\$&');
  return `path "${quoted}" { capabilities = [${capabilities.map((one) => `"${one}"`).join(', ')}] }`;
}
