/** The set-up of most tests: OpenBao with the shop's login, secrets and certificates, and a database on request. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type OpenBao, type OpenBaoOptions, startOpenBao } from './openbao.ts';
import { enableDatabase, enableKv, enablePki, writePolicy } from './openbao-engines.ts';
import { enableKubernetesAuth } from './openbao-logins.ts';
import { type Postgres, startPostgres } from './postgres.ts';
import { type MintOptions, startTokenReview, type TokenReview } from './token-review.ts';

/** Lives are Vault durations: `1h`, `90s`. */
export interface WorldOptions {
  /** Options for the start of OpenBao. */
  readonly openBao?: OpenBaoOptions;
  /** Starts PostgreSQL and mounts `database/` with the role `shop`. */
  readonly database?: boolean;
  /** Life of a login; `1h` when absent. */
  readonly tokenTtl?: string;
  /** `24h` when absent. */
  readonly tokenMaxTtl?: string;
  /** Any other key of the Kubernetes role as OpenBao names it: `token_period`, `token_num_uses`. */
  readonly role?: Readonly<Record<string, unknown>>;
  /** Life of database credentials; `1h` when absent. */
  readonly databaseTtl?: string;
  /** `24h` when absent. */
  readonly databaseMaxTtl?: string;
  /** Longest life of a certificate; `72h` when absent. */
  readonly pkiMaxTtl?: string;
}

/** See `startWorld`. */
export interface World extends AsyncDisposable {
  readonly bao: OpenBao;
  readonly review: TokenReview;
  /** Throws unless started with `database: true`. */
  readonly postgres: Postgres;
  /**
   * File with a service-account token of the shop, as the kubelet would mount it; valid for an hour. Removed by
   * `bao.stop()`.
   */
  readonly tokenFile: string;
  /** Writes another token of the shop to `tokenFile`, as the kubelet does before the old one expires. */
  renewTokenFile(options?: Partial<MintOptions>): Promise<void>;
  /** Logs in as the shop; resolves to a client token. */
  login(): Promise<string>;
  /** Writes to `secret/shop/NAME` (KV version 2); resolves to the version. */
  putSecret(name: string, fields: Readonly<Record<string, unknown>>): Promise<number>;
  /** Sets OpenBao up once more, without secrets: it came back empty from `bao.kill()` and `bao.start()`. */
  furnishAgain(): Promise<void>;
  /** Ends every server of the world, also after some were stopped or killed. */
  stop(): Promise<void>;
}

/** What a login as the shop may do, besides OpenBao's `default` policy. */
export const shopPolicy = `
path "secret/data/shop/*"     { capabilities = ["read"] }
path "secret/metadata/shop/*" { capabilities = ["read", "list"] }
path "kv1/*"                  { capabilities = ["read", "list"] }
path "database/creds/*"       { capabilities = ["read"] }
path "database/static-creds/*" { capabilities = ["read"] }
path "pki/issue/*"            { capabilities = ["create", "update"] }
path "sys/leases/renew"       { capabilities = ["create", "update"] }
path "sys/leases/revoke"      { capabilities = ["create", "update"] }
`;

/**
 * Resolves, in about half a second (database: about a second and a half), to an OpenBao where the service account
 * `shop` of the namespace `default` logs in through `auth/kubernetes` with the role `shop`, reads `secret/` (KV 2) and
 * `kv1/` (KV 1), gets users at `database/creds/shop` and certificates for `shop.svc` at `pki/issue/shop`.
 * When one part fails, the servers that were started are ended again.
 */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  await using started = new AsyncDisposableStack();
  const [bao, review, postgres] = await startAll(started, options);

  await furnish(bao, review, postgres, options);

  const tokenFile = join(bao.dir, 'token');
  async function renewTokenFile(mint: Partial<MintOptions> = {}): Promise<void> {
    await writeFile(tokenFile, await review.mintToken({ serviceAccount: 'shop', ttlSeconds: 3600, ...mint }));
  }
  await renewTokenFile();
  const owned = started.move();
  return {
    bao,
    review,
    get postgres() {
      if (!postgres) throw new Error('this world has no PostgreSQL: startWorld({ database: true })');
      return postgres;
    },
    tokenFile,
    renewTokenFile,
    async login() {
      const jwt = await review.mintToken({ serviceAccount: 'shop' });
      const { auth } = await bao.api('POST', 'auth/kubernetes/login', { role: 'shop', jwt }, {});
      return auth.client_token;
    },
    async putSecret(name, fields) {
      const { data } = await bao.api<{ version: number }>('POST', `secret/data/shop/${name}`, { data: fields });
      return data.version;
    },
    furnishAgain: () => furnish(bao, review, postgres, options),
    stop: () => owned.disposeAsync(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Sets up an empty OpenBao. */
async function furnish(
  bao: OpenBao,
  review: TokenReview,
  postgres: Postgres | undefined,
  options: WorldOptions,
): Promise<void> {
  await Promise.all([
    writePolicy(bao, 'shop', shopPolicy),
    enableKv(bao, 'secret', 2),
    enableKv(bao, 'kv1', 1),
    enablePki(bao, { role: 'shop', allowedDomains: ['shop.svc'], ...given('maxTtl', options.pkiMaxTtl) }),
    enableKubernetesAuth(bao, {
      review,
      role: 'shop',
      policies: ['shop'],
      tokenTtl: options.tokenTtl ?? '1h',
      tokenMaxTtl: options.tokenMaxTtl ?? '24h',
      extra: options.role,
    }),
    postgres &&
      enableDatabase(bao, postgres, {
        role: 'shop',
        ...given('defaultTtl', options.databaseTtl),
        ...given('maxTtl', options.databaseMaxTtl),
      }),
  ]);
}

/**
 * Starts the servers at the same time. A failure is reported after all have started or failed, so that none is lost.
 */
async function startAll(
  started: AsyncDisposableStack,
  options: WorldOptions,
): Promise<[OpenBao, TokenReview, Postgres | undefined]> {
  const own = async <Server extends AsyncDisposable>(starting: Promise<Server>) => started.use(await starting);
  const parts = [
    own(startOpenBao(options.openBao)),
    own(startTokenReview()),
    options.database ? own(startPostgres()) : undefined,
  ] as const;
  await Promise.allSettled(parts);
  return Promise.all(parts);
}

/** An optional key, left out rather than undefined. */
function given<Key extends string>(key: Key, value: string | undefined): { [key in Key]?: string } {
  return value === undefined ? {} : ({ [key]: value } as { [key in Key]?: string });
}
