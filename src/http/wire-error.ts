import type { Code } from '../base/codes.ts';
import { fail, type PannierError } from '../base/errors.ts';
import { madeOnce } from '../base/made-once.ts';

/**
 * A connection or TLS error of Node, reduced to its code. The error of Node itself goes no further: an HTTP parse error
 * carries the raw packet, and a proxy error the URL of the proxy with its password.
 */
export class WireError extends Error {
  readonly code: string;
  /** A kept-alive socket was reset before any byte of an answer: the server closed it while the request was written. */
  readonly stale: boolean;
  /** The answer had begun when the error came. */
  readonly midway: boolean;

  constructor(foreign: unknown, met: { stale: boolean; midway: boolean }) {
    const code = codeOf(foreign);
    super(code);
    this.name = 'WireError';
    this.code = code;
    this.stale = met.stale;
    this.midway = met.midway;
  }
}

/** Where a request went, for messages. */
export interface WireContext {
  /** Configuration path, for errors. */
  readonly place: string;
  /** The configured address without credentials. */
  readonly address: string;
  /** A proxy is configured for this address, so it may be the one that failed. */
  readonly proxied: boolean;
}

interface KnownError {
  readonly code: Code;
  /** Messages put ` at https://…` behind it. */
  readonly seen: string;
  readonly hint?: string;
}

const CLIENT_CERTIFICATE: KnownError = {
  code: 'BACKEND_TLS',
  seen: 'client certificate missing or refused',
  hint: 'Set tls.certFile and tls.keyFile to a pair that the server trusts.',
};

/** By the codes of Node and OpenSSL, see https://nodejs.org/api/errors.html and `man verify`. */
const known = madeOnce((): Readonly<Record<string, KnownError>> => {
  const unknownCa: KnownError = {
    code: 'BACKEND_TLS',
    seen: 'certificate signed by an unknown authority',
    hint: 'Set tls.caFile to the CA that signed the certificate of the server.',
  };
  const notTls: KnownError = {
    code: 'BACKEND_TLS',
    seen: 'the server does not speak TLS',
    hint: 'If the server speaks plain HTTP there, write http:// in address.',
  };
  const expiredHint = 'Renew the certificate of the server, and check the clocks.';
  return {
    ECONNREFUSED: { code: 'BACKEND_UNREACHABLE', seen: 'connection refused' },
    ECONNRESET: { code: 'BACKEND_UNREACHABLE', seen: 'connection closed' },
    EPIPE: { code: 'BACKEND_UNREACHABLE', seen: 'connection closed' },
    ECONNABORTED: { code: 'BACKEND_UNREACHABLE', seen: 'connection closed' },
    ENOTFOUND: {
      code: 'BACKEND_UNREACHABLE',
      seen: 'the host name has no address',
      hint: 'Check the host in address, and DNS.',
    },
    EAI_AGAIN: { code: 'BACKEND_UNREACHABLE', seen: 'the name server did not answer', hint: 'Check DNS.' },
    EHOSTUNREACH: { code: 'BACKEND_UNREACHABLE', seen: 'no route to the host' },
    ENETUNREACH: { code: 'BACKEND_UNREACHABLE', seen: 'no route to the network' },
    ETIMEDOUT: { code: 'BACKEND_UNREACHABLE', seen: 'no answer to the attempt to connect' },
    ENOENT: { code: 'BACKEND_UNREACHABLE', seen: 'there is no socket', hint: 'Check the path in address.' },
    EACCES: {
      code: 'BACKEND_UNREACHABLE',
      seen: 'no permission to connect',
      hint: 'Check owner and mode of the socket.',
    },
    ERR_PROXY_TUNNEL: {
      code: 'BACKEND_UNREACHABLE',
      seen: 'the proxy refused the tunnel',
      hint: 'Check HTTPS_PROXY, and NO_PROXY for addresses inside the cluster.',
    },
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownCa,
    UNABLE_TO_GET_ISSUER_CERT: unknownCa,
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownCa,
    SELF_SIGNED_CERT_IN_CHAIN: unknownCa,
    DEPTH_ZERO_SELF_SIGNED_CERT: unknownCa,
    CERT_SIGNATURE_FAILURE: unknownCa,
    ERR_TLS_CERT_ALTNAME_INVALID: {
      code: 'BACKEND_TLS',
      seen: 'certificate is for another name',
      hint: 'Set tls.serverName to a name that the certificate carries, or correct address.',
    },
    CERT_HAS_EXPIRED: { code: 'BACKEND_TLS', seen: 'certificate has expired', hint: expiredHint },
    CERT_NOT_YET_VALID: { code: 'BACKEND_TLS', seen: 'certificate is not yet valid', hint: expiredHint },
    ERR_SSL_WRONG_VERSION_NUMBER: notTls,
    ERR_SSL_PACKET_LENGTH_TOO_LONG: notTls,
    ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: CLIENT_CERTIFICATE,
    ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: CLIENT_CERTIFICATE,
    ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: CLIENT_CERTIFICATE,
    ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: CLIENT_CERTIFICATE,
  };
});

