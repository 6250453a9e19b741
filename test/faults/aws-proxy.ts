import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** One call as it was sent. */
export interface AwsCallSeen {
  /** `GetSecretValue`, `AssumeRole`. */
  readonly operation: string;
  /** Region in the signature. */
  readonly region: string;
  readonly accessKeyId: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** What happens to a call that is not passed on. */
export type Fault =
  | { readonly status: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> }
  | 'reset'
  | 'hang';

export interface AwsProxy extends AsyncDisposable {
  readonly address: string;
  readonly calls: readonly AwsCallSeen[];
  /** How often an operation was called. */
  count(operation: string): number;
  /** Forgets the calls so far. */
  clear(): void;
  /** Decides the fault of each call from now on; undefined passes the call on. */
  fault(decide: ((call: AwsCallSeen) => Fault | undefined) | undefined): void;
}

/** A reverse proxy in front of moto. It records calls, and can answer them with faults that moto cannot make. */
export async function startAwsProxy(target: string): Promise<AwsProxy> {
  const calls: AwsCallSeen[] = [];
  let decide: ((call: AwsCallSeen) => Fault | undefined) | undefined;
  const agent = new http.Agent({ keepAlive: true });
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const call = seen(request, body.toString());
      calls.push(call);
      const fault = decide?.(call);
      if (fault === 'hang') return;
      if (fault === 'reset') return void request.socket.resetAndDestroy();
      if (fault !== undefined) {
        response.writeHead(fault.status, { 'content-type': 'application/x-amz-json-1.1', ...fault.headers });
        return void response.end(fault.body);
      }
      const { method, url, headers } = request;
      const through = http.request(target + url, { method, headers, agent }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      through.on('error', () => request.socket.destroy());
      through.end(body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    count: (operation) => calls.filter((call) => call.operation === operation).length,
    clear: () => void calls.splice(0),
    fault(next) {
      decide = next;
    },
    async [Symbol.asyncDispose]() {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** An answer as AWS gives it. */
export function awsError(type: string, status = 400, message = '', headers: Record<string, string> = {}): Fault {
  return { status, body: JSON.stringify({ __type: type, message, Message: message }), headers };
}

function seen({ headers }: http.IncomingMessage, body: string): AwsCallSeen {
  const [, accessKeyId = '', region = ''] =
    /Credential=([^/]+)\/\d+\/([^/]+)\//.exec(headers.authorization ?? '') ?? [];
  const target = headers['x-amz-target'];
  const operation = typeof target === 'string' ? target.split('.')[1] : /Action=(\w+)/.exec(body)?.[1];
  return { operation: operation ?? '', region, accessKeyId, headers, body };
}
