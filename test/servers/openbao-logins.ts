/** Auth methods, set up on a running OpenBao in one call each, mounted under their own names. */
import { readFile } from 'node:fs/promises';
import type { OpenBao } from './openbao.ts';
import type { TokenReview } from './token-review.ts';

/** What a login gives. Lives are Vault durations (`1h`, `90s`); absent means OpenBao's default, 768h. */
export interface LoginOptions {
  readonly role: string;
  /** `default` is always added. */
  readonly policies: readonly string[];
  readonly tokenTtl?: string | undefined;
  readonly tokenMaxTtl?: string | undefined;
  /** Any other key of the role as OpenBao names it: `token_period`, `token_num_uses`, `audience`. */
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
}

function tokenFields({ policies, tokenTtl, tokenMaxTtl, extra }: LoginOptions): Record<string, unknown> {
  return { token_policies: policies, token_ttl: tokenTtl ?? 0, token_max_ttl: tokenMaxTtl ?? 0, ...extra };
}

export interface KubernetesOptions extends LoginOptions {
  /** Whom OpenBao asks whether a token is good, and as whom. */
  readonly review: Pick<TokenReview, 'address' | 'caPem' | 'reviewerJwt'>;
  /** Name of the bound service account; the role's name when absent. */
  readonly serviceAccount?: string;
  /** `default` when absent. */
  readonly namespace?: string;
}

/** Logins with the JWTs of service accounts, as `review` knows them. */
export async function enableKubernetesAuth(bao: OpenBao, options: KubernetesOptions): Promise<void> {
  const { review, role, serviceAccount = role, namespace = 'default' } = options;
  await bao.api('POST', 'sys/auth/kubernetes', { type: 'kubernetes' });
  await bao.api('PUT', 'auth/kubernetes/config', {
    kubernetes_host: review.address,
    kubernetes_ca_cert: review.caPem,
    token_reviewer_jwt: review.reviewerJwt,
  });
  await bao.api('PUT', `auth/kubernetes/role/${role}`, {
    bound_service_account_names: [serviceAccount],
    bound_service_account_namespaces: [namespace],
    ...tokenFields(options),
  });
}

/** Logins by JWT checked against the public key of `review`, with no review call; `sub` names the user. */
export async function enableJwtAuth(bao: OpenBao, options: LoginOptions & { review: TokenReview }): Promise<void> {
  await bao.api('POST', 'sys/auth/jwt', { type: 'jwt' });
  await bao.api('PUT', 'auth/jwt/config', { jwt_validation_pubkeys: [options.review.publicKeyPem] });
  await bao.api('PUT', `auth/jwt/role/${options.role}`, {
    role_type: 'jwt',
    user_claim: 'sub',
    bound_audiences: [options.review.audience],
    ...tokenFields(options),
  });
}

/** An AppRole, and its secret ids. */
export interface AppRole {
  readonly roleId: string;
  /** Resolves to a new secret id. */
  newSecretId(): Promise<string>;
  /** Resolves to a wrapping token (60 s) around a new secret id. */
  newWrappedSecretId(): Promise<string>;
}

/** Logins with a role id and a secret id. */
export async function enableAppRole(bao: OpenBao, options: LoginOptions): Promise<AppRole> {
  const role = `auth/approle/role/${options.role}`;
  await bao.api('POST', 'sys/auth/approle', { type: 'approle' });
  await bao.api('PUT', role, tokenFields(options));
  const { data } = await bao.api<{ role_id: string }>('GET', `${role}/role-id`);
  return {
    roleId: data.role_id,
    async newSecretId() {
      const made = await bao.api<{ secret_id: string }>('POST', `${role}/secret-id`, {});
      return made.data.secret_id;
    },
    async newWrappedSecretId() {
      const caller = { token: bao.rootToken, wrapTtl: '60s' };
      const { wrap_info } = await bao.api('POST', `${role}/secret-id`, {}, caller);
      return wrap_info.token;
    },
  };
}

/** Logins with `bao.tls`'s client certificate; needs a server started with `tls`. */
export async function enableCertAuth(bao: OpenBao, options: LoginOptions): Promise<void> {
  await bao.api('POST', 'sys/auth/cert', { type: 'cert' });
  await bao.api('PUT', `auth/cert/certs/${options.role}`, {
    certificate: await readFile(bao.tls.caFile, 'utf8'),
    ...tokenFields(options),
  });
}

/** Logins with a user name (the role) and a password. */
export async function enableUserpass(bao: OpenBao, options: LoginOptions & { password: string }): Promise<void> {
  await bao.api('POST', 'sys/auth/userpass', { type: 'userpass' });
  await bao.api('PUT', `auth/userpass/users/${options.role}`, { password: options.password, ...tokenFields(options) });
}
