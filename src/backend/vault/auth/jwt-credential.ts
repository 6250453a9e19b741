import type { Clock } from '../../../base/clock.ts';
import { formatDuration } from '../../../base/duration.ts';
import { parseJson } from '../../../base/json.ts';
import type { Secret } from '../../../base/secret.ts';
import { type Fields, isFields, isList, lookUp, plainNumber, plainText, type Value } from '../../../base/value.ts';
import type { Denied } from './token-self.ts';

/** The claims of a JWT that messages and the session need. Its signature is not checked. */
export interface JwtCredential {
  /** When the JWT ends, on the wall clock; undefined when it has no `exp`. */
  readonly expiresWallMs: number | undefined;
  /** Each as a message may show it. */
  readonly audiences: readonly string[];
  /** Who made the JWT; undefined when it does not say, or in a text that no message may quote. */
  readonly issuer: string | undefined;
  /** NAMESPACE/NAME of a service account of Kubernetes. */
  readonly serviceAccount: string | undefined;
}

/** Reads a JWT (RFC 7519): three parts in base64url, the second of them JSON. Undefined when the text is not one. */
export function readJwt(jwt: Secret): JwtCredential | undefined {
  const [, payload, signature] = jwt.exposeText('backend').trim().split('.');
  if (payload === undefined || signature === undefined) return undefined;
  let claims: Value;
  try {
    claims = parseJson(Buffer.from(payload, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
  if (!isFields(claims)) return undefined;
  const seconds = plainNumber(claims.get('exp'));
  return {
    expiresWallMs: seconds === undefined ? undefined : seconds * 1000,
    audiences: audiencesOf(claims),
    issuer: quotable(plainText(claims.get('iss'))),
    serviceAccount: SERVICE_ACCOUNT.exec(plainText(claims.get('sub')) ?? '')
      ?.slice(1, 3)
      .join('/'),
  };
}

const SERVICE_ACCOUNT = /^system:serviceaccount:([a-z0-9.-]{1,253}):([a-z0-9.-]{1,253})$/;

/** The most audiences that a message lists. */
const MAX_AUDIENCES = 5;

/** An audience or issuer that messages may quote: a name or a URL. */
const QUOTABLE = /^[\w.:/@+-]{1,200}$/;

/** Stands for an audience that no message may quote. */
const HIDDEN = '(not a plain name)';

const quotable = (text: string | undefined): string | undefined =>
  text !== undefined && QUOTABLE.test(text) ? text : undefined;

function audiencesOf(claims: Fields): readonly string[] {
  const aud = lookUp(claims, 'aud');
  const all = isList(aud) ? aud : [aud];
  return all.flatMap((one) => (plainText(one) === undefined ? [] : [quotable(plainText(one)) ?? HIDDEN]));
}

/** Whom a JWT is for. */
export const forWhom = ({ audiences }: JwtCredential): string =>
  audiences.length === 0 ? 'for no audience' : `for the audience ${audiences.slice(0, MAX_AUDIENCES).join(', ')}`;

/** The end of a JWT on the monotonic clock, for the session. */
export function endOf(jwt: JwtCredential | undefined, clock: Clock): { credentialEndsMonoMs?: number } {
  if (jwt?.expiresWallMs === undefined) return {};
  return { credentialEndsMonoMs: clock.monoMs() + jwt.expiresWallMs - clock.wallMs() };
}

/**
 * Describes why the server may have refused a JWT; the server itself often says only "permission denied".
 * @param hint is used for a JWT that has not expired.
 */
export function describeDenied(
  jwt: JwtCredential | undefined,
  { file, hint, nowWallMs }: { readonly file: string; readonly hint: string; readonly nowWallMs: number },
): Denied {
  if (jwt === undefined) return { code: 'AUTH_DENIED', seen: `${file} holds no JWT`, hint };
  const { expiresWallMs, serviceAccount } = jwt;
  if (expiresWallMs !== undefined && expiresWallMs <= nowWallMs) {
    const age = formatDuration(nowWallMs - expiresWallMs);
    return {
      code: 'AUTH_EXPIRED',
      seen: `the JWT in ${file} expired ${age} ago`,
      hint: 'Find out why the JWT is not renewed: the kubelet renews a projected token, but not a copy of it.',
    };
  }
  const facts = [
    ...(serviceAccount === undefined ? [] : [`of the service account ${serviceAccount}`]),
    forWhom(jwt),
    ...(expiresWallMs === undefined ? [] : [`good for ${formatDuration(expiresWallMs - nowWallMs)}`]),
  ];
  return { code: 'AUTH_DENIED', seen: `the JWT in ${file} is ${facts.join(', ')}`, hint };
}
