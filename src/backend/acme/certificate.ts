import type { KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import type { Code } from '../../base/codes.ts';
import { asFailure, type Failure, fail, PannierError } from '../../base/errors.ts';
import { loadCrypto } from '../../base/node-crypto.ts';
import { Secret } from '../../base/secret.ts';
import { type Fields, isList, plainText, type Value } from '../../base/value.ts';
import { type CertificateSet, checkCertificate, UnfitCertificateError } from '../../certificate/check.ts';
import { isOfKind, keyPem, makeKey } from '../../certificate/local-key.ts';
import type { Names } from '../../certificate/names.ts';
import { renewalId } from '../../certificate/renewal-id.ts';
import { certificateRequest } from '../../certificate/request.ts';
import type {
  CertificateLife,
  Fetch,
  Fetched,
  KeptValue,
  Restorer,
  Source,
  Want,
  Watching,
  WatchListener,
} from '../backend.ts';
import { CLOCK_SKEW_MS, readAuthorities } from '../certificate-authorities.ts';
import { certificateFields, certificateLife } from '../certificate-fields.ts';
import { Pacing } from '../pacing.ts';
import { AcmeProblem } from './client/problem.ts';
import type { AcmeRequest } from './config/config.ts';
import { type OrderDeps, orderCertificate } from './order.ts';
import type { OrderBook } from './order-book.ts';
import { type HeldCertificate, watchRenewalInfo } from './renewal-info.ts';

export interface AcmeSourceDeps extends OrderDeps {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Absent: nothing is kept for the next process, since the key of the account is in no file. */
  readonly book?: OrderBook | undefined;
}

/** Failures that cost the issuer something: public ones count them, and lock out who makes too many. */
const COSTLY: ReadonlySet<Code> = new Set([
  'ACME_CHALLENGE_FAILED',
  'AUTH_DENIED',
  'BACKEND_THROTTLED',
  'CERTIFICATE_REFUSED',
  'CERTIFICATE_UNFIT',
] satisfies Code[]);

/** Those that a restart does not undo. */
const REMEMBERED: ReadonlySet<Code> = new Set([
  'BACKEND_THROTTLED',
  'CERTIFICATE_REFUSED',
  'CERTIFICATE_UNFIT',
] satisfies Code[]);

/** Fetches certificates by ACME. The private key is made here, and the server gets the signing request alone. */
export class AcmeSource implements Source {
  readonly #deps: AcmeSourceDeps;
  readonly #pacing: Pacing;
  /** By the want's id. */
  readonly #held = new Map<string, HeldCertificate>();
  /** The ids of wants whose earlier failures are known. */
  readonly #resumed = new Set<string>();

  constructor(deps: AcmeSourceDeps) {
    this.#deps = deps;
    const { clock, random } = deps;
    this.#pacing = new Pacing({ clock, random, name: 'order', costly: COSTLY, remembered: REMEMBERED, isStrict: true });
  }

  async fetch(want: Want, last: Fetched | undefined, signal: AbortSignal): Promise<Fetch> {
    await this.#resume(want);
    const asking = { id: want.id, signal };
    this.#pacing.assertMayTry(asking);
    try {
      const value = await this.#order(want, last, signal);
      this.#pacing.forget(want.id);
      return { state: 'changed', value };
    } catch (error) {
      const failed = asFailure(error, want.place);
      if (error instanceof AcmeProblem && error.type === 'accountDoesNotExist') this.#deps.account.forget();
      const paced = this.#pacing.failed(asking, failed);
      await this.#remember(want, failed);
      throw new PannierError(paced);
    }
  }

  async kept({ id }: Want): Promise<KeptValue | undefined> {
    const { certificate: kept } = (await this.#deps.book?.read(id)) ?? {};
    if (kept === undefined) return undefined;
    const { certificate, privateKey, chain, cameWallMs } = kept;
    const fields = new Map<string, Value>([
      ['certificate', Secret.text(certificate)],
      ['privateKey', Secret.text(privateKey)],
      ['caChain', chain.map((one) => Secret.text(one))],
    ]);
    return { fields, cameWallMs };
  }

  restorer(want: Want): Restorer {
    return async (fields) => {
      try {
        return await this.#value(want, setOf(fields));
      } catch {
        return undefined; // another one is ordered, which says what is wrong if that is wrong too
      }
    };
  }

  watch(want: Want, listener: Pick<WatchListener, 'replaceAt'>): Watching {
    const { client, clock, random } = this.#deps;
    const deps = { client, clock, random, held: ({ id }: Want) => this.#held.get(id) };
    const watching = watchRenewalInfo(deps, want, (wallMs) => listener.replaceAt(wallMs));
    return {
      follow: (other) => watching.follow?.(other),
      [Symbol.dispose]: () => {
        watching[Symbol.dispose]();
        this.#held.delete(want.id);
      },
    };
  }

  async #resume({ id, place }: Want): Promise<void> {
    const { book } = this.#deps;
    if (book === undefined || this.#resumed.has(id)) return;
    const { failed } = await book.read(id);
    this.#resumed.add(id);
    const hint = `Mend what it says. To order at once then, remove ${book.dir}.`;
    if (failed !== undefined) this.#pacing.resume(id, failed, { place, hint });
  }

  async #remember({ id }: Want, why: Failure): Promise<void> {
    const failed = this.#pacing.toRemember(id, why);
    const { book } = this.#deps;
    if (book !== undefined && failed !== undefined) await book.write(id, { ...(await book.read(id)), failed });
  }

  async #order(want: Want, last: Fetched | undefined, signal: AbortSignal): Promise<Fetched> {
    const { place } = want;
    const request = want.request as AcmeRequest;
    await authoritiesOf(request, place); // a file that cannot be read is told before anything is ordered
    const key = await keyFor(request, last);
    const csr = Buffer.from(base64Of(certificateRequest(key, namesOf(request))), 'base64');
    const { renewalInfo } = await this.#deps.client.directory(place, signal);
    const replaces = renewalInfo === undefined ? undefined : this.#held.get(want.id)?.id;
    const { names, profile } = request;
    const pem = await orderCertificate(this.#deps, { names, csr, profile, replaces, place }, signal);
    const set = { certificate: pem, privateKey: keyPem(key, 'pkcs8'), chain: [] };
    const value = await this.#value(want, set);
    const [cameWallMs, endsWallMs] = [this.#deps.clock.wallMs(), value.life.notAfterMs];
    await this.#deps.book?.write(want.id, { certificate: { ...set, cameWallMs, endsWallMs } });
    return value;
  }

  /** @throws PannierError CERTIFICATE_UNFIT, CERTIFICATE_CA_UNREADABLE */
  async #value(want: Want, set: CertificateSet): Promise<Fetched & { readonly life: CertificateLife }> {
    const request = want.request as AcmeRequest;
    const { place } = want;
    try {
      const checked = checkCertificate(set, {
        authorities: await authoritiesOf(request, place),
        names: namesOf(request),
        nowMs: this.#deps.clock.wallMs(),
        clockSkewMs: request.upkeep?.clockSkewMs ?? CLOCK_SKEW_MS,
      });
      const { leaf } = checked;
      if (!isOfKind(checked.key, request.key)) throw fail('CERTIFICATE_UNFIT', place, 'the key is of another kind');
      this.#held.set(want.id, { leaf, id: renewalId(leaf) });
      const fields = certificateFields(checked, request.privateKeyFormat);
      const version = plainText(fields.get('serialNumber')) as string;
      return { fields, version, life: certificateLife(checked) };
    } catch (error) {
      if (!(error instanceof UnfitCertificateError)) throw error;
      throw fail('CERTIFICATE_UNFIT', place, error.message);
    }
  }
}

async function authoritiesOf({ caFile }: AcmeRequest, place: string): Promise<readonly string[] | undefined> {
  return caFile === undefined ? undefined : [await readAuthorities(caFile, place)];
}

/** The key of the last certificate when keys are reused, or a new one. */
async function keyFor({ key }: AcmeRequest, last: Fetched | undefined): Promise<KeyObject> {
  const before = key.reuse ? plainText(last?.fields.get('privateKey')) : undefined;
  const known = before === undefined ? undefined : loadCrypto().createPrivateKey(before);
  return known !== undefined && isOfKind(known, key) ? known : await makeKey(key);
}

/** All names are alternative names; issuers leave the common name away, or choose it. */
function namesOf({ names }: AcmeRequest): Names {
  return {
    commonName: '',
    dns: names.filter((name) => isIP(name) === 0),
    emails: [],
    ips: names.filter((name) => isIP(name) !== 0),
    uris: [],
    others: [],
  };
}

function setOf(fields: Fields): CertificateSet {
  const text = (name: string) => plainText(fields.get(name)) ?? '';
  const chain = fields.get('caChain');
  return {
    certificate: text('certificate'),
    privateKey: text('privateKey'),
    chain: (isList(chain) ? chain : []).flatMap((one) => plainText(one) ?? []),
  };
}

const base64Of = (pem: string): string => pem.replace(/-----[^-]+-----|\s/g, '');
