import type { Clock } from '../base/clock.ts';
import { type Failure, fail } from '../base/errors.ts';
import type { Emit } from '../base/fact.ts';
import { loadCrypto } from '../base/node-crypto.ts';
import type { TlsConfig } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { AuditLog, type Proof } from '../feed/audit-log.ts';
import { BEAT_MS } from '../feed/relay-protocol.ts';
import type { CertificateSource } from '../http/serving/pair.ts';
import { Transport } from '../http/transport.ts';
import { type AcceptsToken, RelayServer } from './server.ts';
import { Watchers } from './watchers.ts';

export interface RelayOptions {
  readonly host: string;
  readonly port: number;
  readonly auditFile: string;
  /** The server that writes the log, and how it is trusted. */
  readonly address: string;
  readonly tls: TlsConfig;
  /** Absent: plain HTTP. */
  readonly certificate?: CertificateSource | undefined;
  readonly clientCa?: string | undefined;
  readonly accepts?: AcceptsToken | undefined;
  readonly clock: Clock;
  readonly env: Environment;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** Called when the server listens. */
  readonly onListening?: () => void;
}

const TIMEOUT_MS = 10_000;

/**
 * Reads the audit log of the server on this machine and tells agents what was written, until `signal` aborts.
 * @throws PannierError when there is no certificate to begin with, or the port is taken.
 */
export async function runRelay(options: RelayOptions): Promise<void> {
  const { host, port, auditFile, certificate, clientCa, accepts, clock, emit, signal, onListening } = options;
  const watchers = new Watchers(loadCrypto().randomBytes(8).toString('hex'));
  const pair = await certificate?.first();
  await using server = await RelayServer.open({
    host,
    port,
    pair,
    clientCa,
    accepts,
    isTrusted: certificate?.isTrusted,
    watchers,
  });
  emit({ kind: 'relay-listening', where: `${host}:${server.port}` });
  onListening?.();
  await using transport = new Transport({
    address: options.address,
    tls: options.tls,
    timeoutMs: TIMEOUT_MS,
    clock,
    env: options.env,
    place: '--address',
  });
  let role: 'active' | 'standby' = 'active';
  let why: Failure | undefined;
  await using _log = new AuditLog({
    path: auditFile,
    place: '--audit-file',
    clock,
    probe: async (name, until) => {
      const proof = await prove(transport, name, until);
      const now = proof === 'elsewhere' ? 'standby' : 'active';
      if (now !== role) {
        role = now;
        if (watchers.state.live) watchers.become({ live: true, role });
      }
      return proof;
    },
    listener: {
      changed: (change) => watchers.changed(change),
      gap: () => watchers.gap(),
      live: (now) => {
        if (now === undefined) emit({ kind: 'relay-live', file: auditFile });
        else if (now.seen !== why?.seen) emit({ kind: 'relay-down', file: auditFile, failure: now });
        why = now;
        watchers.become({ live: now === undefined, role, ...(now === undefined ? {} : { why: now.seen }) });
      },
    },
  });
  let cancelBeat = () => {};
  const beat = () => {
    watchers.beat();
    cancelBeat = clock.after(BEAT_MS, beat);
  };
  beat();
  const fresh = certificate?.keepFresh((next) => server.use(next), signal);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  cancelBeat();
  await fresh;
}

/**
 * Sends a request that every server takes without a token, refuses, and writes into its log; unless it is a standby,
 * whose requests are carried out and written down by the active node.
 */
async function prove(transport: Transport, name: string, signal: AbortSignal): Promise<Proof> {
  const headers = { 'X-Vault-Request': 'true', Accept: 'application/json' };
  const get = (path: string) =>
    transport.run({ place: '--address' }, signal, (send) => send({ method: 'GET', path: `/v1/${path}`, headers }));
  const health = await get('sys/health?standbyok=true&perfstandbyok=true');
  if (health.status !== 200) {
    throw fail('BACKEND_UNAVAILABLE', '--address', `${transport.address} is not ready (HTTP ${health.status})`);
  }
  if (isStandby(health.body)) return 'elsewhere';
  const { status } = await get(`sys/internal/ui/mounts/${name}`);
  if (status >= 500) throw fail('BACKEND_UNAVAILABLE', '--address', `${transport.address} answered HTTP ${status}`);
  return 'here';
}

function isStandby(body: Uint8Array): boolean {
  try {
    return (JSON.parse(Buffer.from(body).toString()) as { standby?: unknown } | null)?.standby === true;
  } catch {
    return false;
  }
}
