import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import type { Clock } from '../../base/clock.ts';
import { formatDuration } from '../../base/duration.ts';
import { fail } from '../../base/errors.ts';
import { retryAfterMs } from '../../http/retry-after.ts';
import type { AcmeAccount, OpenAccount } from './account.ts';
import type { Challenge, Proof, Prover } from './challenge/challenge.ts';
import type { AcmeAnswer, AcmeClient } from './client/client.ts';
import { AcmeProblem, noAcme, wordsOf } from './client/problem.ts';

export interface OrderDeps {
  readonly client: AcmeClient;
  readonly account: AcmeAccount;
  /** By the type of the challenge; absent: this way is not configured. */
  readonly provers: { readonly [type in Challenge['type']]?: Prover | undefined };
  readonly clock: Clock;
}

export interface OrderRequest {
  readonly names: readonly string[];
  /** In DER. */
  readonly csr: Uint8Array;
  readonly profile?: string | undefined;
  /** The certificate that is replaced, by its renewal id (RFC 9773, section 5). */
  readonly replaces?: string | undefined;
  /** Configuration path, for errors. */
  readonly place: string;
}

/** The longest wait for the server to look at a proof, and the longest for the certificate. */
const MAX_WAIT_MS = 300_000;
const FIRST_LOOK_MS = 250;
const LONGEST_LOOK_MS = 5_000;
/** A longer Retry-After while the server works is not followed, since the proof is shown meanwhile. */
const MAX_ASKED_MS = 60_000;

/** A server that could not see a proof tries again by itself; after so many looks at that it is told. */
const MAX_FAILED_LOOKS = 3;

type Json = Readonly<Record<string, unknown>>;

/**
 * Orders a certificate (RFC 8555, section 7.4): orders, proves that the names belong to this machine, has the key
 * signed, and gives the certificate with its chain in PEM.
 * @throws PannierError CERTIFICATE_REFUSED, ACME_CHALLENGE_FAILED, and those of client and account.
 */
export async function orderCertificate(deps: OrderDeps, request: OrderRequest, signal: AbortSignal): Promise<string> {
  const { place } = request;
  const account = await deps.account.open(place, signal);
  const names = new Set(request.names.map((name) => asciiForm(name).replace(/^\*\./, '')));
  const talk = new Talk(deps, account, { place, names }, signal);
  const { newOrder } = await deps.client.directory(place, signal);
  const { url, order } = await makeOrder(talk, newOrder, request);
  await proveAll(talk, deps.provers, textsIn(order['authorizations']));
  const ready = await talk.poll(url, 'Order', (one) => one['status'] !== 'pending');
  talk.assertNotInvalid(ready, 'the order');
  if (ready['status'] !== 'valid') {
    const csr = Buffer.from(request.csr).toString('base64url');
    await talk.post(talk.text(ready['finalize'], 'finalize'), 'Finalize', { csr });
  }
  const done = await talk.poll(url, 'Order', (one) => one['status'] === 'valid' || one['status'] === 'invalid');
  talk.assertNotInvalid(done, 'the order');
  const { body } = await talk.post(talk.text(done['certificate'], 'certificate'), 'Certificate', undefined);
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1');
}

async function makeOrder(
  talk: Talk,
  newOrder: string,
  { names, profile, replaces }: OrderRequest,
): Promise<{ readonly url: string; readonly order: Json }> {
  const payload = {
    identifiers: names.map((name) => ({ type: isIP(name) === 0 ? 'dns' : 'ip', value: asciiForm(name) })),
    ...(profile === undefined ? {} : { profile }),
  };
  const order = (more: object) => talk.post(newOrder, 'NewOrder', { ...payload, ...more });
  const answer = await order(replaces === undefined ? {} : { replaces }).catch(async (error: unknown) => {
    // The server may think otherwise of what is replaced; the certificate is needed all the same.
    if (replaces === undefined || !(error instanceof AcmeProblem) || !ABOUT_REPLACED.has(error.type)) throw error;
    return await order({});
  });
  return { url: talk.text(answer.headers['location'], 'order'), order: (answer.json ?? {}) as Json };
}

const ABOUT_REPLACED = new Set(['alreadyReplaced', 'malformed', 'unauthorized']);

/** A wildcard keeps its star; other scripts become ASCII. */
function asciiForm(name: string): string {
  if (isIP(name) !== 0) return name;
  const [, star = '', rest = name] = /^(\*\.)(.*)$/.exec(name) ?? [];
  return `${star}${domainToASCII(rest) || rest}`;
}

