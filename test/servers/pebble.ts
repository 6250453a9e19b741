/** Pebble, the ACME server that Let's Encrypt tests clients with: it has renewal information and external accounts. */
import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir } from './cache.ts';
import { createAuthority } from './certificates.ts';
import { findFreePort } from './free-port.ts';
import { ServerProcess } from './server-process.ts';

const PEBBLE = 'v2.8.0';

export interface Pebble extends AsyncDisposable {
  readonly directory: string;
  /** The CA of its HTTPS listener. */
  readonly caFile: string;
  /** Where it looks for proofs of http-01. */
  readonly httpPort: number;
  /** Has the issuer want a certificate to be replaced at once. */
  replaceNow(certificatePem: string): Promise<void>;
  /** What it has logged: a line for each request. */
  log(): string;
}

export interface PebbleOptions {
  /** `HOST:PORT` of the DNS server that it asks. */
  readonly resolver: string;
  /** Keys of external accounts by their id; absent: an account needs none. */
  readonly externalKeys?: Readonly<Record<string, string>>;
}

/** Whether Pebble can be built: no package has it, so it is made by `go install`. */
export async function hasGo(): Promise<boolean> {
  return await promisify(execFile)('go', ['version']).then(
    () => true,
    () => false,
  );
}

/** It refuses a good nonce of five. It ends when disposed of, and with the test process at the latest. */
export async function startPebble({ resolver, externalKeys }: PebbleOptions): Promise<Pebble> {
  const command = await ensurePebble();
  const dir = await mkdtemp(join(tmpdir(), 'pannier-pebble-'));
  const [port, admin, httpPort, tlsPort] = [
    await findFreePort(),
    await findFreePort(),
    await findFreePort(),
    await findFreePort(),
  ];
  const authority = createAuthority('pebble');
  const pair = authority.issue({ commonName: 'localhost', altNames: ['localhost', '127.0.0.1'] });
  const at = (name: string) => join(dir, name);
  await writeFile(at('ca.pem'), authority.certificatePem);
  await writeFile(at('tls.pem'), pair.certificatePem);
  await writeFile(at('tls.key'), pair.keyPem);
  const pebble = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${admin}`,
    certificate: at('tls.pem'),
    privateKey: at('tls.key'),
    httpPort,
    tlsPort,
    ocspResponderURL: '',
    retryAfter: { authz: 1, order: 1 },
    externalAccountBindingRequired: externalKeys !== undefined,
    externalAccountMACKeys: externalKeys ?? {},
    profiles: { short: { description: 'six days', validityPeriod: 518_400 } },
  };
  await writeFile(at('config.json'), JSON.stringify({ pebble }));
  const { PATH = '' } = process.env;
  const server = new ServerProcess({
    name: 'Pebble',
    command,
    args: ['-config', at('config.json'), '-dnsserver', resolver],
    env: { PATH, PEBBLE_WFE_NONCEREJECT: '20', PEBBLE_VA_NOSLEEP: '1' },
    logFile: at('pebble.log'),
    dir,
    endSignal: 'SIGKILL',
  });
  await server.waitUntil(async () => server.log().includes('ACME directory available'));
  return {
    directory: `https://localhost:${port}/dir`,
    caFile: at('ca.pem'),
    httpPort,
    log: () => server.log(),
    async replaceNow(certificate) {
      const window = { start: '2021-01-01T00:00:00Z', end: '2021-01-02T00:00:00Z' };
      const body = JSON.stringify({ certificate, ariResponse: JSON.stringify({ suggestedWindow: window }) });
      const url = `https://127.0.0.1:${admin}/set-renewal-info/`;
      await promisify(execFile)('curl', ['-sSf', '--cacert', at('ca.pem'), '-X', 'POST', '-d', body, url]);
    },
    async [Symbol.asyncDispose]() {
      await server.end();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function ensurePebble(): Promise<string> {
  const folder = join(cacheDir, `pebble-${PEBBLE}`);
  const path = join(folder, 'pebble');
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (isThere) return path;
  const made = join(cacheDir, `pebble-${PEBBLE}.${process.pid}`);
  await mkdir(made, { recursive: true });
  const env = { ...process.env, GOBIN: made };
  await promisify(execFile)('go', ['install', `github.com/letsencrypt/pebble/v2/cmd/pebble@${PEBBLE}`], { env });
  await rename(made, folder).catch(() => rm(made, { recursive: true, force: true }));
  return path;
}