/** When the handshake fails while Node writes, the code is EPROTO and only the message holds OpenSSL's reason. */
const eprotoReasons = madeOnce((): readonly (readonly [reason: string, code: string])[] => [
  ['wrong version number', 'ERR_SSL_WRONG_VERSION_NUMBER'],
  ['packet length too long', 'ERR_SSL_PACKET_LENGTH_TOO_LONG'],
  ['alert certificate required', 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'],
  ['alert handshake failure', 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE'],
  ['alert bad certificate', 'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE'],
  ['alert unknown ca', 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'],
]);

const TLS_CODE =
  /^(?:CERT_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|UNABLE_TO_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|HOSTNAME_|CRL_)/;

/** Whether the server asked for a client certificate and got none, or one that it does not accept. */
export function isAboutClientCertificate({ code }: WireError): boolean {
  return known()[code] === CLIENT_CERTIFICATE;
}

/** Translates a connection or TLS error into a failure of the backend. */
export function wireFailure(error: WireError, { place, address, proxied }: WireContext): PannierError {
  const { code, midway } = error;
  if (midway && !code.startsWith('HPE_')) {
    return fail('BACKEND_UNREACHABLE', place, `the connection was closed in the middle of an answer from ${address}`);
  }
  if (code.startsWith('HPE_')) {
    const hint = 'Check that address is a server of this API; if it speaks TLS, write https:// in address.';
    return fail('BACKEND_MALFORMED', place, `the answer from ${address} is not HTTP`, { hint });
  }
  const found = known()[code];
  if (found !== undefined) {
    const hint = found.hint ?? (proxied ? 'Check address, HTTPS_PROXY, HTTP_PROXY and NO_PROXY.' : undefined);
    return fail(found.code, place, `${found.seen} at ${address}`, hint === undefined ? {} : { hint });
  }
  if (code === 'EPROTO' || TLS_CODE.test(code)) {
    return fail('BACKEND_TLS', place, `TLS handshake failed at ${address} (${code})`);
  }
  return fail('BACKEND_UNREACHABLE', place, `no connection to ${address} (${code})`);
}

/** Describes the code of a `WireError`, and says whether it is an error of TLS. */
export function describeWire(code: string): { readonly tls: boolean; readonly seen: string } {
  const found = known()[code];
  if (found !== undefined) return { tls: found.code === 'BACKEND_TLS', seen: found.seen };
  if (code.startsWith('HPE_')) return { tls: false, seen: 'the server does not speak HTTP' };
  const tls = code === 'EPROTO' || TLS_CODE.test(code);
  return { tls, seen: tls ? `TLS handshake failed (${code})` : `no connection (${code})` };
}

/** `ECONNREFUSED` and the like; UNKNOWN without one. When several addresses were tried, the code of the first one. */
function codeOf(foreign: unknown): string {
  const { code, errors, message } = (foreign ?? {}) as {
    code?: unknown;
    errors?: readonly unknown[];
    message?: unknown;
  };
  if (code === 'EPROTO') return eprotoReasons().find(([reason]) => String(message).includes(reason))?.[1] ?? code;
  if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(code)) return code;
  return errors?.[0] === undefined ? 'UNKNOWN' : codeOf(errors[0]);
}
