import type { Clock } from '../../base/clock.ts';
import { asFailure } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import { makeServerCertificate, type ServerCertificate } from '../../certificate/make-certificate.ts';
import type { CertificateSource } from '../../http/serving/pair.ts';
import type { CallApiServer } from './api-server.ts';
import { includeInBundle } from './webhook-bundle.ts';

const LIFE_MS = 7 * 86_400_000;

/** At two thirds of its life a certificate is replaced, as all certificates here are. */
const ROTATE_MS = (LIFE_MS / 3) * 2;

/** How often the bundle is looked at: Helm or Argo CD may have written it again. */
const CHECK_EVERY_MS = 60_000;

/** The API server learns of a changed bundle by its own watch; a new certificate is shown after this. */
const SPREAD_MS = 10_000;

const MIN_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

/**
 * A certificate that the injector makes for itself, with an authority of its own whose key is thrown away. The
 * authority is written into `caBundle` before its certificate is used, and stays there beside the next one.
 */
export function selfMadeCertificate(options: {
  /** The MutatingWebhookConfiguration. */
  readonly webhook: string;
  /** `NAME.NAMESPACE.svc` of the Service, which the API server checks. */
  readonly service: string;
  /** The name of this replica: its authorities are told from others' by it. */
  readonly replica: string;
  readonly call: CallApiServer;
  readonly clock: Clock;
  readonly emit: Emit;
}): CertificateSource {
  const { webhook, service, replica, call, clock, emit } = options;
  const make = async () => ({
    atMs: clock.wallMs(),
    ...(await makeServerCertificate({
      name: `Pannier injector ${replica}`,
      dnsNames: [service],
      nowMs: clock.wallMs(),
      lifeMs: LIFE_MS,
    })),
  });
  let shown: Made | undefined;
  let next: Made | undefined;
  let isTrusted = false;
  const include = async () => {
    const own = [shown, next].flatMap((one) => (one === undefined ? [] : [one.ca]));
    await includeInBundle(call, { name: webhook, own, nowMs: clock.wallMs() });
  };
  return {
    async first() {
      shown = await make();
      return shown;
    },
    async keepFresh(use, signal) {
      let retryMs = MIN_RETRY_MS;
      while (!signal.aborted) {
        try {
          if (shown !== undefined && clock.wallMs() - shown.atMs >= ROTATE_MS) next ??= await make();
          await include();
          retryMs = MIN_RETRY_MS;
          if (next !== undefined) {
            await clock.sleep(SPREAD_MS, signal);
            shown = next;
            next = undefined;
            use(shown);
          } else isTrusted = true;
          await clock.sleep(CHECK_EVERY_MS, signal);
        } catch (error) {
          emit({ kind: 'agent-warning', warning: asFailure(error, webhook) });
          await clock.sleep(retryMs, signal);
          retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
        }
      }
    },
    isTrusted: () => isTrusted,
  };
}

type Made = ServerCertificate & { readonly atMs: number };
