/** Secret engines and policies, set up on a running OpenBao in one call each. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { OpenBao } from './openbao.ts';
import type { Postgres } from './postgres.ts';

/** Writes an ACL policy in HCL. */
export async function writePolicy(bao: OpenBao, name: string, hcl: string): Promise<void> {
  await bao.api('PUT', `sys/policies/acl/${name}`, { policy: hcl });
}

/** Mounts a KV engine and resolves when it takes writes: version 2 prepares itself after the mount answered. */
export async function enableKv(bao: OpenBao, mount: string, version: 1 | 2): Promise<void> {
  await bao.api('POST', `sys/mounts/${mount}`, { type: 'kv', options: { version: String(version) } });
  if (version === 1) return;
  for (let attempt = 1; ; attempt++) {
    try {
      await bao.api('GET', `${mount}/config`);
      return;
    } catch (error) {
      if (attempt === 200) throw error;
      await sleep(10);
    }
  }
}

/** Lives are Vault durations: `1h`, `90s`. */
export interface DatabaseOptions {
  /** `database` when absent. */
  readonly mount?: string;
  readonly role: string;
  /** `1h` when absent. */
  readonly defaultTtl?: string;
  /** `24h` when absent. */
  readonly maxTtl?: string;
}

/** Mounts the database engine on `postgres`, with one role of dynamic users: read `MOUNT/creds/ROLE`. */
export async function enableDatabase(bao: OpenBao, postgres: Postgres, options: DatabaseOptions): Promise<void> {
  const { mount = 'database', role, defaultTtl = '1h', maxTtl = '24h' } = options;
  await bao.api('POST', `sys/mounts/${mount}`, { type: 'database' });
  await bao.api('PUT', `${mount}/config/postgres`, {
    plugin_name: 'postgresql-database-plugin',
    allowed_roles: '*',
    connection_url: `postgresql://{{username}}:{{password}}@${postgres.host}:${postgres.port}/postgres?sslmode=disable`,
    username: postgres.superuser,
    password: postgres.password,
  });
  await bao.api('PUT', `${mount}/roles/${role}`, {
    db_name: 'postgres',
    default_ttl: defaultTtl,
    max_ttl: maxTtl,
    creation_statements: [`CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'`],
  });
}

export interface StaticRoleOptions {
  /** `database` when absent; must be mounted by `enableDatabase`. */
  readonly mount?: string;
  readonly role: string;
  /** Vault duration, 5 s at least. */
  readonly rotationPeriod: string;
}

/**
 * Makes a PostgreSQL user with the name of the role, whose password OpenBao rotates: read `MOUNT/static-creds/ROLE`.
 */
export async function addStaticRole(bao: OpenBao, postgres: Postgres, options: StaticRoleOptions): Promise<void> {
  const { mount = 'database', role, rotationPeriod } = options;
  await postgres.query(`CREATE ROLE "${role}" LOGIN`);
  await bao.api('PUT', `${mount}/static-roles/${role}`, {
    db_name: 'postgres',
    username: role,
    rotation_period: rotationPeriod,
  });
}

export interface PkiOptions {
  /** `pki` when absent. */
  readonly mount?: string;
  readonly role: string;
  /** Vault duration, `72h` when absent; the root itself lives 87600h. */
  readonly maxTtl?: string;
  readonly allowedDomains: readonly string[];
}

/** Mounts a PKI with an EC root and a role for the domains and their subdomains: write `MOUNT/issue/ROLE`. */
export async function enablePki(bao: OpenBao, options: PkiOptions): Promise<void> {
  const { mount = 'pki', role, maxTtl = '72h', allowedDomains } = options;
  await bao.api('POST', `sys/mounts/${mount}`, { type: 'pki', config: { max_lease_ttl: '87600h' } });
  await bao.api('POST', `${mount}/root/generate/internal`, {
    common_name: 'Pannier test root',
    ttl: '87600h',
    key_type: 'ec',
    key_bits: 256,
  });
  await bao.api('PUT', `${mount}/roles/${role}`, {
    allowed_domains: allowedDomains,
    allow_bare_domains: true,
    allow_subdomains: true,
    key_type: 'ec',
    key_bits: 256,
    max_ttl: maxTtl,
  });
}

/**
 * Makes a PKI mount an ACME server (`MOUNT/roles/ROLE/acme/directory`), which finds names by the DNS server `resolver`.
 * @param base where clients reach OpenBao: all URLs of the protocol begin with it.
 */
export async function enableAcme(
  bao: OpenBao,
  { mount = 'pki', resolver, base = bao.address }: { mount?: string; resolver: string; base?: string },
): Promise<void> {
  const path = `${base}/v1/${mount}`;
  await bao.api('POST', `${mount}/config/cluster`, { path, aia_path: path });
  const allowed_response_headers = ['Replay-Nonce', 'Location', 'Link'];
  await bao.api('POST', `sys/mounts/${mount}/tune`, { allowed_response_headers });
  await bao.api('POST', `${mount}/config/acme`, { enabled: true, dns_resolver: resolver });
}
