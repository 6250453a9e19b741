/** The directory that one OpenBao server runs in: configuration, seal key, certificates, socket. */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAuthority } from './certificates.ts';

export interface OpenBaoLayout {
  readonly dir: string;
  readonly port: number;
  readonly clusterPort: number;
  /** Absent: no TLS listener. */
  readonly tlsPort: number | undefined;
  readonly requireClientCert: boolean;
  readonly unix: boolean;
  readonly persist: boolean;
}

/** Names inside a server's directory; the ones for listeners exist only when those were asked for. */
export function openBaoPaths(dir: string) {
  return {
    config: join(dir, 'bao.hcl'),
    log: join(dir, 'bao.log'),
    audit: join(dir, 'audit.log'),
    sealKey: join(dir, 'seal.key'),
    raft: join(dir, 'raft'),
    socket: join(dir, 'bao.sock'),
    ca: join(dir, 'ca.pem'),
    serverCert: join(dir, 'server.pem'),
    serverKey: join(dir, 'server.key'),
    clientCert: join(dir, 'client.pem'),
    clientKey: join(dir, 'client.key'),
    otherCert: join(dir, 'other.pem'),
    otherKey: join(dir, 'other.key'),
  };
}

/**
 * Writes everything OpenBao needs to start, and start again, without help: the static seal unseals it by the key in
 * the directory. OpenBao 2.7 takes audit devices from its configuration only.
 */
export async function writeOpenBaoFiles(layout: OpenBaoLayout): Promise<void> {
  const paths = openBaoPaths(layout.dir);
  await writeFile(paths.sealKey, randomBytes(32), { mode: 0o600 });
  if (layout.persist) await mkdir(paths.raft, { mode: 0o700 });
  if (layout.tlsPort !== undefined) await writeCertificates(paths);
  await writeFile(paths.config, configurationOf(layout, paths));
}

async function writeCertificates(paths: ReturnType<typeof openBaoPaths>): Promise<void> {
  const authority = createAuthority('OpenBao test CA');
  const server = authority.issue({ commonName: 'openbao', altNames: ['127.0.0.1', 'localhost', 'openbao'] });
  const client = authority.issue({ commonName: 'shop', altNames: ['shop.svc'] });
  const other = authority.issue({ commonName: 'other' });
  await writeFile(paths.ca, authority.certificatePem);
  await writeFile(paths.serverCert, server.certificatePem);
  await writeFile(paths.serverKey, server.keyPem, { mode: 0o600 });
  await writeFile(paths.clientCert, client.certificatePem);
  await writeFile(paths.clientKey, client.keyPem, { mode: 0o600 });
  await writeFile(paths.otherCert, other.certificatePem);
  await writeFile(paths.otherKey, other.keyPem, { mode: 0o600 });
}

function configurationOf(layout: OpenBaoLayout, paths: ReturnType<typeof openBaoPaths>): string {
  const q = JSON.stringify;
  const blocks = [
    layout.persist
      ? `storage "raft" {\n  path = ${q(paths.raft)}\n  node_id = "test"\n  performance_multiplier = 1\n}`
      : 'storage "inmem" {\n}',
    `seal "static" {\n  current_key_id = "test"\n  current_key = ${q(`file://${paths.sealKey}`)}\n}`,
    `audit "file" "requests" {\n  options {\n    file_path = ${q(paths.audit)}\n    hmac_accessor = "false"\n  }\n}`,
    `listener "tcp" {\n  address = "127.0.0.1:${layout.port}"\n  tls_disable = true\n}`,
    `api_addr = "http://127.0.0.1:${layout.port}"`,
    `cluster_addr = "http://127.0.0.1:${layout.clusterPort}"`,
  ];
  if (layout.tlsPort !== undefined) {
    blocks.push(
      [
        'listener "tcp" {',
        `  address = "127.0.0.1:${layout.tlsPort}"`,
        `  tls_cert_file = ${q(paths.serverCert)}`,
        `  tls_key_file = ${q(paths.serverKey)}`,
        `  tls_client_ca_file = ${q(paths.ca)}`,
        `  tls_require_and_verify_client_cert = ${layout.requireClientCert}`,
        '}',
      ].join('\n'),
    );
  }
  if (layout.unix) blocks.push(`listener "unix" {\n  address = ${q(paths.socket)}\n}`);
  return `${blocks.join('\n')}\n`;
}
