import { Message } from './protobuf.ts';

/** The one type of resource that the service has. */
export const SECRET_TYPE = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';

/** The kinds of names in a certificate, with their numbers in `SubjectAltNameMatcher.SanType`. */
export const SAN_TYPES = { email: 1, dns: 2, uri: 3, ip: 4 } as const;
export type SanType = keyof typeof SAN_TYPES;

/** The ways to compare a name, with their fields in `StringMatcher`. */
const COMPARISONS = { exact: 1, prefix: 2, suffix: 3, contains: 7 } as const;
export type Comparison = keyof typeof COMPARISONS;

/** A name that the certificate of a peer must have. */
export interface SanMatcher {
  readonly type: SanType;
  readonly comparison: Comparison;
  readonly value: string;
}

/** What a secret of Envoy holds. The bytes leave the agent: nothing but the encoders below uses them. */
export type SecretBody =
  | { readonly kind: 'certificate'; readonly chain: Uint8Array; readonly privateKey: Uint8Array }
  | {
      readonly kind: 'trust';
      /** Certificates of authorities in PEM. */
      readonly authorities: Uint8Array;
      readonly crl?: Uint8Array;
      readonly names: readonly SanMatcher[];
      readonly maxDepth?: number;
      /** Whether revocation counts for the peer's own certificate only. */
      readonly crlOfLeafOnly?: boolean;
    }
  | { readonly kind: 'generic'; readonly secret: Uint8Array }
  | { readonly kind: 'generic-map'; readonly secrets: ReadonlyMap<string, Uint8Array> }
  /** The first key encrypts tickets, all of them decrypt. */
  | { readonly kind: 'session-tickets'; readonly keys: readonly Uint8Array[] };

/** `envoy.extensions.transport_sockets.tls.v3.Secret`, in protobuf. */
export function encodeSecret(name: string, body: SecretBody): Buffer {
  const secret = new Message().text(1, name);
  switch (body.kind) {
    case 'certificate':
      return secret.message(2, new Message().message(1, data(body.chain)).message(2, data(body.privateKey))).encode();
    case 'session-tickets':
      return secret.message(3, new Message().messages(1, body.keys.map(data))).encode();
    case 'trust': {
      const context = new Message().message(1, data(body.authorities));
      if (body.crl !== undefined) context.message(7, data(body.crl)).number(14, body.crlOfLeafOnly === true ? 1 : 0);
      context.messages(15, body.names.map(matcher));
      if (body.maxDepth !== undefined) context.message(16, new Message().number(1, body.maxDepth));
      return secret.message(4, context).encode();
    }
    case 'generic':
      return secret.message(5, new Message().message(1, data(body.secret))).encode();
    case 'generic-map':
      return secret
        .message(
          5,
          new Message().map(
            2,
            [...body.secrets].map(([key, value]) => [key, data(value)]),
          ),
        )
        .encode();
  }
}

/** `DataSource.inline_bytes`. */
function data(bytes: Uint8Array): Message {
  return new Message().bytes(2, bytes);
}

function matcher({ type, comparison, value }: SanMatcher): Message {
  const text = new Message().bytes(COMPARISONS[comparison], Buffer.from(value, 'utf8'));
  return new Message().number(1, SAN_TYPES[type]).message(2, text);
}

/** The same as JSON, for clients that poll over HTTP: https://protobuf.dev/programming-guides/json/ */
export function secretAsJson(name: string, body: SecretBody): object {
  return { '@type': SECRET_TYPE, name, ...bodyAsJson(body) };
}

function bodyAsJson(body: SecretBody): object {
  switch (body.kind) {
    case 'certificate':
      return { tlsCertificate: { certificateChain: inline(body.chain), privateKey: inline(body.privateKey) } };
    case 'session-tickets':
      return { sessionTicketKeys: { keys: body.keys.map(inline) } };
    case 'trust':
      return {
        validationContext: {
          trustedCa: inline(body.authorities),
          ...(body.crl === undefined ? {} : { crl: inline(body.crl) }),
          ...(body.crlOfLeafOnly === true ? { onlyVerifyLeafCertCrl: true } : {}),
          matchTypedSubjectAltNames: body.names.map(({ type, comparison, value }) => ({
            sanType: type === 'ip' ? 'IP_ADDRESS' : type.toUpperCase(),
            matcher: { [comparison]: value },
          })),
          ...(body.maxDepth === undefined ? {} : { maxVerifyDepth: body.maxDepth }),
        },
      };
    case 'generic':
      return { genericSecret: { secret: inline(body.secret) } };
    case 'generic-map':
      return {
        genericSecret: {
          secrets: Object.fromEntries([...body.secrets].map(([key, value]) => [key, inline(value)])),
        },
      };
  }
}

const inline = (bytes: Uint8Array): object => ({ inlineBytes: Buffer.from(bytes).toString('base64') });
