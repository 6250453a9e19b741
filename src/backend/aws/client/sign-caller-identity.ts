import { loadCrypto } from '../../../base/node-crypto.ts';
import type { AwsBackendConfig } from '../config/config.ts';

export interface CallerIdentity {
  readonly account: Pick<AwsBackendConfig, 'region' | 'endpoints'>;
  readonly serverId?: string | undefined;
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string };
  readonly nowMs: number;
}

/** A GetCallerIdentity request with its signature (AWS Signature Version 4), as the server is to send it. */
export async function signCallerIdentity({ account, serverId, keys, nowMs }: CallerIdentity) {
  const { SignatureV4 } = await import('./sdk.ts');
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
