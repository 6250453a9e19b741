import { type Failure, failure } from '../../../base/errors.ts';
import { plainText } from '../../../base/value.ts';
import type { VaultClient } from '../client/client.ts';

/** Every state of the server is answered with 200. */
const ALL_ARE_FINE = Object.fromEntries(
  ['standbycode', 'sealedcode', 'uninitcode', 'drsecondarycode', 'performancestandbycode'].map((key) => [key, '200']),
);

/**
 * Asks the server whether it has inline auth: OpenBao from 2.4 on does. HashiCorp Vault, whose health names an edition,
 * has none whatever its version, and must not get a credential in a header that it, or a proxy before it, may log.
 * Resolves to why not; undefined: it has.
 * https://openbao.org/api-docs/system/health/
 * @throws what the client throws when no answer comes.
 */
export async function whyNoInlineAuth(
  client: VaultClient,
  place: string,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const call = { method: 'GET', path: 'sys/health', query: ALL_ARE_FINE, namespace: '', idempotent: true } as const;
  const { body } = await client.call({ ...call, place }, signal);
  const version = plainText(body.get('version')) ?? '';
  const [, major, minor] = /^v?(\d{1,6})\.(\d{1,6})\./.exec(version) ?? [];
  const isNewer = Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 4);
  if (isNewer && !body.has('enterprise')) return undefined;
  const what = body.has('enterprise')
    ? 'HashiCorp Vault'
    : major === undefined
      ? 'of an unknown version'
      : `version ${major}.${minor}`;
  return failure('AUTH_UNUSABLE', place, `the server at ${client.address} is ${what}`, { hint: WANTS });
}

const WANTS = 'Inline auth needs OpenBao 2.4 or newer; a login is made instead.';
