import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeLogs, decodeTraces, type ReceivedLog, type ReceivedSpan } from './decode.helpers.ts';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Receiver extends AsyncDisposable {
  readonly address: string;
  readonly requests: readonly Received[];
  /** The spans of all requests that were answered with 200. */
  spans(): readonly ReceivedSpan[];
  /** The same for log records. */
  logs(): readonly ReceivedLog[];
  /** What the next requests are answered with, each by one; then with 200. */
  answerNext(...answers: readonly Answer[]): void;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A receiver of OTLP/HTTP that decodes strictly: what it cannot read is answered with 400, and kept as an error. */
export async function startReceiver(): Promise<Receiver> {
  const requests: Received[] = [];
  const spans: ReceivedSpan[] = [];
  const logs: ReceivedLog[] = [];
  const answers: Answer[] = [];
  const errors: unknown[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    requests.push({ path: request.url ?? '', headers: request.headers, text });
    const answer = answers.shift() ?? { status: 200, body: '{"partialSuccess":{}}' };
    try {
      const isLogs = request.url?.endsWith('/v1/logs') === true;
      const decoded = isLogs ? { spans: [], logs: decodeLogs(text) } : { spans: decodeTraces(text), logs: [] };
      if (answer.status === 200) {
        spans.push(...decoded.spans);
        logs.push(...decoded.logs);
      }
      response.writeHead(answer.status, { 'Content-Type': 'application/json', ...answer.headers });
      response.end(answer.body);
    } catch (error) {
      errors.push(error);
      response.writeHead(400).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    spans() {
      if (errors.length > 0) throw errors[0];
      return spans;
    },
    logs() {
      if (errors.length > 0) throw errors[0];
      return logs;
    },
    answerNext: (...next) => void answers.push(...next),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
