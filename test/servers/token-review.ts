/** TokenReview, the one part of a Kubernetes API server that OpenBao's `kubernetes` auth method uses. */
import { createHash, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { createAuthority } from './certificates.ts';

const issuer = 'https://kubernetes.default.svc.cluster.local';
const reviewPath = '/apis/authentication.k8s.io/v1/tokenreviews';

export interface MintOptions {
  /** Namespace; `default` when absent. */
  readonly namespace?: string;
  readonly serviceAccount: string;
  /** Seconds until it expires, from now; 600 when absent, negative for a token that has expired. */
  readonly ttlSeconds?: number;
  /** The API server's own audience when absent. OpenBao checks it only for a role that has `audience`. */
  readonly audience?: string;
  /** Whether the token is signed with a key that is not trusted. */
  readonly forged?: boolean;
}

/** See `startTokenReview`. */
export interface TokenReview extends AsyncDisposable {
  /** `https://127.0.0.1:PORT`: what OpenBao calls `kubernetes_host`. */
  readonly address: string;
  readonly caPem: string;
  /** The token with which OpenBao asks for reviews. */
  readonly reviewerJwt: string;
  /** Public key of the key that signs service-account tokens. */
  readonly publicKeyPem: string;
  /** The audience of tokens that were minted without one. */
  readonly audience: string;
  /** How many reviews were asked for so far, granted or not. */
  readonly reviews: number;
  /** Resolves to a signed service-account token with the claims a kubelet's projected token has. */
  mintToken(options: MintOptions): Promise<string>;
  /** Deletes a service account: reviews refuse its tokens from now on, although their signatures stay valid. */
  deleteServiceAccount(serviceAccount: string, namespace?: string): void;
  stop(): Promise<void>;
}

/**
 * Resolves to an HTTPS server on 127.0.0.1 that answers TokenReview requests as Kubernetes does: the reviewer must show
 * its own token, and the reviewed token's signature, life, issuer and audience are really checked.
 */
export async function startTokenReview(): Promise<TokenReview> {
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const authority = createAuthority('Kubernetes test CA');
  const { certificatePem: cert, keyPem: key } = authority.issue({
    commonName: 'kube-apiserver',
    altNames: ['127.0.0.1', 'kubernetes.default.svc'],
    lifetimeMs: 24 * 3_600_000,
  });
  const reviewer = { serviceAccount: 'openbao', namespace: 'security', ttlSeconds: 86_400 };
  const reviewerJwt = await mint(keys.privateKey, reviewer);
  const deleted = new Set<string>();
  let reviews = 0;

  const server = createServer({ cert, key }, (request, response) => {
    reviews++;
    answer(request, { publicKey: keys.publicKey, reviewerJwt, deleted })
      .then(({ status, body }) => send(response, status, body))
      .catch((error: unknown) => send(response, 500, { message: String(error) }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  async function stop(): Promise<void> {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }
  return {
    address: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    caPem: authority.certificatePem,
    reviewerJwt,
    publicKeyPem: keys.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    audience: issuer,
    get reviews() {
      return reviews;
    },
    mintToken(options) {
      const { privateKey } = options.forged ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : keys;
      return mint(privateKey, options);
    },
    deleteServiceAccount(serviceAccount, namespace = 'default') {
      deleted.add(userName(namespace, serviceAccount));
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function mint(key: KeyObject, options: MintOptions): Promise<string> {
  const { namespace = 'default', serviceAccount, ttlSeconds = 600, audience = issuer } = options;
  const now = Math.floor(Date.now() / 1000);
  const start = Math.min(now, now + ttlSeconds - 1);
  const claims = {
    namespace,
    pod: { name: `${serviceAccount}-0`, uid: uidOf(`pod/${namespace}/${serviceAccount}`) },
    serviceaccount: { name: serviceAccount, uid: uidOf(userName(namespace, serviceAccount)) },
  };
  return new SignJWT({ 'kubernetes.io': claims })
    .setProtectedHeader({ alg: 'RS256', kid: 'test' })
    .setIssuer(issuer)
    .setSubject(userName(namespace, serviceAccount))
    .setAudience([audience])
    .setIssuedAt(start)
    .setNotBefore(start)
    .setExpirationTime(now + ttlSeconds)
    .setJti(randomUUID())
    .sign(key);
}

interface Rules {
  readonly publicKey: KeyObject;
  readonly reviewerJwt: string;
  readonly deleted: ReadonlySet<string>;
}

async function answer(request: IncomingMessage, rules: Rules): Promise<{ status: number; body: object }> {
  if (request.method !== 'POST' || request.url !== reviewPath) return failure(404, 'NotFound');
  if (request.headers.authorization !== `Bearer ${rules.reviewerJwt}`) return failure(401, 'Unauthorized');
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { spec } = JSON.parse(Buffer.concat(chunks).toString()) as { spec: { token: string; audiences?: string[] } };
  const head = { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', spec };
  return { status: 201, body: { ...head, status: await review(spec.token, spec.audiences ?? [issuer], rules) } };
}

async function review(token: string, audiences: string[], { publicKey, deleted }: Rules): Promise<object> {
  try {
    const { payload } = await jwtVerify(token, publicKey, {
      algorithms: ['RS256'],
      issuer,
      audience: audiences,
      requiredClaims: ['exp', 'nbf', 'sub'],
    });
    if (deleted.has(payload.sub ?? '')) throw new Error('service account not found');
    return {
      authenticated: true,
      user: userOf(payload),
      audiences: audiences.filter((one) => payload.aud?.includes(one)),
    };
  } catch (error) {
    return { authenticated: false, user: {}, error: `[invalid bearer token, ${(error as Error).message}]` };
  }
}

function userOf(payload: JWTPayload): object {
  const claims = payload['kubernetes.io'] as { namespace: string; serviceaccount: { uid: string } };
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${claims.namespace}`, 'system:authenticated'];
  return { username: payload.sub, uid: claims.serviceaccount.uid, groups };
}

function failure(code: number, reason: string): { status: number; body: object } {
  return { status: code, body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, code } };
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function userName(namespace: string, serviceAccount: string): string {
  return `system:serviceaccount:${namespace}:${serviceAccount}`;
}

/** The same object has the same uid in every token. */
function uidOf(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
