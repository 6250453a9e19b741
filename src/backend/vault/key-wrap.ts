import { fail } from '../../base/errors.ts';
import { Secret } from '../../base/secret.ts';
import { isSecret, lookUp, plainText } from '../../base/value.ts';
import type { WrappingKey } from '../../config/config.ts';
import type { BackendContext } from '../context.ts';
import type { KeptLogin } from '../kept-login.ts';
import type { KeyWrap } from '../key-wrap.ts';
import type { Login } from './auth/method.ts';
import { revokeLogin } from './auth/revoke-login.ts';
import { identityOf } from './backend.ts';
import { VaultStatusError } from './client/client.ts';
import type { VaultBackendConfig } from './config/config.ts';
import { openVaultClient } from './open.ts';

/**
 * A key of the transit engine: POST MOUNT/encrypt/KEY {plaintext} and POST MOUNT/decrypt/KEY {ciphertext}.
 * https://openbao.org/api-docs/secret/transit/#encrypt-data
 */
export function openVaultKeyWrap(
  config: VaultBackendConfig,
  { mount, name, place }: WrappingKey,
  context: BackendContext,
): KeyWrap {
  const { client, method } = openVaultClient(config, context);
  let login: Login | undefined;
  let isTaken = false;

  const ask = async (doing: 'encrypt' | 'decrypt', body: Readonly<Record<string, unknown>>, signal: AbortSignal) => {
    login ??= await method?.login(signal); // without a login another proxy on the way adds its token
    const path = `${mount}/${doing}/${name}`;
    const token = login === undefined ? {} : { token: login.token };
    try {
      return (await client.call({ method: 'POST', path, body, ...token, place, idempotent: true }, signal)).body;
    } catch (error) {
      // The server makes a key that is missing, and denies that to a login that may not `create`.
      const isMissingOrDenied = doing === 'encrypt' && error instanceof VaultStatusError && error.status === 403;
      if (!isMissingOrDenied || error.failure.code !== 'SECRET_DENIED') throw error;
      const { code, seen, retry } = error.failure;
      throw fail(code, place, seen, { hint: missingHint(mount, name), retry });
    }
  };

  const revoke = async (token: Secret) => {
    const emit: BackendContext['emit'] = (fact) => {
      // A login of the agent that ended is a fact; this one never was in use.
      if (fact.kind !== 'login-revoked' || fact.failure !== undefined) context.emit(fact);
    };
    const self = { client, clock: context.clock, emit, token, place: `backends.${config.name}.auth` };
    await revokeLogin(self, new AbortController().signal);
  };

  return {
    identity: identityOf(config),
    async wrap(key, signal) {
      const plaintext = Secret.text(Buffer.from(key).toString('base64'));
      const body = await ask('encrypt', { plaintext }, signal);
      const text = plainText(lookUp(body, 'data', 'ciphertext'));
      if (text !== undefined && CIPHERTEXT.test(text)) return text;
      throw fail('BACKEND_MALFORMED', place, `${client.address} did not answer with a ciphertext`);
    },
    async unwrap(ciphertext, signal) {
      try {
        const body = await ask('decrypt', { ciphertext }, signal);
        const plain = lookUp(body, 'data', 'plaintext');
        if (isSecret(plain)) return { key: Buffer.from(plain.exposeText('state'), 'base64') };
      } catch (error) {
        if (error instanceof VaultStatusError && error.status === 400) return { refused: error.failure };
        throw error;
      }
      throw fail('BACKEND_MALFORMED', place, `${client.address} did not answer with a plaintext`);
    },
    takeLogin() {
      if (login === undefined || isTaken || method?.borrowsToken === true) return undefined;
      if (login.usesLeft !== 'unlimited') return undefined;
      isTaken = true;
      return keptLogin(login);
    },
    async [Symbol.asyncDispose]() {
      if (login !== undefined && !isTaken && method?.borrowsToken !== true) await revoke(login.token);
      await client[Symbol.asyncDispose]();
    },
  };
}

/** What to do after an encryption that was denied: the key is missing, or else the policy. */
const missingHint = (mount: string, name: string): string =>
  `See whether the key is there (bao read ${mount}/keys/${name}). If it was deleted, restore it from its backup; a policy ` +
  `with create would make another one unnoticed. If it is there, let the login update ${mount}/encrypt/${name}.`;

/** As the engine writes it: the version of the key, and base64. */
const CIPHERTEXT = /^\w+:v\d+:[\w+/=-]+$/;

function keptLogin({ token, accessor, ttlMs, renewable, startedMonoMs, credentialEndsMonoMs }: Login): KeptLogin {
  const life = { ttlMs, renewable, startedMonoMs };
  return { token, accessor, ...life, loginId: 0, endsWithProcess: false, made: { credentialEndsMonoMs } };
}
