import type { LookupAddress } from 'node:dns';
import type { PeerCertificate } from 'node:tls';
import { type Failure, fail, failure } from '../base/errors.ts';
import type { Examination } from '../base/examination.ts';
import { formatRoughly } from '../base/rough-duration.ts';
import type { TlsConfig } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { connect } from './connect.ts';
import { loadTls } from './node-http.ts';
import { proxyEnv } from './proxy-env.ts';
import { parseTarget } from './target.ts';
import { TlsFiles } from './tls-files.ts';
import { WireError, wireFailure } from './wire-error.ts';

export interface ReachOptions {
  /** `https://host:port`, `http://…` or `unix:///path`. */
  readonly address: string;
  readonly tls: TlsConfig;
  readonly env: Environment;
  /** Configuration path of the backend. */
  readonly place: string;
  /** The key of the backend that holds the address; `address` when absent. */
  readonly key?: string;
}

type Tcp = { readonly protocol: 'http:' | 'https:'; readonly host: string; readonly port: number };

/** A part of its life that a certificate has left when its end is near. */
const LATE = 0.1;

/**
 * Looks at the way to a server, in the order of causes: its name, a connection, TLS. Behind a proxy the first request
 * shows all of it at once, since the proxy looks the name up and connects.
 * @returns whether a request is worth a try.
 */
export async function checkReach(
  examination: Examination,
  { address, tls, env, place, key = 'address' }: ReachOptions,
): Promise<boolean> {
  const { target, shown } = parseTarget(address, place);
  const at = `${place}.${key}`;
  const failed = (error: unknown) =>
    wireFailure(new WireError(error, { stale: false, midway: false }), { place: at, address: shown, proxied: false });
  if (target.kind === 'unix') {
    return await examination.run('connection', at, async (signal) => {
      await connect({ path: target.socketPath }, signal, failed);
      return `a process listens on ${target.socketPath}`;
    });
  }
  if (isProxied(target, env, place)) {
    const seen = `${shown} is reached through a proxy, which looks the name up and connects`;
    for (const check of ['name', 'connection']) examination.skip(check, at, seen);
    return true;
  }
  const hasName = await examination.run('name', at, async () => {
    const addresses = await lookUp(target.host, failed);
    return addresses.length === 0
      ? `${target.host} is an address`
      : `${target.host} is ${addresses.slice(0, 4).join(', ')}`;
  });
  const isSecure = target.protocol === 'https:';
  const skip = (checks: readonly string[], why: string) => {
    for (const check of checks) examination.skip(check, at, why);
  };
  if (!hasName) {
    skip(isSecure ? ['connection', 'tls'] : ['connection'], 'no address is known');
    return false;
  }
  const isThere = await examination.run('connection', at, async (signal) => {
    await connect({ host: target.host, port: target.port }, signal, failed);
    return `connected to ${target.host}:${target.port}`;
  });
  if (!isSecure) return isThere;
  if (!isThere) {
    skip(['tls'], 'there is no connection');
    return false;
  }
  return await examination.run('tls', `${place}.tls`, async (signal) => {
    const context = await new TlsFiles(tls, place, examination.clock).current();
    return await shakeHands(target, { tls, context, place, shown, signal, nowMs: examination.clock.wallMs() }, failed);
  });
}

