/** Program: makes calls whose token, body and answers hold canaries, and prints their failures. */
import { inspect } from 'node:util';
import { createVaultClient } from '../../src/backend/vault/client/create-client.ts';
import { systemClock } from '../../src/base/clock.ts';
import { Secret } from '../../src/base/secret.ts';

const [address = '', ...paths] = process.argv.slice(2);
const client = createVaultClient({
  config: {
    kind: 'vault',
    name: 'bao',
    address,
    tls: { skipVerify: true },
    timeoutMs: 300,
    auth: { method: 'token', mount: 'token', revokeOnExit: false },
  },
  clock: systemClock,
  emit: (fact) => console.log(JSON.stringify(fact), inspect(fact, { depth: 9 })),
  env: {},
});
const token = Secret.text(process.env['CANARY_TOKEN'] ?? '');
const body = { jwt: Secret.text(process.env['CANARY_BODY'] ?? '') };
for (const path of [...paths, ...paths]) {
  const call = { path, place: 'secrets.x', token, idempotent: false };
  for (const method of ['GET', 'POST'] as const) {
    const made = method === 'GET' ? { ...call, method } : { ...call, method, body };
    await client.call(made, new AbortController().signal).then(
      (answer) => console.log(inspect(answer.body, { depth: 9 }), JSON.stringify([...answer.body])),
      (error) =>
        console.log(inspect(error, { depth: 9, showHidden: true }), String(error.stack), JSON.stringify(error)),
    );
  }
}
await client[Symbol.asyncDispose]();
