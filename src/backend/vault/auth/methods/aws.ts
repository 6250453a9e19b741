import type { Clock } from '../../../../base/clock.ts';
import type { Emit } from '../../../../base/fact.ts';
import { loadCrypto } from '../../../../base/node-crypto.ts';
import { Secret } from '../../../../base/secret.ts';
import type { Environment } from '../../../../config/environment.ts';
import { AwsCredentials } from '../../../aws/auth/credentials.ts';
import { AwsHttp } from '../../../aws/client/http.ts';
import type { AwsBackendConfig } from '../../../aws/config/config.ts';
import { type LoginDeps, logInAt } from '../log-in-at.ts';
import type { AuthMethod } from '../method.ts';

export interface AwsLogin {
  readonly mount: string;
  /** Absent: the server takes the name of the IAM role or user. */
  readonly role?: string;
  /**
   * Must equal the server's `iam_server_id_header_value`. It is signed, so the signed request is of no use to another
   * server. Absent: the server requires none.
   */
  readonly serverId?: string;
  /** The sources of the keys, and the region of STS. */
  readonly account: AwsBackendConfig;
}

export interface AwsLoginDeps extends LoginDeps {
  readonly clock: Clock;
  readonly emit: Emit;
  /** For proxies on the way to STS, from which temporary keys may come. */
  readonly env: Environment;
}

/**
 * Logs in with an AWS identity: signs a GetCallerIdentity request to STS and gives it to the server, which sends it to
 * AWS and takes the identity from the answer. POST auth/MOUNT/login {role, iam_http_request_method, iam_request_url,
 * iam_request_body, iam_request_headers}. Pannier itself never sends the signed request to AWS; it is valid for some
 * minutes. https://developer.hashicorp.com/vault/docs/auth/aws#iam-auth-method (OpenBao has no such plugin.)
 *
 * The keys are found as for an AWS backend, again at each login; this may take requests to STS.
 */
export function createAwsMethod({ mount, role, serverId, account }: AwsLogin, deps: AwsLoginDeps): AuthMethod {
  const { clock, emit, env } = deps;
  const http = new AwsHttp({ config: account, clock, emit, env });
  // The facts of the AWS keys are dropped: only the login at the Vault server is a login of this backend.
  const credentials = new AwsCredentials({ config: account, http, clock, emit: () => {} });
  return {
    kind: 'aws',
    trouble: () => credentials.trouble(),
    async login(signal) {
      credentials.forget();
      const keys = await credentials.keysFor({}, signal).finally(() => http[Symbol.asyncDispose]());
      const request = await signCallerIdentity({ account, serverId, keys, nowMs: clock.wallMs() });
      const body = {
        ...(role === undefined ? {} : { role }),
        iam_http_request_method: 'POST',
        iam_request_url: base64(request.url),
        iam_request_body: base64(request.body),
        // The headers hold the signature, with which anyone could log in.
        iam_request_headers: Secret.text(base64(JSON.stringify(request.headers))),
      };
      return logInAt({ ...deps, mount, body }, signal);
    },
  };
}

export interface CallerIdentity {
  readonly account: Pick<AwsBackendConfig, 'region' | 'endpoints'>;
  readonly serverId?: string | undefined;
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string };
  readonly nowMs: number;
}

/** A GetCallerIdentity request with its signature (AWS Signature Version 4), as the server is to send it. */
export async function signCallerIdentity({ account, serverId, keys, nowMs }: CallerIdentity) {
  const { SignatureV4 } = await import('../../../aws/client/sdk.ts');
  const { region = 'us-east-1' } = account;
  const url = new URL(account.endpoints.sts?.replaceAll('{region}', region) ?? `https://${stsHost(region)}/`);
  const body = 'Action=GetCallerIdentity&Version=2011-06-15';
  const signer = new SignatureV4({ service: 'sts', region, credentials: keys, sha256: Sha256, applyChecksum: false });
  const { headers } = await signer.sign(
    {
      method: 'POST',
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      headers: {
        host: url.host,
        'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
        'content-length': String(body.length),
        ...(serverId === undefined ? {} : { 'x-vault-aws-iam-server-id': serverId }),
      },
      body,
    },
    { signingDate: new Date(nowMs) },
  );
  return { url: url.href, body, headers };
}

/** us-east-1 uses the global STS endpoint, which the server asks when it is configured with no other. */
function stsHost(region: string): string {
  if (region === 'us-east-1') return 'sts.amazonaws.com';
  return `sts.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
}

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

/** SHA-256, or HMAC-SHA-256 when a key is given, in the form that the signer of the SDK takes. */
class Sha256 {
  readonly #key: SignerInput | undefined;
  #chunks: Uint8Array[] = [];

  constructor(key?: SignerInput) {
    this.#key = key;
  }

  update(chunk: SignerInput): void {
    this.#chunks.push(bytesOf(chunk));
  }

  async digest(): Promise<Uint8Array> {
    const crypto = loadCrypto();
    const hash =
      this.#key === undefined ? crypto.createHash('sha256') : crypto.createHmac('sha256', bytesOf(this.#key));
    for (const chunk of this.#chunks) hash.update(chunk);
    return hash.digest();
  }

  reset(): void {
    this.#chunks = [];
  }
}

type SignerInput = string | ArrayBuffer | ArrayBufferView;

function bytesOf(input: SignerInput): Uint8Array {
  if (typeof input === 'string') return Buffer.from(input, 'utf8');
  return ArrayBuffer.isView(input)
    ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
    : new Uint8Array(input);
}
