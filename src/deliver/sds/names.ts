import type { SdsConfig, SdsSecretConfig } from '../../config/config.ts';

/** What a name that a client asks for stands for. */
export type Target =
  /** An entry of the configuration, or one that follows from it; `key` is the same for all names of it. */
  | { readonly kind: 'entry'; readonly key: string; readonly config: SdsSecretConfig }
  /** A name whose certificate is issued when it is asked for. */
  | { readonly kind: 'on-demand'; readonly key: string; readonly name: string }
  | { readonly kind: 'unknown' };

const UNKNOWN: Target = { kind: 'unknown' };

/** The names of Istio and SPIRE for the one certificate of a workload, and for what it trusts. */
const DEFAULT = 'default';
const ROOT_CA = 'ROOTCA';

/** Istio's gateways ask for `sds://NAME`, and for `NAME-cacert` to verify clients by. */
const SCHEME = 'sds://';
const CA_SUFFIX = '-cacert';

/** A DNS name in lower case. */
const DNS_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/** Says what names stand for, by a configuration. A configured name goes before every alias. */
export class Names {
  readonly #secrets: SdsConfig['secrets'];
  readonly #patterns: readonly RegExp[];
  readonly #certificate: [string, Extract<SdsSecretConfig, { kind: 'certificate' }>] | undefined;
  readonly #trust: [string, SdsSecretConfig] | undefined;

  constructor({ secrets, onDemand }: Pick<SdsConfig, 'secrets' | 'onDemand'>) {
    this.#secrets = secrets;
    this.#patterns = (onDemand?.match ?? []).map(patternOf);
    const certificates = [...secrets].flatMap(([name, one]) =>
      one.kind === 'certificate' ? [[name, one] as const] : [],
    );
    const [only] = certificates;
    this.#certificate = certificates.length === 1 && only !== undefined ? [...only] : undefined;
    const trusts = [...secrets].filter(([, { kind }]) => kind === 'trust');
    this.#trust = trusts.length === 1 ? trusts[0] : undefined;
  }

  /** The configured names, for clients that ask for all. */
  all(): Iterable<string> {
    return this.#secrets.keys();
  }

  target(asked: string): Target {
    const found = this.#find(asked);
    if (found !== undefined) return found;
    if (!asked.startsWith(SCHEME)) return this.#onDemand(asked);
    const plain = asked.slice(SCHEME.length);
    return this.#find(plain) ?? this.#onDemand(plain);
  }

  #find(name: string): Target | undefined {
    const config = this.#secrets.get(name);
    if (config !== undefined) return { kind: 'entry', key: name, config };
    if (name === DEFAULT && this.#certificate !== undefined) {
      const [key, one] = this.#certificate;
      return { kind: 'entry', key, config: one };
    }
    if (name === ROOT_CA && this.#trust !== undefined) {
      const [key, one] = this.#trust;
      return { kind: 'entry', key, config: one };
    }
    if (name === ROOT_CA && this.#certificate !== undefined) return issuerOf(...this.#certificate);
    if (!name.endsWith(CA_SUFFIX)) return undefined;
    const key = name.slice(0, -CA_SUFFIX.length);
    const one = this.#secrets.get(key);
    return one?.kind === 'certificate' ? issuerOf(key, one) : undefined;
  }

  #onDemand(asked: string): Target {
    const name = asked.toLowerCase();
    if (!DNS_NAME.test(name) || !this.#patterns.some((pattern) => pattern.test(name))) return UNKNOWN;
    return { kind: 'on-demand', key: `on demand ${name}`, name };
  }
}

/** The authorities that stand beside a certificate. */
function issuerOf(key: string, { from, place }: Extract<SdsSecretConfig, { kind: 'certificate' }>): Target {
  const config: SdsSecretConfig = { kind: 'trust', from, names: [], crlOfLeafOnly: false, place };
  return { kind: 'entry', key: `${key}${CA_SUFFIX}`, config };
}

function patternOf(pattern: string): RegExp {
  const labels = pattern.split('.').map((label) => (label === '*' ? '[a-z0-9_-]+' : label.replaceAll('-', '\\-')));
  return new RegExp(`^${labels.join('\\.')}$`);
}
