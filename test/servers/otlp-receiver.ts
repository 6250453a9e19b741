/** A receiver of OTLP/HTTP with the decoder of OpenTelemetry's own collector: test/fixtures/otlp-receiver. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureGoProgram } from './go-program.ts';
import { ServerProcess } from './server-process.ts';

/** A span, as the collector's library reads it. */
export interface DecodedSpan {
  readonly service: string;
  readonly trace: string;
  readonly span: string;
  readonly parent: string;
  readonly name: string;
  readonly kind: string;
  readonly seconds: number;
  readonly year: number;
  readonly status: string;
  readonly links: number;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** A log record, as the collector's library reads it. */
export interface DecodedLog {
  readonly service: string;
  readonly trace: string;
  readonly span: string;
  readonly event: string;
  readonly severity: string;
  readonly body: string;
  readonly year: number;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface OtlpReceiver extends AsyncDisposable {
  readonly address: string;
  spans(): readonly DecodedSpan[];
  logs(): readonly DecodedLog[];
}

/** It needs `go` on the PATH (see `hasGo`), and ends with the test process at the latest. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const command = await ensureGoProgram('otlp-receiver');
  const dir = await mkdtemp(join(tmpdir(), 'pannier-otlp-'));
  const logFile = join(dir, 'log');
  const server = new ServerProcess({
    ...{ name: 'otlp-receiver', command, args: [], env: {}, logFile, dir, endSignal: 'SIGKILL' },
  });
  await server.waitUntil(async () => server.log().includes('\n'));
  const [listen = '', ...rest] = server.log().split('\n');
  if (rest.join('') !== '') throw new Error(server.log());
  const decoded = (): readonly (DecodedSpan | DecodedLog)[] =>
    server
      .log()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as DecodedSpan | DecodedLog);
  return {
    address: `http://${listen}`,
    spans: () => decoded().filter((one) => 'kind' in one),
    logs: () => decoded().filter((one) => 'body' in one),
    async [Symbol.asyncDispose]() {
      await server.end();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