async function proveAll(talk: Talk, provers: OrderDeps['provers'], urls: readonly string[]): Promise<void> {
  const works = await Promise.all(urls.map((url) => talk.choose(url, provers)));
  const pending = works.filter((work) => work !== undefined);
  const together = pending.filter(({ prover }) => prover.isParallel).map((work) => talk.prove(work));
  const oneByOne = async () => {
    for (const work of pending.filter(({ prover }) => !prover.isParallel)) await talk.prove(work);
  };
  // All proofs are hidden again before the first failure is told.
  const ends = await Promise.allSettled([...together, oneByOne()]);
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

interface Work {
  readonly url: string;
  readonly challenge: Challenge;
  readonly prover: Prover;
  readonly proof: Proof;
}

/** One order's requests. */
class Talk {
  readonly #deps: OrderDeps;
  readonly #account: OpenAccount;
  readonly #place: string;
  /** The names that may be proved: those of the order. */
  readonly #names: ReadonlySet<string>;
  readonly #signal: AbortSignal;

  constructor(
    deps: OrderDeps,
    account: OpenAccount,
    { place, names }: { readonly place: string; readonly names: ReadonlySet<string> },
    signal: AbortSignal,
  ) {
    this.#deps = deps;
    this.#account = account;
    this.#place = place;
    this.#names = names;
    this.#signal = signal;
  }

  post(url: string, operation: string, payload: object | undefined): Promise<AcmeAnswer> {
    const call = { url, operation, place: this.#place };
    return this.#deps.client.post(call, this.#account, payload, this.#signal);
  }

  /** Undefined for a name that the server trusts already. */
  async choose(url: string, provers: OrderDeps['provers']): Promise<Work | undefined> {
    const json = ((await this.post(url, 'Authorization', undefined)).json ?? {}) as Json;
    if (json['status'] === 'valid') return undefined;
    const { value } = (json['identifier'] ?? {}) as Json;
    const name = this.text(value, 'name');
    if (isIP(name) === 0 && !this.#names.has(name)) throw noAcme(this.#place, 'the server asks about another name');
    this.assertNotInvalid(json, `the authorization of ${name}`);
    const offered = challengesIn(json['challenges']);
    for (const type of ['http-01', 'dns-01'] as const) {
      const challenge = offered.find((one) => one.type === type);
      const prover = provers[type];
      if (challenge === undefined || prover === undefined) continue;
      const { token } = challenge;
      const keyAuthorization = `${token}.${this.#account.thumbprint}`;
      return { url, challenge, prover, proof: { name, token, keyAuthorization, place: this.#place } };
    }
    const [shown, isWildcard] = [offered.map(({ type }) => type).join(' or '), json['wildcard'] === true];
    const seen = `the server wants ${shown || 'an unknown challenge'} for ${isWildcard ? '*.' : ''}${name}`;
    const hint = isWildcard ? 'Add dns01: wildcards are proved by DNS.' : 'Add http01 or dns01 to the backend.';
    throw fail('ACME_CHALLENGE_FAILED', this.#place, `${seen}, which is not configured`, { hint });
  }

  async prove({ url, challenge, prover, proof }: Work): Promise<void> {
    const hide = await prover.show(proof, this.#signal);
    try {
      await this.post(challenge.url, 'Challenge', {});
      let failedLooks = 0;
      const end = await this.poll(url, 'Authorization', (one) => {
        if (errorsIn(one).length > 0) failedLooks++;
        return one['status'] !== 'pending' || failedLooks >= MAX_FAILED_LOOKS;
      });
      this.assertNotInvalid(end, `the authorization of ${proof.name}`);
      if (end['status'] === 'pending') {
        const seen = `${proof.name} is not proved: the server says "${errorsIn(end).join('; ')}"`;
        throw fail('CERTIFICATE_REFUSED', this.#place, seen);
      }
    } finally {
      await hide();
    }
  }

  /** Reads until it `isDone`, as often as the server asks for. */
  async poll(url: string, operation: string, isDone: (json: Json) => boolean): Promise<Json> {
    const { clock } = this.#deps;
    const endMs = clock.monoMs() + MAX_WAIT_MS;
    for (let lookMs = FIRST_LOOK_MS; ; lookMs = Math.min(LONGEST_LOOK_MS, lookMs * 1.5)) {
      const { json, headers } = await this.post(url, operation, undefined);
      const read = (json ?? {}) as Json;
      if (isDone(read)) return read;
      if (clock.monoMs() > endMs) {
        const seen = `the server has not come to an end after ${formatDuration(MAX_WAIT_MS)}`;
        throw fail('BACKEND_TIMEOUT', this.#place, seen);
      }
      const askedMs = Math.min(MAX_ASKED_MS, retryAfterMs(headers['retry-after'], clock.wallMs()) ?? 0);
      await clock.sleep(Math.max(lookMs, askedMs), this.#signal);
    }
  }

  /** @throws PannierError CERTIFICATE_REFUSED with the words of the server. */
  assertNotInvalid(json: Json, what: string): void {
    const { status } = json;
    if (status !== 'invalid' && status !== 'deactivated' && status !== 'expired' && status !== 'revoked') return;
    const words = errorsIn(json);
    const said = words.length === 0 ? '' : `: the server says "${words.join('; ')}"`;
    throw fail('CERTIFICATE_REFUSED', this.#place, `${what} is ${status}${said}`);
  }

  text(value: unknown, what: string): string {
    if (typeof value === 'string' && value !== '') return value;
    throw noAcme(this.#place, `the answer of the ACME server has no ${what}`);
  }
}

/** What the server says about an order or an authorization, and about the tries to prove a name so far. */
function errorsIn(json: Json): readonly string[] {
  const errors = [json['error'], ...listIn(json['challenges']).map(({ error }) => error)];
  return errors.map(wordsOf).filter((text) => text !== '');
}

function listIn(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter((one): one is Json => typeof one === 'object' && one !== null) : [];
}

const textsIn = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];

function challengesIn(value: unknown): readonly Challenge[] {
  return listIn(value).filter(
    ({ url, token }) => typeof url === 'string' && typeof token === 'string',
  ) as unknown as readonly Challenge[];
}
