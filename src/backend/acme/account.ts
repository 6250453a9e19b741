import type { KeyObject } from 'node:crypto';
import { fail } from '../../base/errors.ts';
import { SingleFlight } from '../../base/single-flight.ts';
import { makeKey } from '../../certificate/local-key.ts';
import { readCredential } from '../credential-file.ts';
import { type AccountKeyOptions, findAccountKey, loadAccountKey } from './account-key.ts';
import { type AcmeClient, type Directory, type Signer, until } from './client/client.ts';
import { signBinding, thumbprint } from './client/jws.ts';
import { AcmeProblem, noAcme } from './client/problem.ts';
import type { ExternalAccount } from './config/config.ts';

export interface AccountDeps extends AccountKeyOptions {
  readonly client: AcmeClient;
  /** Aborts when the backend is closed. */
  readonly stop: AbortSignal;
}

/** An account that exists at the server. */
export interface OpenAccount extends Required<Signer> {
  readonly thumbprint: string;
}

/**
 * The account at the server (RFC 8555, section 7.3). It is asked for when the first certificate is ordered, once in the
 * life of a process: `newAccount` with a key that the server knows gives the account of that key, and makes none.
 */
export class AcmeAccount {
  readonly #deps: AccountDeps;
  readonly #flights = new SingleFlight<'open', OpenAccount>();
  #opened: OpenAccount | undefined;

  constructor(deps: AccountDeps) {
    this.#deps = deps;
  }

  /** @throws PannierError AUTH_DENIED, the ones of `loadAccountKey`, and those of the client. */
  async open(place: string, signal: AbortSignal): Promise<OpenAccount> {
    if (this.#opened !== undefined) return this.#opened;
    this.#opened = await until(
      this.#flights.run('open', () => this.#open()),
      signal,
      place,
    );
    return this.#opened;
  }

  /** The server does not know the account any more: the next call of `open` makes it anew. */
  forget(): void {
    this.#opened = undefined;
  }

  /**
   * Looks whether the account could be used, and makes neither an account nor a key: `onlyReturnExisting` has the
   * server say whether it has one.
   * @throws as `open` does.
   */
  async look(signal: AbortSignal): Promise<'used before' | 'no account yet' | 'no key yet'> {
    const directory = await this.#directory(signal);
    const key = await findAccountKey(this.#deps, signal);
    if (key === undefined) {
      // What would be wrong with the binding is wrong with any key.
      await this.#binding(directory, await makeKey({ type: 'ec', curve: 'P-256' }));
      return 'no key yet';
    }
    const payload = { ...(await this.#binding(directory, key)), onlyReturnExisting: true };
    try {
      await this.#ask(directory, key, payload, signal);
      return 'used before';
    } catch (error) {
      if (error instanceof AcmeProblem && error.type === 'accountDoesNotExist') return 'no account yet';
      throw error;
    }
  }

  async #open(): Promise<OpenAccount> {
    const { stop, account } = this.#deps;
    const directory = await this.#directory(stop);
    const key = await loadAccountKey(this.#deps, stop);
    const payload = {
      ...(account.contact.length === 0 ? {} : { contact: account.contact }),
      ...(account.termsAgreed ? { termsOfServiceAgreed: true } : {}),
      ...(await this.#binding(directory, key)),
    };
    return await this.#ask(directory, key, payload, stop);
  }

  /** @throws PannierError AUTH_DENIED for terms that were not agreed to. */
  async #directory(signal: AbortSignal): Promise<Directory> {
    const { client, place, account } = this.#deps;
    const directory = await client.directory(place, signal);
    const { termsOfService } = directory;
    if (termsOfService === undefined || account.termsAgreed) return directory;
    const hint = 'Read them, and set termsAgreed: true on the backend.';
    throw fail('AUTH_DENIED', place, `the issuer has terms of service: ${termsOfService}`, { hint });
  }

  async #ask(
    { newAccount: url }: Directory,
    key: KeyObject,
    payload: object,
    signal: AbortSignal,
  ): Promise<OpenAccount> {
    const { client, place } = this.#deps;
    const { headers, json } = await client.post({ url, operation: 'NewAccount', place }, { key }, payload, signal);
    const { location: kid } = headers;
    const { status } = (json ?? {}) as { readonly status?: unknown };
    if (status === 'deactivated' || status === 'revoked') {
      const hint = 'Use another account key: an account cannot be activated again.';
      throw fail('AUTH_DENIED', place, `the account is ${status}`, { hint });
    }
    if (kid === undefined) throw noAcme(place, 'the answer of the server names no account');
    return { key, kid, thumbprint: thumbprint(key) };
  }

  async #binding({ newAccount, externalAccountRequired }: Directory, key: KeyObject): Promise<object> {
    const { place, account } = this.#deps;
    if (account.eab !== undefined) {
      const { keyId: kid } = account.eab;
      return { externalAccountBinding: signBinding(await this.#hmacKey(account.eab), { kid, url: newAccount }, key) };
    }
    if (!externalAccountRequired) return {};
    const hint = 'Set eab with the key that the issuer gave you.';
    throw fail('AUTH_DENIED', place, 'the issuer takes only accounts that are bound to one of its own', { hint });
  }

  async #hmacKey({ hmacKey, hmacKeyFile }: ExternalAccount): Promise<Uint8Array> {
    const { place, stop } = this.#deps;
    const at = `${place}.eab.${hmacKey === undefined ? 'hmacKeyFile' : 'hmacKey'}`;
    const read = hmacKey ?? (await readCredential(hmacKeyFile as string, at, stop));
    const text = read.exposeText('backend').trim();
    // Node takes base64 and base64url alike, and leaves out what is neither.
    if (/^[\w+/-]+={0,2}$/.test(text)) return Buffer.from(text, 'base64url');
    throw fail('AUTH_UNUSABLE', at, 'it is not in base64url', { hint: 'Copy the key as the issuer shows it.' });
  }
}