/** Whether requests go through a proxy. Addresses of NO_PROXY are left to the request itself, except loopback. */
function isProxied({ protocol, host }: Tcp, env: Environment, place: string): boolean {
  const proxies = proxyEnv(env, place);
  const isLocal = /^(?:localhost|.*\.localhost|::1|127\.\d+\.\d+\.\d+)$/.test(host);
  return !isLocal && proxies[protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'] !== undefined;
}

/** The addresses of a name; none when it is an address itself. */
async function lookUp(host: string, failed: (error: unknown) => Error): Promise<readonly string[]> {
  const { isIP } = process.getBuiltinModule('node:net');
  if (isIP(host) !== 0) return [];
  try {
    const found: LookupAddress[] = await process.getBuiltinModule('node:dns').promises.lookup(host, { all: true });
    return [...new Set(found.map(({ address }) => address))];
  } catch (error) {
    throw failed(error);
  }
}

interface Handshake {
  readonly tls: TlsConfig;
  readonly context: import('node:tls').SecureContext;
  readonly place: string;
  readonly shown: string;
  readonly signal: AbortSignal;
  readonly nowMs: number;
}

/**
 * Makes a TLS connection and says what is wrong with the certificate. The handshake itself refuses nothing, so that a
 * refused certificate can be described; nothing is sent over the connection.
 */
function shakeHands(
  { host, port }: Tcp,
  { tls, context, place, shown, signal, nowMs }: Handshake,
  failed: (error: unknown) => Error,
): Promise<string | Failure> {
  const { promise, resolve, reject } = Promise.withResolvers<string | Failure>();
  const { isIP } = process.getBuiltinModule('node:net');
  const servername = tls.serverName ?? (isIP(host) === 0 ? host : undefined);
  const socket = loadTls().connect({
    host,
    port,
    secureContext: context,
    rejectUnauthorized: false,
    ...(servername === undefined ? {} : { servername }),
  });
  const give = () => socket.destroy(Object.assign(new Error('late'), { code: 'ETIMEDOUT' }));
  signal.addEventListener('abort', give, { once: true });
  socket.once('error', (error) => reject(failed(error)));
  socket.once('secureConnect', () => {
    const certificate = socket.getPeerCertificate();
    const refused = socket.authorized ? undefined : codeOf(socket.authorizationError);
    const about = describe(certificate, nowMs);
    if (refused === undefined) resolve(soonOver(certificate, about, nowMs, place) ?? `${about}, as configured`);
    else if (tls.skipVerify) {
      const seen = `${about}; tls.skipVerify takes it, although: ${refused}`;
      resolve(failure('CONFIG_TLS_UNSAFE', `${place}.tls.skipVerify`, seen));
    } else {
      const known = wireFailure(new WireError({ code: refused }, { stale: false, midway: false }), {
        place: `${place}.tls`,
        address: shown,
        proxied: false,
      }).failure;
      const names = refused === 'ERR_TLS_CERT_ALTNAME_INVALID' ? `, asked for as ${servername ?? host}` : '';
      reject(fail(known.code, `${place}.tls`, `${known.seen}: ${about}${names}`, { hint: known.hint }));
    }
  });
  return promise.finally(() => {
    signal.removeEventListener('abort', give);
    socket.destroy();
  });
}

/** Node gives the code of OpenSSL or of its own check of names, as a text or as an error. */
function codeOf(refused: unknown): string {
  const { code } = (refused ?? {}) as { code?: unknown };
  const text = typeof code === 'string' ? code : String(refused);
  return /^[A-Z][A-Z0-9_]{1,60}$/.test(text) ? text : 'UNKNOWN';
}

/** Whose certificate it is, who signed it, and until when it is good. The texts are foreign, so they are cleaned. */
function describe({ subject, issuer, subjectaltname, valid_to }: PeerCertificate, nowMs: number): string {
  const names = clean(String(subjectaltname ?? subject?.CN ?? '').replaceAll(/(?:DNS|IP Address|URI):/g, ''));
  const leftMs = Date.parse(valid_to) - nowMs;
  const until = leftMs > 0 ? `good for ${formatRoughly(leftMs)}` : `expired ${formatRoughly(-leftMs)} ago`;
  const by = clean(String(issuer?.CN ?? issuer?.O ?? ''));
  return `the certificate is for ${names || 'no name'}, signed by ${by || 'an unnamed authority'}, ${until}`;
}

const clean = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 200);

function soonOver(
  { valid_from, valid_to }: PeerCertificate,
  about: string,
  nowMs: number,
  place: string,
): Failure | undefined {
  const [from, to] = [Date.parse(valid_from), Date.parse(valid_to)];
  if (to - nowMs > (to - from) * LATE) return undefined;
  const hint = 'Renew the certificate of the server.';
  return failure('BACKEND_TLS', `${place}.tls`, `${about}, which is a tenth of its life or less`, { hint });
}
