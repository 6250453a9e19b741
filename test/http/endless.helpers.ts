/**
 * Asks the server at `argv[2]`, whose answers never end, and prints the code of the failure and by how much the peak of
 * resident memory grew.
 */

import { createVaultClient } from '../../src/backend/vault/client/create-client.ts';
import { systemClock } from '../../src/base/clock.ts';
import { asFailure } from '../../src/base/errors.ts';

const peakMiB = () => process.resourceUsage().maxRSS / 1024;

const client = createVaultClient({
  config: {
    kind: 'vault',
    name: 'bao',
    address: process.argv[2] as string,
    tls: { skipVerify: false },
    timeoutMs: 30_000,
    auth: { method: 'token', mount: 'token', revokeOnExit: false },
  },
  clock: systemClock,
  emit: () => {},
  env: {},
});
const ask = async (path: string) => {
  const call = { method: 'GET', path, place: 'secrets.x', idempotent: true } as const;
  return await client.call(call, new AbortController().signal).catch((error: unknown) => asFailure(error, 'secrets.x'));
};
await import('node-vault');
const beforeMiB = peakMiB();
const failed = await ask('x');
process.stdout.write(JSON.stringify({ code: 'code' in failed ? failed.code : '', grownMiB: peakMiB() - beforeMiB }));
await client[Symbol.asyncDispose]();
