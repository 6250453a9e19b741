/** Receivers of logs of OpenTelemetry's own collector: test/fixtures/log-collector. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureGoProgram } from './go-program.ts';
import { ServerProcess } from './server-process.ts';

/** A log record, as the receiver passes it on. */
export interface CollectedLog {
  readonly resource: Readonly<Record<string, unknown>>;
  readonly timeMs: number;
  readonly severity: string;
  readonly trace: string;
  readonly span: string;
  readonly event: string;
  readonly body: unknown;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface LogCollector extends AsyncDisposable {
  /** @throws what the collector says that it could not do. */
  logs(): readonly CollectedLog[];
}

/**
 * Receives lines as `config` says, which is YAML of the collector. It needs `go` on the PATH (see `hasGo`); the first
 * call builds for a minute or more. It ends with the test process at the latest.
 * @param where what takes the place of the file or address in it: a file, or the path of a unix socket.
 */
export async function startLogCollector(config: string, where: string): Promise<LogCollector> {
  const command = await ensureGoProgram('log-collector');
  const dir = await mkdtemp(join(tmpdir(), 'pannier-collector-'));
  const [configFile, logFile] = [join(dir, 'config.yaml'), join(dir, 'log')];
  await writeFile(configFile, config);
  const args = [configFile, where];
  const server = new ServerProcess({
    ...{ name: 'log-collector', command, args, env: {}, logFile, dir, endSignal: 'SIGKILL' },
  });
  return {
    logs() {
      const log = server.log();
      if (/^panic:|^\{"level":"(?:error|warn)"/m.test(log)) throw new Error(log);
      return log
        .split('\n')
        .filter((line) => line.startsWith('{"attributes"') && line.endsWith('}'))
        .map((line) => JSON.parse(line) as CollectedLog);
    },
    async [Symbol.asyncDispose]() {
      await server.end();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
