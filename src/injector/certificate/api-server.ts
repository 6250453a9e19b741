import { fail, type PannierError } from '../../base/errors.ts';
import { holdsCertificate } from '../../base/holds-certificate.ts';
import { readFileInTime } from '../../base/read-file.ts';
import { loadHttps } from '../../http/node-http.ts';

/** Where the API server is, and the files of the pod's service account. */
export interface ApiServerOptions {
  readonly host: string;
  readonly port: number;
  /** Has `token` and `ca.crt`. */
  readonly accountDir: string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Sends one request to the API server with the pod's service account, whose token is read each time. */
export type CallApiServer = (method: 'GET' | 'PATCH', path: string, patch?: unknown) => Promise<ApiAnswer>;

export const ACCOUNT_DIR = '/var/run/secrets/kubernetes.io/serviceaccount';

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 4 * 1024 * 1024;
const MAX_FILE_BYTES = 1024 * 1024;

/** @throws by the calls: PannierError INJECTOR_API_SERVER when there is no whole answer. */
export function callApiServer({ host, port, accountDir }: ApiServerOptions): CallApiServer {
  return async (method, path, patch) => {
    const [token, ca] = await Promise.all([readText(`${accountDir}/token`), readText(`${accountDir}/ca.crt`)]);
    if (!holdsCertificate(ca)) throw noAnswer(`${accountDir}/ca.crt holds no certificate in PEM`);
    const body = patch === undefined ? undefined : JSON.stringify(patch);
    return await new Promise<ApiAnswer>((resolve, reject) => {
      const sent = loadHttps().request(
        { host, port, path, method, ca, agent: false, minVersion: 'TLSv1.2', timeout: TIMEOUT_MS },
        (response) => {
          const chunks: Buffer[] = [];
          let length = 0;
          response.on('data', (chunk: Buffer) => {
            length += chunk.length;
            if (length > MAX_BYTES) sent.destroy();
            else chunks.push(chunk);
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body: jsonOr(Buffer.concat(chunks)) }));
          response.on('close', () => reject(noAnswer('the answer was cut off')));
        },
      );
      const timer = setTimeout(() => sent.destroy(), TIMEOUT_MS);
      sent.on('close', () => clearTimeout(timer));
      sent.on('timeout', () => sent.destroy());
      sent.on('error', (error: NodeJS.ErrnoException) => reject(noAnswer(error.code ?? 'no answer in time', NO_WAY)));
      sent.on('close', () => reject(noAnswer('no answer in time', NO_WAY)));
      sent.setHeader('Accept', 'application/json');
      // No part of the options: Node passes these on to net.connect, which prints them under NODE_DEBUG=net.
      sent.setHeader('Authorization', `Bearer ${token.trim()}`);
      if (body !== undefined) sent.setHeader('Content-Type', 'application/json-patch+json');
      sent.end(body);
    });
  };
}

async function readText(path: string): Promise<string> {
  try {
    return (await readFileInTime(path, { maxBytes: MAX_FILE_BYTES })).bytes.toString();
  } catch {
    throw noAnswer(`${path} cannot be read`);
  }
}

const NO_WAY =
  'Check that its address and port can be reached: a NetworkPolicy has to name the port (networkPolicy.apiServerPorts).';

const noAnswer = (seen: string, hint?: string): PannierError =>
  fail('INJECTOR_API_SERVER', 'API server', seen, hint === undefined ? {} : { hint });

function jsonOr(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
